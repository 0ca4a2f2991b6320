"""Clean and measure a store, in names a person knows: the steps and runs that an object belongs to.

Kept is what a recorded run refers to (delete runs to let go of their results), what is locked because it is being
made, and partial results younger than a week. All else goes: objects no run knows, what dead processes left in `tmp/`,
objects that were set aside as damaged, and the derived marks of objects that are gone.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DamagedObject
from workbench.store.objects import Store
from workbench.store.runs import RunRecord, Runs

PARTIAL_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Leftover:
    """One thing that nothing refers to.

    Attributes:
        kind: `object`, `partial`, `tmp`, `damaged` or `mark`.
        name: The component that made it, or its file name.
        fingerprint: Of the object; empty for what has none.
        size_bytes: What it takes.
        path: Where it lies.
    """

    kind: str
    name: str
    fingerprint: str
    size_bytes: int
    path: Path


@dataclass(frozen=True)
class Use:
    """What one thing in the store takes, and whose it is.

    Attributes:
        kind: As in `Leftover`, or `run` for the record of a run.
        name: `pipeline:step` of the newest run that has it, the component where no run has it, or a run's id.
        fingerprint: Of the object; empty for what has none.
        size_bytes: What it takes.
        runs: How many recorded runs refer to it.
    """

    kind: str
    name: str
    fingerprint: str
    size_bytes: int
    runs: int


def find_leftovers(store: Store, runs: Runs) -> list[Leftover]:
    """Return what no run refers to and nobody is working on, the largest first."""
    known = _references(runs)
    found = [*_objects(store, known), *_partials(store), *_staged(store), *_damaged(store), *_marks(store)]
    return sorted(found, key=lambda item: (-item.size_bytes, item.kind, str(item.path)))


def collect(store: Store, runs: Runs) -> list[Leftover]:
    """Delete what `find_leftovers` finds and return what is gone. An object in use by now is left alone."""
    gone = []
    for item in find_leftovers(store, runs):
        with store.locks.attempt(item.fingerprint or "collecting") as held:
            if not held:
                continue
            _delete(item.path)
            _delete(store.root / "seen" / item.path.name)
            if item.kind == "object":  # whoever waits for this lock sees that it is gone and takes a new one
                _delete(store.locks.path(item.fingerprint))
            gone.append(item)
    return gone


def measure(store: Store, runs: Runs) -> list[Use]:
    """Return what takes space, the largest first."""
    known = _references(runs)
    uses = []
    for fingerprint in store.objects():
        names = known.get(fingerprint, [])
        name = names[-1] if names else _component(store, fingerprint)
        uses.append(Use("object", name, fingerprint, _size(store.folder(fingerprint)), len(names)))
    others = [*_partials(store, max_age=0), *_staged(store), *_damaged(store)]
    uses += [Use(item.kind, item.name, item.fingerprint, item.size_bytes, 0) for item in others]
    uses += [Use("run", run.id, "", _size(run.folder), 1) for run in runs.all()]
    return sorted(uses, key=lambda use: (-use.size_bytes, use.kind, use.name))


def _references(runs: Runs) -> dict[str, list[str]]:
    """Return fingerprint → `pipeline:step` of every run that refers to it, oldest first."""
    known: dict[str, list[str]] = {}
    for run in runs.all():
        for fingerprint, name in _named(run):
            known.setdefault(fingerprint, []).append(name)
    return known


def _named(run: RunRecord) -> Iterator[tuple[str, str]]:
    for step in run.steps:
        yield step.fingerprint, f"{run.name}:{step.name}"
        if step.signals is not None:
            yield step.signals, f"{run.name}:{step.name} (signals)"


def _objects(store: Store, known: Mapping[str, object]) -> Iterator[Leftover]:
    for fingerprint in store.objects():
        if fingerprint not in known and not store.locks.is_held(fingerprint):
            folder = store.folder(fingerprint)
            yield Leftover("object", _component(store, fingerprint), fingerprint, _size(folder), folder)


def _partials(store: Store, max_age: float = PARTIAL_SECONDS) -> Iterator[Leftover]:
    for folder in _children(store, "partial"):
        fingerprint = folder.name
        if time.time() - _newest(folder) >= max_age and not store.locks.is_held(fingerprint):
            yield Leftover("partial", fingerprint[:12], fingerprint, _size(folder), folder)


def _staged(store: Store) -> Iterator[Leftover]:
    for folder in store.abandoned():
        yield Leftover("tmp", folder.name, "", _size(folder), folder)


def _damaged(store: Store) -> Iterator[Leftover]:
    for folder in _children(store, "damaged"):
        yield Leftover("damaged", folder.name[:12], "", _size(folder), folder)


def _marks(store: Store) -> Iterator[Leftover]:
    for file in _children(store, "seen"):
        if not store.folder(file.name).exists():
            yield Leftover("mark", file.name[:12], file.name, _size(file), file)


def _component(store: Store, fingerprint: str) -> str:
    """Return the component that made an object, or its short fingerprint when its manifest is damaged."""
    try:
        return str(store.manifest(fingerprint)["component"])
    except DamagedObject:
        return fingerprint[:12]


def _children(store: Store, folder: str) -> list[Path]:
    return sorted((store.root / folder).glob("*"))


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if not file.is_dir()]
    return sum(file.lstat().st_size for file in files)


def _newest(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in [folder, *folder.rglob("*")])


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
