"""What is installed: every distribution and the standard library, with the files that hold documentation.

Nothing is imported. The digests come from the RECORD that the installer wrote, so they cost no reading of files;
whoever reads a file holds it against its digest.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import platform
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from workbench.api import EnvironmentProblem

Kind = Literal["readme", "docstring", "document", "license"]
STDLIB = "python"

_LICENSE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)([-._](?!pyc?$).*)?$", re.IGNORECASE)
_METADATA_FOLDERS = (".dist-info", ".egg-info")
_NO_DOCUMENT = re.compile(r"(entry_points|top_level|SOURCES|requirements.*|vendor|CMakeLists)\.txt$")
_NO_STDLIB = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}


@dataclass(frozen=True)
class PackageFile:
    """A file that holds documentation.

    Attributes:
        path: Below the package's root, with forward slashes.
        kind: What it holds.
        digest: SHA-256, hexadecimal, as recorded; empty when nobody recorded one.
        num_bytes: Its size as recorded.
    """

    path: str
    kind: Kind
    digest: str
    num_bytes: int


@dataclass(frozen=True)
class Package:
    """One distribution, or the standard library under the name `python`."""

    name: str
    version: str
    root: Path
    files: tuple[PackageFile, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the paths and digests (of the standard library: sizes) of its files; free of machine paths."""
        listed = sorted(f"{file.path}\t{file.digest or file.num_bytes}" for file in self.files)
        return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def installed_packages(names: tuple[str, ...], exclude: tuple[str, ...]) -> list[Package]:
    """Return the installed distributions, sorted by name; with `names`, those only.

    Left out are distributions installed in editable mode, whose files change under our hands, and those that an
    installer left without a RECORD. Raises `EnvironmentProblem` for a name that is not installed.
    """
    wanted, unwanted = set(map(normal_name, names)), set(map(normal_name, exclude))
    found: dict[str, Package] = {}
    for distribution in metadata.distributions():
        name = normal_name(str(distribution.name or ""))
        if not name or name in found or name in unwanted or (wanted and name not in wanted):
            continue
        record = distribution.read_text("RECORD")
        if record is not None and not _is_editable(distribution):
            root = Path(str(distribution.locate_file("")))
            found[name] = Package(name, distribution.version, root, tuple(_recorded(record)))
    missing = sorted(wanted - set(found))
    if missing:
        raise EnvironmentProblem(
            f"not installed, or only in editable mode: {', '.join(missing)}",
            where="source/installed-docs",
            advice=f"pip install {' '.join(missing)}",
        )
    return [found[name] for name in sorted(found)]


def standard_library() -> Package:
    """Return the standard library without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _NO_STDLIB]
        for name in names:
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            kind = kind_of(relative)
            if kind is not None and path.is_file():  # systems link to files that they do not bring
                files.append(PackageFile(relative, kind, "", path.stat().st_size))
    return Package(STDLIB, platform.python_version(), root, tuple(sorted(files, key=lambda file: file.path)))


def normal_name(name: str) -> str:
    """Return a distribution's name as the packaging standard normalises it.

    >>> normal_name("Ruamel_YAML.clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def kind_of(path: str) -> Kind | None:
    """Return what kind of documentation a file of a package holds, None for none.

    >>> kind_of("a/b.py"), kind_of("a-1.dist-info/METADATA"), kind_of("a/LICENSE"), kind_of("a/data.csv")
    ('docstring', 'readme', 'license', None)
    """
    if path.startswith(("../", "/")):
        return None  # scripts, whose first line names a folder of this machine
    if path.endswith(".py"):
        return "docstring"
    name = path.rpartition("/")[2]
    if _LICENSE.match(name):
        return "license"
    if path.partition("/")[0].endswith(_METADATA_FOLDERS):
        return "readme" if name == "METADATA" else None
    if name.endswith((".rst", ".md", ".txt")) and not _NO_DOCUMENT.match(name):
        return "document"
    return None


def _recorded(record: str) -> Iterator[PackageFile]:
    for row in filter(None, csv.reader(record.splitlines())):
        path, digest, size = (*row, "", "")[:3]  # digest and size may be left out
        kind = kind_of(path)
        algorithm, _, value = digest.partition("=")
        if kind is not None and algorithm == "sha256":
            hexadecimal = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
            yield PackageFile(path, kind, hexadecimal, int(size or 0))


def _is_editable(distribution: metadata.Distribution) -> bool:
    origin = distribution.read_text("direct_url.json")
    return origin is not None and bool(json.loads(origin).get("dir_info", {}).get("editable"))
