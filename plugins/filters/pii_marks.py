"""From the compiled scan to spans: only marked lines become Python text, and the batch is put together from bytes.

Nothing that `pii` finds goes over the end of a line, but dates of birth in Chinese, and what announces it stands on the
same line or in the 40 characters before it. So a line with 64 characters before it gives the same spans as the whole
text, once those that begin in the characters before are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from workbench_plugins.filters.text_buffers import text_buffers

if TYPE_CHECKING:
    from collections.abc import Iterator

# Entity → its bit in marks. Identity numbers are looked for in whole texts.
BITS = {
    "phone": 1, "card": 2, "cn_id": 4, "ssn": 8, "email": 16, "ip": 32, "mac": 64, "iban": 128, "passport": 256,
    "url_credentials": 512, "wallet": 1024, "birth_date": 2048, "handle": 4096, "national_id": 8192,
}  # fmt: skip
PRIVATE_IP = 16384  # addresses of private networks are wanted too
FEWEST_MARKS, BYTES_A_MARK = 1024, 128


class Stretch(NamedTuple):
    """Marked lines of one document.

    Attributes:
        row: Which document of the batch.
        start: Byte of the batch where `text` begins.
        text: The lines with the characters before them.
        first: How many characters stand before them.
        entities: What the lines may hold, as bits of `BITS`.
    """

    row: int
    start: int
    text: str
    first: int
    entities: int


class Marked:
    """The text of a batch and its marked stretches; `replace` and `texts` write it anew."""

    def __init__(self, texts: pl.Series, wanted: int, *, narrow: bool, whole: np.ndarray | None = None) -> None:
        """Scan the texts for the wanted entities; `narrow` reads full-width signs as ASCII.

        With `whole` (the entities that each text may hold, as bits) texts are taken as one stretch, and not scanned.
        """
        self._texts = texts
        self._offsets, self._content = text_buffers(texts)
        self._edits: list[tuple[int, int, str]] = []
        if whole is None:
            self._marks = self._scanned(wanted, narrow=narrow)
        else:
            rows = np.flatnonzero(whole)
            starts, ends = self._offsets[rows], self._offsets[rows + 1]
            self._marks = np.column_stack([rows, starts, starts, ends, whole[rows]])

    def _scanned(self, wanted: int, *, narrow: bool) -> np.ndarray:
        from workbench_plugins.filters.pii_scan import COUNTS, NARROW, scan

        size = FEWEST_MARKS + self._content.size // BYTES_A_MARK
        while True:
            marks = np.zeros((size, 5), dtype=np.int64)
            number = scan(self._offsets, self._content, wanted, narrow, marks, COUNTS, NARROW)
            if number <= size:
                break
            size = number
        return marks[:number]

    @property
    def rows(self) -> np.ndarray:
        """Return the rows of the documents with marks, in order, each once."""
        return np.unique(self._marks[:, 0])

    def stretches(self) -> Iterator[Stretch]:
        """Yield the marked stretches in order."""
        content = memoryview(self._content.data)
        for row, context, start, end, entities in self._marks.tolist():
            first = len(str(content[context:start], "utf-8")) if start > context else 0
            yield Stretch(row, context, str(content[context:end], "utf-8"), first, entities)

    def replace(self, stretch: Stretch, start: int, end: int, instead: str) -> None:
        """Note what is written instead of the characters from `start` to `end` of a stretch; in order."""
        text = stretch.text
        if text.isascii():
            self._edits.append((stretch.start + start, stretch.start + end, instead))
        else:
            begin = stretch.start + len(text[:start].encode())
            self._edits.append((begin, begin + len(text[start:end].encode()), instead))

    def texts(self) -> pl.Series:
        """Return the texts with all edits; what was null stays null."""
        from workbench_plugins.filters.pii_splice import splice

        if not self._edits:
            return self._texts
        starts, ends, pieces = zip(*self._edits, strict=True)
        written = [piece.encode() for piece in pieces]
        bounds = np.zeros(len(written) + 1, dtype=np.int64)
        np.cumsum([len(piece) for piece in written], out=bounds[1:])
        places = np.array([starts, ends], dtype=np.int64)
        content = np.empty(
            int(self._offsets[-1] - self._offsets[0] + bounds[-1] - (places[1] - places[0]).sum()), dtype=np.uint8
        )
        offsets = np.empty_like(self._offsets)
        instead = np.frombuffer(b"".join(written), dtype=np.uint8)
        splice(self._offsets, self._content, places, bounds, instead, offsets, content)
        array = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(content))
        series = pl.Series(self._texts.name, array, dtype=pl.String)
        if self._texts.null_count():
            series = series.to_frame().select(pl.when(self._texts.is_not_null()).then(pl.first())).to_series()
        return series
