"""The one way files get their final names: written beside, flushed to disk, then renamed.

A reader sees the old content or the new, never a part. This survives the death of the process; it does not promise
anything about a loss of power beyond what `fsync` of the file system gives.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from workbench.errors import EnvironmentProblem


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` under `path`, whole or not at all. Raises `EnvironmentProblem` when the disk is full."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write text as UTF-8, see `write_bytes`."""
    write_bytes(path, content.encode())


def write_json(path: Path, value: Any, *, indent: int | None = 1) -> None:
    """Write JSON with sorted keys and a final newline, see `write_bytes`."""
    write_text(path, json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent) + "\n")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on leaving without an error it is flushed and takes the final name."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    with disk_errors(path), _naming(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            flush_file(temporary)
            temporary.replace(path)
            flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _naming(path: Path, temporary: Path) -> Iterator[None]:
    """Let an error at the temporary file, or at a folder above it, name the file that was asked for."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)) in (temporary, *path.parents):
            if isinstance(error, FileExistsError):  # a file stands where the folder should be made
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from error
            error.filename, error.filename2 = str(path), None
        raise


def commit_folder(staging: Path, final: Path, *, last: str) -> None:
    """Give a finished folder its final name. `last` names the file inside that marks it whole (the manifest).

    Everything else is flushed first, then `last`, then the rename. An existing `final` is left as it is.
    """
    with disk_errors(final):
        for path in sorted(staging.rglob("*")):
            if path.is_dir():
                flush_folder(path)
            elif path != staging / last:
                flush_file(path)
        flush_file(staging / last)
        flush_folder(staging)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            staging.rename(final)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            shutil.rmtree(staging)
        flush_folder(final.parent)


def flush_file(path: Path) -> None:
    """Ask the system to put the file's content on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Ask the system to put the folder's names on disk; where folders cannot be opened, do nothing."""
    try:
        flush_file(path)
    except (PermissionError, IsADirectoryError):
        return


def is_disk_full(error: BaseException) -> bool:
    """Return whether the system refused to write for want of space, or beyond what the user may take."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission at `path` into one clear line."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise EnvironmentProblem(
                "the disk is full", where=str(path), advice="free some space, run again"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise EnvironmentProblem("not allowed to write here", where=str(path), advice="choose --store") from error
        raise
