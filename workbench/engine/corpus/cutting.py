"""Cutting spans of bytes out of documents, in Arrow memory: the one way in which comparing documents changes a text."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from workbench.errors import PluginError

MARK, CONTINUATION = 0xC0, 0x80  # the bits of a UTF-8 byte that is not the first of its character


def cut_spans(batch: pl.DataFrame, spans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the documents without their spans, and the spans that were cut.

    Args:
        batch: Documents.
        spans: `id, reason, start, end`, every id one of `batch`; bytes of the UTF-8 text, `end` not included. Spans of
            a document that overlap become one, with the reason of the first of them; such as touch stay apart.

    Raises:
        PluginError: When a span is empty, reaches beyond its text or parts a character; it names the first such span.
    """
    if spans.is_empty():
        return batch, spans
    numbered = spans.join(batch.select("id").with_row_index("row"), on="id").sort("row", "start", "end", "reason")
    offsets, content = _buffers(batch["text"])
    rows = numbered["row"].to_numpy()
    starts, ends = numbered["start"].to_numpy(), numbered["end"].to_numpy()
    _check(numbered, offsets, content)
    starts, ends = starts + offsets[rows], ends + offsets[rows]
    reached = np.maximum.accumulate(ends)
    first = np.ones(len(rows), dtype=bool)
    first[1:] = starts[1:] >= reached[:-1]
    merged_starts = starts[first]
    merged_ends = np.maximum.reduceat(ends, np.flatnonzero(first))
    steps = np.zeros(len(content) + 1, dtype=np.int8)
    np.add.at(steps, merged_starts, 1)
    np.subtract.at(steps, merged_ends, 1)
    keep = np.cumsum(steps[:-1], dtype=np.int8) == 0
    removed = np.bincount(rows[first], weights=merged_ends - merged_starts, minlength=batch.height).astype(np.int64)
    lengths = np.diff(offsets) - removed
    text = _series(np.concatenate(([0], np.cumsum(lengths))), content[keep])
    opening = numbered.filter(pl.Series(first, dtype=pl.Boolean))
    joined = opening.with_columns(pl.Series("end", merged_ends - offsets[rows[first]]))
    return batch.with_columns(text.alias("text")), joined.drop("row")


def _check(spans: pl.DataFrame, offsets: np.ndarray, content: np.ndarray) -> None:
    rows, starts, ends = (spans[name].to_numpy() for name in ("row", "start", "end"))
    lengths = np.diff(offsets)[rows]
    _refuse(spans, lengths, starts >= ends, "is empty", "start below end")
    _refuse(spans, lengths, (starts < 0) | (ends > lengths), "reaches beyond the text", "bytes of the UTF-8 text")
    for place in (starts, ends):
        inside = place < lengths
        parts = np.zeros(len(place), dtype=bool)
        parts[inside] = (content[(offsets[rows] + place)[inside]] & MARK) == CONTINUATION
        _refuse(spans, lengths, parts, "parts a character", "spans that start and end between characters")


def _refuse(spans: pl.DataFrame, lengths: np.ndarray, faulty: np.ndarray, fault: str, expected: str) -> None:
    if not faulty.any():
        return
    place = int(np.argmax(faulty))
    span = spans.row(place, named=True)
    more = f" (and {int(faulty.sum()) - 1} more)" if faulty.sum() > 1 else ""
    raise PluginError(
        f"the span {span['start']} to {span['end']} of document {span['id']} ({lengths[place]} bytes) {fault}{more}",
        expected=expected,
    )


def _buffers(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return where each text starts, one place more than there are texts, and the UTF-8 of them all."""
    array = texts.rechunk().to_arrow()
    _, places, content = array.buffers()
    if content is None or len(array) == 0:
        return np.zeros(len(array) + 1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(places, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    return offsets - offsets[0], np.frombuffer(content, dtype=np.uint8)[offsets[0] : offsets[-1]]


def _series(offsets: np.ndarray, content: np.ndarray) -> pl.Series:
    places = pa.py_buffer(offsets.astype(np.int64))
    array = pa.LargeStringArray.from_buffers(len(offsets) - 1, places, pa.py_buffer(content))
    return pl.Series(array)
