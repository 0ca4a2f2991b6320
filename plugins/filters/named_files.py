"""Files and folders that a filter's settings name: where they lie, what they hold, what the result depends on.

Paths start from the folder of the pipeline. Files of entries are read with the care of any input: containers found by
their first bytes, capped, checked to their end.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench.api import BadRecord, EnvironmentProblem, StepError, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Entry(NamedTuple):
    """One line of a file of entries: the file's number among those named, the line's number, its text."""

    file: int
    line: int
    text: str


def path_of(base: Path, name: str) -> Path:
    """Return where `name` lies; raises `EnvironmentProblem` when nothing does."""
    path = base / Path(name).expanduser()
    if not path.exists():
        raise EnvironmentProblem(f"nothing at {name!r}", expected=f"a file or folder; relative paths start from {base}")
    return path


def digests_of(base: Path, names: Iterable[str], digest: Callable[[Path], str]) -> dict[str, str]:
    """Return name → digest of every file named, and of every file below every folder named."""
    found: dict[str, str] = {}
    for name in names:
        path = path_of(base, name)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            found |= {f"{name}/{file.relative_to(path).as_posix()}": digest(file) for file in files}
        else:
            found[name] = digest(path)
    return found


def lay_down(files: Iterable[Path], target: Path, *, may_link: bool) -> None:
    """Put files into the new folder `target`; without a copy where the disk can and they never change (`may_link`)."""
    target.mkdir(parents=True)
    for file in files:
        try:
            if may_link:
                os.link(file, target / file.name)
                continue
        except OSError:  # another disk, or one without links
            pass
        shutil.copyfile(file, target / file.name)


def read_entries(base: Path, names: Iterable[str]) -> Iterator[Entry]:
    """Yield the lines of the files that hold something, without white space at their ends; `#` starts a comment.

    Raises `StepError` for what is no UTF-8 and for a damaged file, `EnvironmentProblem` for one that is not there.
    """
    for number, name in enumerate(names):
        for line in read_lines(path_of(base, name), name):
            if isinstance(line, BadRecord):
                raise StepError(f"{line.reason}: {line.detail}", where=f"{name}, {line.place}")
            try:
                text = line.content.decode("utf-8-sig" if line.number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise StepError(
                    f"byte {error.start + 1} of the line is no UTF-8",
                    where=f"{name}, line {line.number}",
                    expected="one entry a line, in UTF-8",
                ) from error
            if text and not text.startswith("#"):
                yield Entry(number, line.number, text)
