"""What an object must look like, and what is wrong with one that does not.

Three looks of rising cost: names, kinds and sizes against the manifest; the marks that the file system keeps (size,
both times, inode) against those seen when the digests were last right; the digests themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import EnvironmentProblem, StepError
from workbench.files.digest import digest_file

MANIFEST = "manifest.json"
DATA = "data"
DIGESTS_AT_A_TIME = 4  # files; a digest is native code that lets other threads go on
Manifest = dict[str, Any]


class Fault(Exception):
    """What is wrong with one object; never leaves the store."""


def describe_files(data: Path) -> dict[str, dict[str, Any]]:
    """Return relative name → size and SHA-256 of every file below `data`, sorted.

    Raises `StepError` for anything that is not a plain file: a link would lead out of the store.
    """
    found = sorted(_walk(data))
    for name, status in found:
        if not stat.S_ISREG(status.st_mode):
            raise StepError("the step left something that is not a plain file", where=name)
    with ThreadPoolExecutor(DIGESTS_AT_A_TIME) as threads:
        digests = list(threads.map(digest_file, [data / name for name, _ in found]))
    return {
        name: {"size": status.st_size, "sha256": digest} for (name, status), digest in zip(found, digests, strict=True)
    }


def seal(manifest: Mapping[str, Any]) -> Manifest:
    """Return the manifest with the digest of its own content, by which its own damage is found."""
    content = {name: value for name, value in manifest.items() if name != "digest"}
    return {**content, "digest": _digest(content)}


def read_manifest(folder: Path, fingerprint: str) -> Manifest:
    """Return the manifest of the object in `folder`. Raises `Fault` when it is missing or damaged."""
    path = folder / MANIFEST
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Fault("the manifest is not a plain file")
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise Fault("the manifest is missing") from error
    except ValueError as error:
        raise Fault("the manifest is damaged") from error
    if not isinstance(manifest, dict) or seal(manifest) != manifest or manifest.get("fingerprint") != fingerprint:
        raise Fault("the manifest is damaged")
    return manifest


@dataclass(frozen=True)
class Marks:
    """What the file system says of all files of an object.

    Attributes:
        digest: Over name, size, both times and inode of every file.
        newest_ns: The latest change of any of them, nanoseconds since 1970.
    """

    digest: str
    newest_ns: int


def check_sizes(folder: Path, manifest: Manifest) -> Marks:
    """Compare names, kinds and sizes with the manifest. Returns the marks of all files; raises `Fault`."""
    data = folder / DATA
    if folder.is_symlink() or data.is_symlink() or not data.is_dir():
        raise Fault("the data folder is missing or a link")
    expected = manifest["files"]
    found = dict(_walk(data))
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise Fault(f"{name} is missing")
        if name not in expected:
            raise Fault(f"{name} does not belong here")
        if not stat.S_ISREG(found[name].st_mode):
            raise Fault(f"{name} is not a plain file")
        if found[name].st_size != expected[name]["size"]:
            raise Fault(f"{name} has {found[name].st_size} bytes instead of {expected[name]['size']}")
    return _marks({**found, MANIFEST: (folder / MANIFEST).lstat()})


def check_digests(folder: Path, manifest: Manifest) -> None:
    """Compare the content of every file with the manifest. Raises `Fault`."""
    files = manifest["files"]

    def problem(name: str) -> str:
        try:
            digest = digest_file(folder / DATA / name)
        except EnvironmentProblem:
            return f"{name} cannot be read"
        return "" if digest == files[name]["sha256"] else f"{name} is not what was written"

    with ThreadPoolExecutor(DIGESTS_AT_A_TIME) as threads:
        for found in threads.map(problem, files):
            if found:
                raise Fault(found)


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield relative name and `lstat` of everything below `folder` that is not a folder."""
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                else:
                    yield Path(entry.path).relative_to(folder).as_posix(), entry.stat(follow_symlinks=False)


def _marks(found: Mapping[str, os.stat_result]) -> Marks:
    marks = [[n, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino] for n, s in sorted(found.items())]
    return Marks(_digest(marks), max(status.st_ctime_ns for status in found.values()))


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
