r"""The one way files from outside are read: sniffed, capped, checked to their end, a bounded piece at a time.

`open_input` gives bytes and raises at damage; `read_lines` gives lines and hands damage on as bad records, after all
the good lines before it. A line ends in `\n` alone, as JSON Lines wants it: U+2028 or `\x0c` inside a record end
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from workbench.errors import DataError
from workbench.files.bad_record import HEAD_BYTES, BadRecord
from workbench.files.containers import SNIFF_BYTES, Damage, container_of, expand, refuse_stump
from workbench.files.digest import reading

MAX_EXPANDED = 1 << 40  # 1 TiB out of one file
MAX_RATIO = 400  # text compresses 3 to 30 times, logs 200; a bomb 1,000 (gzip) to 32,000 times (zstd)
RATIO_COUNTS_FROM = 1 << 28  # 256 MiB: below it a ratio says little and costs nothing
LARGEST_PIECE = 4 << 20
MAX_LINE_BYTES = 16 << 20
MAX_WHOLE_BYTES = 64 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class DamagedInput(DataError):
    """Raise where the container of an input is damaged; `reason` is the slug that counts are made over."""

    def __init__(self, damage: Damage, path: Path) -> None:
        self.reason = damage.reason
        super().__init__(damage.detail, where=str(path), advice="get the file again, or repair it")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        number: Counted from 1.
        offset: Where it begins in the expanded bytes.
        content: Its bytes without the line end.
    """

    number: int
    offset: int
    content: bytes


@dataclass
class Input:
    """An open file, expanded while it is read.

    Attributes:
        path: Where it lies.
        container: `plain`, `gzip`, `zstd`, `bzip2` or `xz`, told from its first bytes.
    """

    path: Path
    container: str
    _file: BinaryIO
    _max_bytes: int
    _max_ratio: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the expanded bytes in pieces, once. Raises `DamagedInput` after the last good piece."""
        expanded = 0
        try:
            with reading(self.path):
                for piece in expand(self._file, self.container):
                    expanded += len(piece)
                    self._check_size(expanded)
                    if len(piece) <= LARGEST_PIECE:
                        yield piece
                    else:  # what a bomb gives at once; whoever holds on to a piece, copies it or adds it to another
                        yield from (piece[at : at + LARGEST_PIECE] for at in range(0, len(piece), LARGEST_PIECE))
        except Damage as damage:
            raise DamagedInput(damage, self.path) from damage

    def _check_size(self, expanded: int) -> None:
        if self.container == "plain":
            return
        consumed = max(self._file.tell(), 1)
        if expanded > self._max_bytes:
            raise Damage("expands-too-much", f"more than {self._max_bytes:,} bytes come out of it")
        if expanded > RATIO_COUNTS_FROM and expanded > self._max_ratio * consumed:
            raise Damage(
                "expands-too-much",
                f"{consumed:,} bytes expand to more than {expanded:,}, over {self._max_ratio} times",
            )


@contextmanager
def open_input(path: Path, *, max_bytes: int = MAX_EXPANDED, max_ratio: int = MAX_RATIO) -> Iterator[Input]:
    """Open a file from outside and find out its container.

    Args:
        path: The file.
        max_bytes: How much may come out of a compressed file.
        max_ratio: How many times a compressed file may expand, counted from 256 MiB on.

    Raises:
        EnvironmentProblem: The file is missing, a folder, or not allowed to be read.
        DamagedInput: It is a kind of file that is no text (zip, Parquet, UTF-16, …).
    """
    with reading(path):
        file = path.open("rb")
    with file:
        try:
            with reading(path):
                head = file.read(SNIFF_BYTES)
                container = container_of(head)
                refuse_stump(head, path.suffix)
                file.seek(0)
        except Damage as damage:
            raise DamagedInput(damage, path) from damage
        yield Input(path, container, file, max_bytes, max_ratio)


def read_lines(path: Path, name: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Line | BadRecord]:
    """Yield the lines of a text file, blank ones too, and a bad record for what cannot be read.

    A line over `max_line_bytes` is a bad record and is never held in memory. A damaged container gives a fatal one
    after the lines before the damage; a line that the damage cuts is not given. Raises `EnvironmentProblem` when the
    file cannot be opened.
    """
    lines = _Lines(name, max_line_bytes)
    try:
        with open_input(path) as source:
            for piece in source.chunks():
                yield from lines.add(piece)
        yield from lines.finish()
    except DamagedInput as damage:
        yield BadRecord(
            name,
            f"line {lines.number}",
            damage.reason,
            f"{damage.what}; lines from {lines.number} on are lost",
            lines.head(),
            fatal=True,
        )


def read_whole(path: Path, name: str, *, max_bytes: int = MAX_WHOLE_BYTES) -> bytes | BadRecord:
    """Return the expanded bytes of a file, or a bad record when it is damaged or longer than `max_bytes`.

    Raises `EnvironmentProblem` when the file cannot be opened.
    """
    pieces: list[bytes] = []
    held = 0
    try:
        with open_input(path) as source:
            for piece in source.chunks():
                pieces.append(piece)
                held += len(piece)
                if held > max_bytes:
                    return BadRecord(
                        name, "byte 0", "file-too-long", f"more than {max_bytes:,} bytes", pieces[0][:HEAD_BYTES]
                    )
    except DamagedInput as damage:
        head = b"".join(pieces)[:HEAD_BYTES]
        return BadRecord(name, f"byte {held}", damage.reason, damage.what, head, fatal=True)
    return b"".join(pieces)


@dataclass
class _Lines:
    """Cuts pieces into lines; holds at most one line that is not finished."""

    name: str
    max_line_bytes: int
    number: int = 1
    offset: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _held: int = 0
    _skipped: _Skipped | None = None

    def add(self, piece: bytes) -> Iterator[Line | BadRecord]:
        first, *rest = piece.split(b"\n")
        self._hold(first)
        for following in rest:
            yield self._end(1)
            self._hold(following)

    def finish(self) -> Iterator[Line | BadRecord]:
        if self._held:
            yield self._end(0)

    def head(self) -> bytes:
        """Return the first bytes of the unfinished line."""
        return self._skipped.head if self._skipped else b"".join(self._parts)[:HEAD_BYTES]

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._skipped is None:
            self._parts.append(part)
            if self._held <= self.max_line_bytes:
                return
            self._skipped = _Skipped()
            part = b"".join(self._parts)
            self._parts = []
        self._skipped.add(part)

    def _end(self, line_end: int) -> Line | BadRecord:
        number, offset, length, skipped = self.number, self.offset, self._held, self._skipped
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self.number, self.offset = number + 1, offset + length + line_end
        self._parts, self._held, self._skipped = [], 0, None
        if skipped is not None:
            detail = f"{length:,} bytes, at most {self.max_line_bytes:,}"
            return BadRecord(
                self.name, f"line {number}", "line-too-long", detail, skipped.head, skipped.digest.hexdigest()
            )
        if number == 1:
            content = content.removeprefix(BYTE_ORDER_MARK)
        return Line(number, offset, content.removesuffix(b"\r"))


class _Skipped:
    """What is kept of a line that is too long: its head and its digest."""

    def __init__(self) -> None:
        self.head = b""
        self.digest = hashlib.sha256()

    def add(self, part: bytes) -> None:
        self.digest.update(part)
        if not self.head:
            self.head = part[:HEAD_BYTES]
