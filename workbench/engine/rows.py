"""A digest over the rows of a corpus that does not depend on how the Parquet files were written.

Two runs with different releases of a Parquet library give other bytes but the same rows; this is how that is told
from a real difference. It is taken of every result, so columns are hashed as they lie in memory: for each the values,
their lengths and which are missing, as three streams that run over all shards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import Shard, read_shard


def rows_digest(corpus: Corpus) -> str:
    """Return SHA-256 over part, columns and values of every kept document, in order; shard borders do not count."""
    streams: dict[tuple[str, str, str], hashlib._Hash] = {}
    for shard, frame in _read_ahead(corpus.shards):
        if frame.is_empty():
            continue
        part = pl.Series("", [shard.part], dtype=pl.String).new_from_index(0, frame.height)
        for place, column in (("part", part), *(("column", column) for column in frame.get_columns())):
            for kind, content in _streams(column):
                streams.setdefault((place, column.name, kind), hashlib.sha256()).update(content)
    whole = hashlib.sha256()
    for key, stream in sorted(streams.items()):
        whole.update(json.dumps([*key, stream.hexdigest()]).encode())
    return whole.hexdigest()


def _read_ahead(shards: Sequence[Shard]) -> Iterator[tuple[Shard, pl.DataFrame]]:
    """Yield each shard with its rows; the next one is read meanwhile."""
    with ThreadPoolExecutor(1, "workbench-read-ahead") as reader:
        following = None
        for shard, after in zip(shards, [*shards[1:], None], strict=True):
            frame = following.result() if following else read_shard(shard.path)
            following = reader.submit(read_shard, after.path) if after else None
            yield shard, frame


def _streams(column: pl.Series) -> Iterator[tuple[str, memoryview]]:
    """Yield kind → bytes of a column; integers of any width, and floats of any, are the same when their values are."""
    yield "missing", column.is_null().cast(pl.UInt8).to_numpy().data
    dtype = column.dtype
    if dtype.is_temporal():
        column, dtype = column.to_physical(), pl.Int64()
    if dtype.is_integer() or dtype == pl.Boolean:
        wide = pl.UInt64 if dtype == pl.UInt64 else pl.Int64
        yield "integer", column.cast(wide).fill_null(0).to_numpy().data
    elif dtype.is_float():
        yield "float", column.cast(pl.Float64).fill_null(0).to_numpy().data
    else:
        if dtype != pl.String:
            values = [json.dumps(value, ensure_ascii=False, sort_keys=True, default=str) for value in column.to_list()]
            column = pl.Series(column.name, values, dtype=pl.String)
        filled = column.fill_null("").rechunk()
        yield "length", filled.str.len_bytes().cast(pl.Int64).to_numpy().data
        array = filled.to_arrow()
        _, offsets, content = array.buffers()
        places = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
        yield "text", memoryview(content)[places[0] : places[-1]] if content else memoryview(b"")
