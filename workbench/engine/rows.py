"""A digest over the rows of a corpus that does not depend on how the Parquet files were written.

Two runs with different releases of a Parquet library give other bytes but the same rows; this is how that is told
from a real difference. It is taken of every shard by whoever writes it, while the rows are in memory: for each column
the values, their lengths and which are missing are hashed as they lie there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import polars as pl

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import read_shard


def rows_digest(corpus: Corpus) -> str:
    """Return SHA-256 over part, columns and values of every kept document, in order.

    Empty shards do not count. Where the others end counts: it follows from the settings and the input alone.
    """
    shards = [shard for shard in corpus.shards if shard.rows]
    whole = [[shard.part, shard.digest or shard_digest(read_shard(shard.path))] for shard in shards]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def shard_digest(frame: pl.DataFrame) -> str:
    """Return SHA-256 over the names and values of all columns, whatever their order."""
    streams = {
        (column.name, kind): hashlib.sha256(content).hexdigest()
        for column in frame.get_columns()
        for kind, content in _streams(column)
    }
    return hashlib.sha256(json.dumps(sorted([*key, digest] for key, digest in streams.items())).encode()).hexdigest()


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
        if isinstance(dtype, pl.Categorical | pl.Enum):
            column, dtype = column.cast(pl.String), pl.String()
        if dtype != pl.String:
            values = [json.dumps(value, ensure_ascii=False, sort_keys=True, default=str) for value in column.to_list()]
            column = pl.Series(column.name, values, dtype=pl.String)
        filled = column.fill_null("").rechunk()
        yield "length", filled.str.len_bytes().cast(pl.Int64).to_numpy().data
        array = filled.to_arrow()
        _, offsets, content = array.buffers()
        places = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
        yield "text", memoryview(content)[places[0] : places[-1]] if content else memoryview(b"")
