"""The documentation on this machine: a real corpus of English technical text, without a download.

Licence texts are among it on purpose: they stand there in dozens of nearly equal copies, as pages of the web do.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from workbench_plugins.sources.distributions import Kind, Package, PackageFile, installed_packages, standard_library

from workbench.api import BadRecord, Context, Field, Source

TASK_BYTES = 8 << 20  # of files: what one worker reads at a time
ALL_KINDS: tuple[Kind, ...] = ("readme", "docstring", "document", "license")


class InstalledDocs(Source):
    """Read the documentation of the installed Python packages: descriptions, docstrings, documents and licences.

    Nothing is imported. Meta holds `package`, `version`, `kind` and `name`. The result depends on what is installed
    and not on where. Editable installs are left out; files that do not parse go to quarantine, without a limit.
    """

    packages: tuple[str, ...] = Field((), description="distributions to read; none means all")
    exclude: tuple[str, ...] = Field((), description="distributions to leave out")
    kinds: tuple[Kind, ...] = Field(ALL_KINDS, min_length=1, description="what to read")
    stdlib: bool = Field(True, description="read the standard library too, as package `python`")
    min_characters: int = Field(200, ge=1, description="shorter texts are no documents")
    max_per_package: int | None = Field(None, ge=1, description="documents of one package, from files drawn by hash")
    max_documents: int | None = Field(None, ge=1, description="documents in all, drawn by hash")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents package by package, sorted by name."""
        tasks = [task for package in self._packages() for task in self._tasks(package)]
        for number, task in enumerate(tasks):
            task["output"] = str(ctx.scratch / f"documents-{number:05}.parquet")
        results = ctx.map("workbench_plugins.sources.python_docs:harvest", tasks, unit="packages")
        last = self._last_id([task["output"] for task in tasks])
        for task, result in zip(tasks, results, strict=True):
            for record in result["bad"]:
                yield BadRecord(**{**record, "head": bytes.fromhex(record["head"])})
            frame = pl.read_parquet(task["output"])
            yield frame if last is None else frame.filter(pl.col("id") <= last)

    def digests(self, base: Path, digest: Any) -> dict[str, str]:
        """Return `name version` → digest of what its RECORD says of the files that are read."""
        del base, digest
        return {f"{package.name} {package.version}": package.digest for package in self._packages()}

    def _packages(self) -> list[Package]:
        found = _each_file_once(installed_packages(self.packages, self.exclude))
        return [*found, standard_library()] if self.stdlib else found

    def _tasks(self, package: Package) -> Iterator[dict[str, Any]]:
        """Yield what workers have to do for one package, in pieces unless it stops at a number of documents."""
        files = [file for file in package.files if file.kind in self.kinds]
        if self.max_per_package is None:
            pieces = list(_pieces(sorted(files, key=lambda file: file.path)))
        else:
            pieces = [sorted(files, key=_drawn)]
        for piece in pieces:
            yield {
                "package": package.name,
                "version": package.version,
                "root": str(package.root),
                "files": [[file.path, file.kind, file.digest] for file in piece],
                "min_characters": self.min_characters,
                "limit": self.max_per_package,
            }

    def _last_id(self, outputs: list[str]) -> str | None:
        """Return the greatest id that is taken; ids are hashes, so their order is a draw."""
        if self.max_documents is None or not outputs:
            return None
        ids = pl.scan_parquet(outputs).select("id").collect()["id"]
        return str(ids.sort()[self.max_documents - 1]) if len(ids) > self.max_documents else None


def _each_file_once(packages: list[Package]) -> list[Package]:
    """Return the packages, a file that several of them brought (`google/__init__.py`) with the first of them alone."""
    seen: set[tuple[str, str]] = set()
    found = []
    for package in packages:
        own = tuple(file for file in package.files if (file.path, file.digest) not in seen)
        seen.update((file.path, file.digest) for file in own)
        found.append(dataclasses.replace(package, files=own))
    return found


def _drawn(file: PackageFile) -> tuple[bool, str]:
    """Order files by chance, the same everywhere; a package's own description comes first."""
    return file.kind != "readme", hashlib.sha256(file.path.encode()).hexdigest()


def _pieces(files: list[PackageFile]) -> Iterator[list[PackageFile]]:
    piece: list[PackageFile] = []
    num_bytes = 0
    for file in files:
        if piece and num_bytes + file.num_bytes > TASK_BYTES:
            yield piece
            piece, num_bytes = [], 0
        piece.append(file)
        num_bytes += file.num_bytes
    if piece:
        yield piece
