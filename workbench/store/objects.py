"""The store: immutable results, found by fingerprint.

    objects/ab/<fingerprint>/{manifest.json, data/…}   a result; here it is whole or not at all
    tmp/<owner>-<n>/                                   results being made; an owner that died leaves them to be swept
    partial/<fingerprint>/                             what a step keeps over a kill (checkpoints)
    locks/                                             one lock for each fingerprint, no global one
    damaged/<fingerprint>-<time>/                      objects that were not what their manifest says
    seen/<fingerprint>                                 marks of the files when their digests were last right

`seen` is derived and may be deleted: it lets `has` tell an untouched object from a changed one without reading it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from workbench.artifacts import ARTIFACTS, Artifact
from workbench.errors import DamagedObject
from workbench.files.atomic import commit_folder, disk_errors, write_json
from workbench.store.damage import (
    DATA,
    MANIFEST,
    Fault,
    Manifest,
    Marks,
    check_digests,
    check_sizes,
    describe_files,
    read_manifest,
    seal,
)
from workbench.store.locks import Locks

SETTLING_NS = 20_000_000  # two changes nearer than this may carry the same time


@dataclass(frozen=True)
class Damage:
    """One object that is not what its manifest says."""

    fingerprint: str
    problem: str


class Store:
    """The results below one folder (`.workbench`)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self.locks = Locks(self.root / "locks")
        self._owner = ""
        self._num_staged = 0
        self._verified: dict[str, str] = {}  # fingerprint -> marks for which this process has seen the digests right

    def folder(self, fingerprint: str) -> Path:
        """Return where the object lies, or would lie."""
        return self.root / "objects" / fingerprint[:2] / fingerprint

    def has(self, fingerprint: str) -> bool:
        """Return whether the object is there and whole, reading its content only when a file has changed."""
        if not self.folder(fingerprint).exists():
            return False
        return self.fault(fingerprint) == ""

    def fault(self, fingerprint: str) -> str:
        """Return what is wrong with an object, cheaply; empty when it is as it was when last verified."""
        try:
            manifest, marks = self._look(fingerprint)
            if not self._is_seen(fingerprint, marks):
                check_digests(self.folder(fingerprint), manifest)
                self._remember(fingerprint, marks)
        except Fault as fault:
            self._distrust(fingerprint)
            return str(fault)
        return ""

    def data(self, fingerprint: str) -> Path:
        """Return the data folder; its content is verified the first time this process asks, and after any change.

        Raises `DamagedObject` when it is missing or damaged; a damaged object has been set aside by then, so that
        `has` says no and the step can run again.
        """
        try:
            manifest, marks = self._look(fingerprint)
            if self._verified.get(fingerprint) != marks.digest:
                check_digests(self.folder(fingerprint), manifest)
                self._remember(fingerprint, marks)
                self._verified[fingerprint] = marks.digest
        except Fault as fault:
            self._distrust(fingerprint)
            raise _damaged(fingerprint, str(fault), self.set_aside(fingerprint)) from fault
        return self.folder(fingerprint) / DATA

    def manifest(self, fingerprint: str) -> Manifest:
        """Return the manifest. Raises `DamagedObject` when it is missing or damaged."""
        try:
            return read_manifest(self.folder(fingerprint), fingerprint)
        except Fault as fault:
            raise _damaged(fingerprint, str(fault), None) from fault

    def artifact(self, fingerprint: str, part: str | None = None, step: str = "") -> Artifact:
        """Return the verified object as the artifact it is."""
        data = self.data(fingerprint)
        kind = ARTIFACTS.get(self.manifest(fingerprint)["type"], Artifact)
        return kind(data, fingerprint, part, step)

    def objects(self) -> Iterator[str]:
        """Yield the fingerprint of every object, whole or damaged, sorted."""
        for folder in sorted((self.root / "objects").glob("*/*")):
            yield folder.name

    def verify(self) -> list[Damage]:
        """Read every object whole and return those that are damaged, each set aside."""
        damaged = []
        for fingerprint in list(self.objects()):
            self._verified.pop(fingerprint, None)
            try:
                self.data(fingerprint)
            except DamagedObject as error:
                damaged.append(Damage(fingerprint, error.what))
        return damaged

    @contextmanager
    def staging(self, fingerprint: str) -> Iterator[Path]:
        """Give an empty folder with an empty `data/` to fill; what is not committed is deleted."""
        del fingerprint  # the place is the process's own: two that make the same object never share it
        folder = self._own_folder()
        try:
            with disk_errors(folder):
                (folder / DATA).mkdir(parents=True)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give an empty folder that is deleted afterwards."""
        folder = self._own_folder()
        try:
            with disk_errors(folder):
                folder.mkdir(parents=True)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def partial(self, fingerprint: str) -> Path:
        """Return the folder that outlives a kill, made when it is missing."""
        folder = self.root / "partial" / fingerprint
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def keeping(self, fingerprint: str) -> Iterator[Path]:
        """Give the partial folder; afterwards it stays only if something was left in it."""
        folder = self.partial(fingerprint)
        try:
            yield folder
        finally:
            with suppress(OSError):  # not empty, or gone with the commit
                folder.rmdir()

    def commit(self, fingerprint: str, staging: Path, manifest: Mapping[str, Any]) -> Manifest:
        """Give a staged folder its final name and return its whole manifest.

        The caller holds the lock of the fingerprint. A damaged object of the same name is set aside first.

        Args:
            fingerprint: The object's name.
            staging: A folder from `staging`, its `data/` filled.
            manifest: `type`, `component`, `key`, `parts` and what else is to be said; files are described here.
        """
        whole = seal({**manifest, "fingerprint": fingerprint, "files": describe_files(staging / DATA)})
        with disk_errors(staging):
            write_json(staging / MANIFEST, whole)
            for name in whole["files"]:
                (staging / DATA / name).chmod(0o444)
            if os.path.lexists(self.folder(fingerprint)):
                self._move_aside(fingerprint)
        commit_folder(staging, self.folder(fingerprint), last=MANIFEST)
        shutil.rmtree(self.root / "partial" / fingerprint, ignore_errors=True)
        with suppress(Fault):  # changed by somebody already: the next look says so
            _, marks = self._look(fingerprint)
            self._verified[fingerprint] = marks.digest
            self._remember(fingerprint, marks)
        return whole

    def lock(
        self,
        fingerprint: str,
        *,
        waiting: Callable[[], None] = lambda: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> AbstractContextManager[None]:
        """Return a context that holds the object's lock, see `Locks.held`."""
        return self.locks.held(fingerprint, waiting=waiting, is_cancelled=is_cancelled)

    def set_aside(self, fingerprint: str) -> Path | None:
        """Move a damaged object to `damaged/` and return where it went.

        Returns None when it is whole, gone, or being made again by another process.
        """
        with self.locks.attempt(fingerprint) as held:
            if not held or not self.folder(fingerprint).exists():
                return None
            try:
                manifest, _ = self._look(fingerprint)
                check_digests(self.folder(fingerprint), manifest)
            except Fault:
                return self._move_aside(fingerprint)
            return None

    def abandoned(self) -> list[Path]:
        """Return the folders in `tmp/` whose owner is dead."""
        folders = sorted((self.root / "tmp").glob("*"))
        return [folder for folder in folders if not self.locks.is_held(_lock_name(folder.name))]

    def sweep(self) -> None:
        """Delete what dead processes left in `tmp/`, and the locks of these processes and runs."""
        for folder in self.abandoned():
            shutil.rmtree(folder, ignore_errors=True)
        for pattern in ("owner-*.lock", "run-*.lock"):
            for lock in (self.root / "locks").glob(pattern):
                self.locks.discard(lock.stem)

    def _look(self, fingerprint: str) -> tuple[Manifest, Marks]:
        folder = self.folder(fingerprint)
        if not folder.exists():
            raise Fault("it is not in the store")
        manifest = read_manifest(folder, fingerprint)
        return manifest, check_sizes(folder, manifest)

    def _is_seen(self, fingerprint: str, marks: Marks) -> bool:
        if self._verified.get(fingerprint) == marks.digest:
            return True
        path = self.root / "seen" / fingerprint
        try:
            settled = path.stat().st_mtime_ns - marks.newest_ns >= SETTLING_NS
            return settled and path.read_text("utf-8") == marks.digest
        except (OSError, ValueError):
            return False

    def _remember(self, fingerprint: str, marks: Marks) -> None:
        """Write the marks down; where that cannot be done, the object is read again next time."""
        path = self.root / "seen" / fingerprint
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(marks.digest, "utf-8")

    def _distrust(self, fingerprint: str) -> None:
        """Forget that the object was once right, so that the next look reads it whole."""
        self._verified.pop(fingerprint, None)
        with suppress(OSError):
            (self.root / "seen" / fingerprint).unlink(missing_ok=True)

    def _move_aside(self, fingerprint: str) -> Path | None:
        self._distrust(fingerprint)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        target = self.root / "damaged" / f"{fingerprint}-{stamp}"
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.folder(fingerprint).rename(target)
            except FileNotFoundError:
                return None
        return target

    def _own_folder(self) -> Path:
        if not self._owner:
            self._owner = f"{os.getpid()}-{uuid4().hex[:12]}"
            self.locks.keep(_lock_name(self._owner))
        self._num_staged += 1
        return self.root / "tmp" / f"{self._owner}-{self._num_staged}"


def _damaged(fingerprint: str, problem: str, moved: Path | None) -> DamagedObject:
    return DamagedObject(
        problem,
        where=f"object {fingerprint[:12]}",
        expected="the content its manifest names",
        advice="run the pipeline again" + (f"; the damaged one was moved to {moved}" if moved else ""),
    )


def _lock_name(staged: str) -> str:
    """Return the name of the lock that the owner of a folder in `tmp/` holds while it lives."""
    return "owner-" + "-".join(staged.split("-")[:2])
