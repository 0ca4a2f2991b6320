"""Digests of files, remembered so that planning does not read every source file again.

What is remembered is an index that can be deleted at any time. An entry counts only while path, size, both times and
inode are the same; a file that changed less than two seconds before it was read is not remembered, since a second
change could fall into the same tick of the file system's clock.
"""

from __future__ import annotations

import hashlib
import json
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import EnvironmentProblem
from workbench.files.atomic import write_json

CHUNK_BYTES = 1 << 20
SETTLING_NS = 2_000_000_000
Entry = list[int | str]  # size, mtime_ns, ctime_ns, inode, digest


def digest_file(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, hexadecimal. Raises `EnvironmentProblem` when it cannot be read."""
    digest = hashlib.sha256()
    with reading(path), path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a file that is missing, a folder or not allowed to be read into one clear line."""
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot be read: {error.strerror or error}", where=str(path), expected="a file that may be read"
        ) from error


class DigestCache:
    """Digest files, and remember the digests in `folder`.

    Call it with a path. New digests reach the index when the object goes away or `save` is called; several processes
    may share the folder, the worst they can do is to forget an entry.
    """

    def __init__(self, folder: Path) -> None:
        self._index = folder / "digests.json"
        self._known = _read_index(self._index)
        self._new: dict[str, Entry] = {}
        self._finalizer = weakref.finalize(self, _save, self._index, self._new)

    def __call__(self, path: Path) -> str:
        """Return the digest of the file at `path`, from the index when the file is as it was."""
        with reading(path):
            name, before = str(path.resolve()), _state(path)
        known = self._known.get(name)
        if known is not None and known[:-1] == before:
            return str(known[-1])
        digest = digest_file(path)
        with reading(path):
            after = _state(path)
        if before == after and _is_settled(after):
            self._known[name] = self._new[name] = [*after, digest]
        return digest

    def save(self) -> None:
        """Write what is new to the index."""
        _save(self._index, self._new)


def _state(path: Path) -> list[int | str]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _is_settled(state: list[int | str]) -> bool:
    return time.time_ns() - max(int(state[1]), int(state[2])) >= SETTLING_NS


def _save(index: Path, new: dict[str, Entry]) -> None:
    """Write what is new to the index; where that cannot be done, the files are read again next time."""
    if new:
        with suppress(OSError, EnvironmentProblem):
            write_json(index, {**_read_index(index), **new}, indent=None)
        new.clear()


def _read_index(index: Path) -> dict[str, Entry]:
    """Return the index; one that is missing or damaged is empty, since it only saves time."""
    try:
        content = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: entry for name, entry in content.items() if isinstance(entry, list) and len(entry) == 5}  # noqa: PLR2004  # see Entry
