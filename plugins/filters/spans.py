"""Repeated spans: units and n-grams of documents with their hashes, and which of them stand elsewhere before.

All filters that cut repeats out share `repeats`: among equal hashes the first by id and place stays. Sketches are
sorted by hash, so that a range of hashes is read from disk without the rest: memory holds a part of `PART_ROWS` spans
at a time whatever the size of the corpus, and what is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_ROWS = 1 << 21
UNITS = {"line": 0, "paragraph": 1, "sentence": 2}
SKETCH = {"id": pl.String, "start": pl.Int64, "end": pl.Int64, "hash": pl.UInt64}


def units_of(texts: pl.Series, unit: str, *, loose: bool) -> pl.DataFrame:
    """Return `row, start, end` (bytes), `hash` and `length` (characters that count) of all lines, paragraphs, sentences.

    Loose means: letters and digits alone count, without case and width, every digit as 0. Otherwise all characters
    count, runs of white space as one space.
    """
    from workbench_plugins.filters.minhash_kernel import CLASSES
    from workbench_plugins.filters.spans_kernel import count_units, find_units

    places, content = text_buffers(texts)
    number = count_units(places, content, UNITS[unit])
    columns = {name: np.empty(number, dtype=np.int64) for name in ("row", "start", "end")}
    columns |= {"hash": np.empty(number, dtype=np.uint64), "length": np.empty(number, dtype=np.int64)}
    find_units(places, content, UNITS[unit], loose, CLASSES, *columns.values())
    return pl.DataFrame(columns)


def joined(units: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return every `size` units in a row of one document as one span, their hashes combined in order."""
    if size == 1 or units.height < size:
        return units if size == 1 else units.clear()
    number = units.height - size + 1
    hashes, lengths = np.zeros(number, dtype=np.uint64), np.zeros(number, dtype=np.int64)
    for place in range(size):
        hashes = (hashes ^ units["hash"].to_numpy()[place : place + number]) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
        lengths += units["length"].to_numpy()[place : place + number]
    last = units[size - 1 :]
    spans = units[:number].with_columns(
        last["end"], last["row"].alias("last"), pl.Series("hash", hashes), pl.Series("length", lengths)
    )
    return spans.filter(pl.col("row") == pl.col("last")).drop("last")


class Words(NamedTuple):
    """The words of a batch: index of the first word of each document (and one more), bytes, hashes, if a character."""

    firsts: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    hashes: np.ndarray
    singles: np.ndarray


def words_of(texts: pl.Series) -> Words:
    """Return the words of the texts, by Unicode, without case and width; characters in scripts without spaces."""
    from workbench_plugins.filters.minhash_kernel import CLASSES
    from workbench_plugins.filters.spans_kernel import count_words, find_words

    places, content = text_buffers(texts)
    number = count_words(places, content, CLASSES)
    words = Words(
        np.empty(len(texts) + 1, dtype=np.int64),
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.uint64),
        np.empty(number, dtype=np.bool_),
    )
    find_words(places, content, CLASSES, *words)
    return words


def windows_of(words: Words, size: int, characters: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each word how many words the n-gram from it on has (0: too few are left), and its hash.

    An n-gram is `size` words, or `characters` words of one character, or a mixture in proportion.
    """
    from workbench_plugins.filters.spans_kernel import find_windows

    hashes = np.zeros(words.hashes.size, dtype=np.uint64)
    return find_windows(words.firsts, words.hashes, words.singles, size, characters, hashes), hashes


def parts_of(sketches: pl.LazyFrame, column: str = "hash") -> Iterator[pl.DataFrame]:
    """Yield the sketches by ranges of a hash, each of about `PART_ROWS` rows, in order of the ranges."""
    number = sketches.select(pl.len()).collect(engine="streaming").item()
    parts = max(1, -(-number // PART_ROWS))
    edges = [part * (1 << 64) // parts for part in range(1, parts)]
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        part = sketches
        if low is not None:
            part = part.filter(pl.col(column) >= pl.lit(low, pl.UInt64))
        if high is not None:
            part = part.filter(pl.col(column) < pl.lit(high, pl.UInt64))
        yield part.collect(engine="streaming")


def repeats(sketches: pl.LazyFrame, min_occurrences: int = 2) -> pl.DataFrame:
    """Return `id, start, end, duplicate_of` of the spans whose hash stands `min_occurrences` times or more, less one.

    The one that stays is the first by id and start. A span that overlaps the one that stays is no repeat of it.
    """
    found = []
    for part in parts_of(sketches):
        often = part.filter(pl.col("hash").is_duplicated()).sort("hash", "id", "start")
        first = {name: pl.col(name).first().over("hash") for name in ("id", "end")}
        repeated = often.with_columns(
            pl.len().over("hash").alias("times"), duplicate_of=first["id"], first_end=first["end"]
        ).filter(
            (pl.col("times") >= min_occurrences)
            & ((pl.col("id") != pl.col("duplicate_of")) | (pl.col("start") >= pl.col("first_end")))
        )
        found.append(repeated.select("id", "start", "end", "duplicate_of"))
    return pl.concat(found)


def merged(spans: pl.DataFrame) -> pl.DataFrame:
    """Return the spans with those of a document that overlap or touch as one, named after the first of them."""
    spans = spans.sort("id", "start", "end", "duplicate_of")
    reached = pl.col("end").cum_max().shift(1).over("id")
    opens = (pl.col("start") > reached).fill_null(value=True)
    return (
        spans.with_columns(run=opens.cum_sum())
        .group_by("run", maintain_order=True)
        .agg(pl.col("id").first(), pl.col("start").min(), pl.col("end").max(), pl.col("duplicate_of").first())
        .drop("run")
    )
