"""Reading: run a source, and write what it gives as a corpus.

Whatever frames a source gives, the shards are the same: they are cut by the documents alone. Memory is bounded by one
shard and one frame of the source; even the check that no id stands twice keeps 8 bytes a document, on disk.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from workbench.artifacts.corpus import QUARANTINE, read_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.contracts.records import DOCUMENT, TURNED_AWAY, BadRecord
from workbench.contracts.source import FileSource, Source
from workbench.engine.corpus.writing import SHARD_BYTES, SHARD_DOCUMENTS, CorpusWriter, Listed, write_part_shard
from workbench.errors import PluginError
from workbench.files.quarantine import Limits, Quarantine
from workbench.files.text import safe_line

EMPTY = "empty"
IDS_AT_A_TIME = 1 << 22  # 32 MiB of id hashes are compared at once


def run(source: Source, ctx: Context) -> None:
    """Read `source` and fill `ctx.output` with its corpus.

    Raises:
        DataError: More records are bad than the source's limits allow.
        PluginError: The source gives something that is no frame of documents, or an id twice.
    """
    quarantine = Quarantine(ctx.output / "quarantine", QUARANTINE, _limits(source), ctx.step)
    intake = _Intake(ctx)
    for item in source.read(ctx):
        if isinstance(item, BadRecord):
            quarantine.add(item)
        else:
            intake.add(item)
            ctx.progress(intake.num_documents + quarantine.total)
    intake.finish()
    num_read = intake.num_documents + quarantine.total
    quarantine.finish(num_read)
    if not num_read:
        ctx.log(f"{ctx.step} read nothing: its files hold no records")
    ledger = Ledger(read=num_read, kept=intake.num_kept, rejected=intake.rejected, quarantined=quarantine.total)
    if intake.rejected:
        ledger.by_filter[ctx.component_id] = Counter(intake.rejected)
    intake.writer.finish(ledger, intake.shards, columns=intake.column_types(), where=ctx.step)
    ctx.progress(num_read, num_read)


def _limits(source: Source) -> Limits:
    """Return the limits of a source that reads files; the others say themselves what is too much."""
    if isinstance(source, FileSource):
        has_encoding = "encoding" in type(source).model_fields
        return Limits(source.max_bad, source.max_bad_share, source.allow_damaged, has_encoding=has_encoding)
    return Limits()


class _Intake:
    """Takes frames of any size, checks them and cuts them into shards."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.writer = CorpusWriter(ctx.output)
        self.shards: list[Listed] = []
        self.num_documents = 0
        self.num_kept = 0
        self.rejected: Counter[str] = Counter()
        self._schema: dict[str, pl.DataType] = {}
        self._waiting: list[pl.DataFrame] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._untyped: set[str] = set()  # shards in which a column holds nothing but nulls
        self._ids = _Ids(ctx.scratch / "ids.bin")

    def add(self, frame: object) -> None:
        """Take one frame in; write the shards that are full."""
        if not isinstance(frame, pl.DataFrame):
            raise self._fault(f"it gives {type(frame).__name__}, not a polars.DataFrame or a BadRecord")
        own_reason = frame[TURNED_AWAY] if TURNED_AWAY in frame.columns else pl.lit(None)
        documents = frame.drop(TURNED_AWAY, strict=False)
        self._check(documents)
        if documents.is_empty():
            return
        self.num_documents += documents.height
        reason = own_reason.cast(pl.String).alias(TURNED_AWAY)
        self._wait(documents.select(*self._schema, reason).cast({"text": pl.String}))
        while self._waiting_rows > SHARD_DOCUMENTS or (self._waiting_bytes > SHARD_BYTES and self._waiting_rows > 1):
            self._cut()

    def finish(self) -> None:
        """Write what is left, and prove that no id stands twice."""
        while self._waiting_rows:
            self._cut()
        for place, shard in enumerate(self.shards):
            if shard["name"] in self._untyped:
                kept = read_shard(self.ctx.output / "shards" / shard["name"]).cast(pl.Schema(self._settled()))
                kept = kept.with_columns(pl.lit(None, pl.String).alias(TURNED_AWAY))
                self.shards[place] = self._write(shard["name"], kept)  # of another type, so of another digest
        twice = self._ids.find_twice(self.ctx.output / "shards", self.shards)
        if twice:
            raise self._fault(f"the id {safe_line(twice, 60)!r} stands twice")

    def column_types(self) -> dict[str, str] | None:
        """Return column name → type name; None when there was nothing."""
        return {name: str(dtype) for name, dtype in self._settled().items()} if self._schema else None

    def _settled(self) -> dict[str, pl.DataType]:
        return {name: pl.String() if dtype == pl.Null else dtype for name, dtype in self._schema.items()}

    def _wait(self, frame: pl.DataFrame) -> None:
        self._waiting.append(frame)
        self._waiting_rows += frame.height
        self._waiting_bytes += int(frame["text"].str.len_bytes().sum())

    def _cut(self) -> None:
        """Write the longest beginning of what waits that is no more than a shard, and at least one document."""
        frame = pl.concat(self._waiting, how="vertical_relaxed", rechunk=True)
        lengths = frame["text"].str.len_bytes().fill_null(0).cum_sum()
        fitting = int((lengths <= SHARD_BYTES).sum())
        rows = min(max(fitting, 1), SHARD_DOCUMENTS)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        if rows < frame.height:
            self._wait(frame[rows:])
        shard = frame[:rows]
        name = f"{len(self.shards):05}.parquet"
        shard = shard.with_columns(self._reason())
        if any(dtype == pl.Null for dtype in shard.dtypes):
            self._untyped.add(name)
        self._ids.add(shard["id"])
        self.shards.append(self._write(name, shard))
        self.num_kept += self.shards[-1]["rows"]
        self.rejected.update(shard[TURNED_AWAY].drop_nulls().to_list())

    def _reason(self) -> pl.Expr:
        """Return the source's own reason, or `empty` where there is no text."""
        is_empty = pl.col("text").str.len_bytes().fill_null(0) == 0
        return pl.coalesce(TURNED_AWAY, pl.when(is_empty).then(pl.lit(EMPTY)))

    def _write(self, name: str, documents: pl.DataFrame) -> Listed:
        is_kept = pl.col(TURNED_AWAY).is_null()
        kept = documents.filter(is_kept).drop(TURNED_AWAY)
        return write_part_shard(self.ctx.output, name, kept, self._rejected(documents.filter(~is_kept)))

    def _rejected(self, documents: pl.DataFrame) -> pl.DataFrame:
        reasons = documents[TURNED_AWAY]
        listed = {reason: json.dumps([f"{self.ctx.component_id}: {reason}"]) for reason in reasons.unique()}
        return documents.with_columns(
            pl.lit(self.ctx.component_id).alias("filter"),
            reasons.alias("reason"),
            reasons.replace_strict(listed, return_dtype=pl.String).alias("reasons"),
            pl.lit("{}").alias("signals"),
        )

    def _check(self, frame: pl.DataFrame) -> None:
        for name, dtype in DOCUMENT.items():
            if name not in frame.columns:
                raise self._fault(f"a frame has no column {name!r}")
            if frame.schema[name] != dtype and not (name == "text" and frame.schema[name] == pl.Null):
                raise self._fault(f"the column {name!r} is {frame.schema[name]}, not {dtype}")
            if name != "text" and frame[name].null_count():
                raise self._fault(f"the column {name!r} holds nulls")
        self._check_same_columns(frame)

    def _check_same_columns(self, frame: pl.DataFrame) -> None:
        """Hold every frame to the columns of the first; a column of nulls takes its type from the first value."""
        if not self._schema:
            extra = {name: dtype for name, dtype in frame.schema.items() if name not in DOCUMENT}
            self._schema = {**dict.fromkeys(DOCUMENT, pl.String()), **extra}
        if set(frame.columns) != set(self._schema):
            differing = ", ".join(sorted(set(frame.columns) ^ set(self._schema)))
            raise self._fault(f"its frames have different columns: {safe_line(differing, 120)}")
        for name, dtype in frame.schema.items():
            if name in DOCUMENT:
                continue
            if self._schema[name] == pl.Null:
                self._schema[name] = dtype
            elif dtype not in (self._schema[name], pl.Null):
                raise self._fault(f"the column {safe_line(name)!r} is {self._schema[name]} first and {dtype} later")

    def _fault(self, what: str) -> PluginError:
        return PluginError(
            what,
            where=f"{self.ctx.step} ({self.ctx.component_id})",
            expected="frames with the text columns id, text, source, meta, an id once, and the same further columns",
        )


