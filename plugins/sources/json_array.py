"""A JSON array of objects, cut into its items within a bound: what many small sets come as.

Only quotes, backslashes and brackets are looked at; what stands between two commas of the array is for the parser. An
item over the limit costs itself. A quote or bracket that nobody closes leaves no place to go on from: the rest is one
bad record, and the container counts as damaged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from workbench_plugins.sources.byte_stream import Passed

from workbench.api import BadRecord, DamagedInput, Line, open_input

MAX_ITEM_BYTES = 16 << 20
HEAD_BYTES = 256
_BLANK = b" \t\r\n"
_MARKS = re.compile(rb'["\\\[\]{},]')
_IN_STRING = re.compile(rb'["\\]')


def is_array(path: Path) -> bool:
    """Return whether the first sign of a file is `[`; a damaged file is left to who reads it."""
    try:
        with open_input(path) as source:
            for piece in source.chunks():
                text = piece.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
                if text:
                    return text[:1] == b"["
    except DamagedInput:
        return False
    return False


def read_items(path: Path, name: str) -> Iterator[Line | BadRecord]:
    """Yield the items of an array, `number` counted from 1, and damage behind all good items before it."""
    cutter = _Cutter(name)
    try:
        with open_input(path) as source:
            for piece in source.chunks():
                yield from cutter.add(piece)
        yield from cutter.finish()
    except DamagedInput as damage:
        detail = f"{damage.what}; items from {cutter.number} on are lost"
        yield BadRecord(name, cutter.place, damage.reason, detail, cutter.head, fatal=True)


class _Cutter:
    """Takes pieces of the file; holds at most one item."""

    def __init__(self, name: str) -> None:
        self.number = 1
        self._name = name
        self._depth = 0
        self._is_in_string = False
        self._skip = 0  # bytes behind a backslash that still lie in the next piece
        self._start = 0  # where the item begins in the file
        self._seen = 0
        self._held = bytearray()
        self._passed: _Long | None = None
        self._is_begun = False
        self._is_over = False

    @property
    def place(self) -> str:
        return f"item {self.number} (byte {self._start})"

    @property
    def head(self) -> bytes:
        return self._passed.head if self._passed else bytes(self._held[:HEAD_BYTES])

    def add(self, piece: bytes) -> Iterator[Line | BadRecord]:
        begin, at = 0, self._skip
        self._skip = 0
        while found := (_IN_STRING if self._is_in_string else _MARKS).search(piece, at):
            sign, at = found[0], found.end()
            if sign in b'"\\':
                at = self._quoted(sign, at, len(piece))
            elif self._ends_a_part(sign):
                if self._is_begun:
                    self._hold(piece[begin : found.start()])
                    yield from self._item()
                self._is_over = self._depth == 0 and sign == b"]"
                self._is_begun = True
                self._held.clear()
                self._start, begin = self._seen + at, at
        self._hold(piece[begin:])
        self._seen += len(piece)

    def _quoted(self, sign: bytes, at: int, length: int) -> int:
        """Take in a quote or a backslash; return where to go on, at most where the piece ends."""
        if sign == b'"':
            self._is_in_string = not self._is_in_string
        elif at < length:
            at += 1
        else:
            self._skip = 1
        return at

    def _ends_a_part(self, sign: bytes) -> bool:
        """Take in a bracket or comma; return whether it is the first bracket of the array, a comma in it, or its last."""
        if self._is_over:
            return False
        if sign in b"[{":
            self._depth += 1
            return self._depth == 1
        if sign in b"]}":
            self._depth -= 1
            return self._depth == 0
        return self._depth == 1

    def finish(self) -> Iterator[BadRecord]:
        if not self._is_over:
            detail = "the array ends before its closing bracket, or a quote or bracket is not closed"
            yield BadRecord(self._name, self.place, "truncated-json", detail, self.head, fatal=True)
        elif self._held.strip(_BLANK) or self._passed:
            detail = "content follows the end of the array"
            yield BadRecord(self._name, f"byte {self._start}", "trailing-garbage", detail, self.head, fatal=True)

    def _hold(self, part: bytes) -> None:
        if self._passed is None:
            self._held += part
            if len(self._held) <= MAX_ITEM_BYTES:
                return
            self._passed = _Long()
            part = bytes(self._held)
            self._held = bytearray()
        self._passed.add(part)

    def _item(self) -> Iterator[Line | BadRecord]:
        content, place = bytes(self._held).strip(_BLANK), self.place
        passed, number, start = self._passed, self.number, self._start
        self._held, self._passed = bytearray(), None
        if passed is not None:
            self.number += 1
            detail = f"{passed.length:,} bytes, at most {MAX_ITEM_BYTES:,}"
            yield passed.done().as_bad(self._name, place, "item-too-long", detail)
        elif content:  # nothing stands in an empty array, and behind a comma too many
            self.number += 1
            yield Line(number, start, content)


class _Long:
    """What is kept of an item that is too long."""

    def __init__(self) -> None:
        self.head = b""
        self.length = 0
        self._digest = hashlib.sha256()

    def add(self, part: bytes) -> None:
        self.head = self.head or part[:HEAD_BYTES]
        self.length += len(part)
        self._digest.update(part)

    def done(self) -> Passed:
        return Passed(self.length, self.head, self._digest.hexdigest())
