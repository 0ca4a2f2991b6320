"""A window over the expanded bytes of a file: look ahead, take, search, always within a bound.

Readers of formats without lines (WARC records, pages of an XML dump) are built on it. Nothing is ever held but what
was looked ahead at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.api import BadRecord

HEAD_BYTES = 256
COMPACT_BYTES = 1 << 20


@dataclass(frozen=True)
class Passed:
    """What is left of bytes that were passed over.

    Attributes:
        length: How many there were.
        head: The first of them.
        digest: SHA-256, hexadecimal.
    """

    length: int
    head: bytes
    digest: str

    def as_bad(self, name: str, place: str, reason: str, detail: str, *, fatal: bool = False) -> BadRecord:
        """Return the bad record that stands for these bytes."""
        return BadRecord(name, place, reason, detail, self.head, self.digest, fatal)


class ByteStream:
    """Bytes that come in pieces, seen as one.

    Args:
        pieces: The content in order; an error they raise comes through from every method that needs more.

    Attributes:
        offset: Where the next byte lies in the whole.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = bytearray()
        self._start = 0
        self._ended = False
        self.offset = 0

    def ahead(self, count: int) -> int:
        """Return how many bytes lie ahead: at least `count` of them, or all there are."""
        while len(self._buffer) - self._start < count and self._more():
            pass
        return len(self._buffer) - self._start

    def peek(self, count: int, after: int = 0) -> bytes:
        """Return the next `count` bytes, or all there are, without taking them."""
        self.ahead(after + count)
        begin = self._start + after
        with memoryview(self._buffer) as view:  # a slice of the buffer itself would be copied twice
            return bytes(view[begin : begin + count])

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, or all there are, and go on behind them."""
        taken = self.peek(count)
        self._advance(len(taken))
        return taken

    def find(self, marker: bytes, limit: int) -> int:
        """Return how far ahead `marker` begins, at most `limit` bytes ahead; -1 when it does not."""
        looked = 0
        while True:
            place = self._buffer.find(marker, self._start + looked, self._start + limit + len(marker))
            if place >= 0:
                return place - self._start
            looked = max(len(self._buffer) - self._start - len(marker) + 1, 0)
            if looked > limit or not self._more():
                return -1

    def pass_to(self, marker: bytes, start: int = 0) -> Passed:
        """Go on to the next `marker`, at least `start` bytes ahead, or to the end; bounded whatever the distance."""
        digest, head, length = hashlib.sha256(), b"", 0
        self.ahead(start + 1)
        looked = start
        while True:
            place = self._buffer.find(marker, self._start + looked)
            if place >= 0:
                step = place - self._start
            else:
                known = len(self._buffer) - self._start
                step = max(known - len(marker) + 1, 0)
            passed = self.take(step)
            digest.update(passed)
            head = head or passed[:HEAD_BYTES]
            length += step
            if place >= 0:
                break
            looked = max(looked - step, 0)
            if not self._more():
                rest = self.take(len(marker))
                digest.update(rest)
                head, length = head or rest, length + len(rest)
                break
        return Passed(length, head, digest.hexdigest())

    def _advance(self, count: int) -> None:
        self.offset += count
        self._start += count
        if self._start >= COMPACT_BYTES:
            del self._buffer[: self._start]
            self._start = 0

    def _more(self) -> bool:
        if self._ended:
            return False
        piece = next(self._pieces, None)
        if piece is None:
            self._ended = True
            return False
        self._buffer += piece
        return True