class _Ids:
    """Finds ids that stand twice among any number of them, in bounded memory: hashes on disk, then the ids behind."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def add(self, ids: pl.Series) -> None:
        with self._path.open("ab") as file:
            file.write(ids.hash().to_numpy().astype("<u8").tobytes())

    def find_twice(self, folder: Path, shards: list[Listed]) -> str | None:
        """Return an id that stands twice in the shards, or None."""
        suspects = pl.Series(list(self._equal_hashes()), dtype=pl.UInt64)
        if suspects.is_empty():
            return None
        seen: set[str] = set()
        for shard in shards:
            ids = read_shard(folder / shard["name"], ["id"])["id"]
            for found in ids.filter(ids.hash().is_in(suspects)):
                if found in seen:
                    return str(found)
                seen.add(found)
        return None

    def _equal_hashes(self) -> Iterator[int]:
        if not self._path.stat().st_size:
            return
        hashes = np.memmap(self._path, dtype="<u8", mode="r")
        num_groups = -(-len(hashes) // IDS_AT_A_TIME)
        for group in range(num_groups):
            ordered = np.sort(
                np.concatenate([block[block % num_groups == group] for block in _blocks(hashes, IDS_AT_A_TIME)])
            )
            yield from map(int, np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))


def _blocks(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[start : start + size] for start in range(0, len(values), size))
