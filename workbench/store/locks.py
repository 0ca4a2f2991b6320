"""Locks between processes, one for each name, held by the operating system.

When a holder dies, however it dies, the system frees its lock at once; no lock outlives its process and none is
broken by age. Lock files are empty and stay: removing one that somebody waits on would split the waiters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from workbench.errors import Interrupted
from workbench.files.atomic import disk_errors

POLL_SECONDS = 0.1


class Locks:
    """The locks of one folder. The same thread may take a lock it holds again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, FileLock] = {}

    def path(self, name: str) -> Path:
        """Return the file behind the lock `name`."""
        return self._folder / f"{name}.lock"

    @contextmanager
    def held(
        self,
        name: str,
        *,
        waiting: Callable[[], None] = lambda: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[None]:
        """Hold the lock `name`; when somebody else holds it, call `waiting` once, then wait.

        Raises `Interrupted` when `is_cancelled` says so while waiting.
        """
        lock = self._lock(name)
        if not _acquired(lock):
            waiting()
            try:
                lock.acquire(poll_interval=POLL_SECONDS, cancel_check=is_cancelled)
            except Timeout as error:
                raise Interrupted("stopped while waiting for another process") from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def attempt(self, name: str) -> Iterator[bool]:
        """Hold the lock `name` if nobody else does; gives whether it is held."""
        lock = self._lock(name)
        if not _acquired(lock):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def is_held(self, name: str) -> bool:
        """Return whether some process, this one among them, holds the lock `name`."""
        lock = self._locks.get(name)
        if lock is not None and lock.is_locked:
            return True
        if not self.path(name).exists():
            return False
        with self.attempt(name) as is_free:
            return not is_free

    def discard(self, name: str) -> None:
        """Delete the file of a lock that nobody holds; held meanwhile, so that whoever wants it takes a new file."""
        if self.is_held(name):
            return
        with self.attempt(name) as is_free:
            if is_free:
                self.path(name).unlink(missing_ok=True)

    def keep(self, name: str) -> None:
        """Take a lock for this whole process, until `drop` or until the process ends."""
        lock = self._new(name, thread_local=False)
        with disk_errors(self.path(name)):
            lock.acquire()
        self._locks[name] = lock

    def drop(self, name: str) -> None:
        """Give back a lock taken by `keep` whose name will never be used again, and delete its file."""
        self.path(name).unlink(missing_ok=True)
        self._locks.pop(name).release()

    def _lock(self, name: str) -> FileLock:
        if name not in self._locks:
            self._locks[name] = self._new(name, thread_local=True)
        return self._locks[name]

    def _new(self, name: str, *, thread_local: bool) -> FileLock:
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path(name), thread_local=thread_local, fallback_to_soft=False)


def _acquired(lock: FileLock) -> bool:
    with disk_errors(Path(lock.lock_file)):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
    return True
