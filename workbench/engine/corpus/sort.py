"""Documents in another order: by length, id, a column, a key of meta, or at random."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.fields import field_names, random_number, sort_values
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.writing import SHARD_BYTES, SHARD_DOCUMENTS, finish_corpus, shard_name, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

SAMPLES = 65_536  # keys from which the borders of shards are chosen, and
SAMPLES_PER_SHARD = 64  # at least these for each: a shard then holds 1 ± 1/8 of its share
RANGE = 2**64
BYTES, COUNT, KEY, POSITION, NUMBER = "bytes_", "count_", "key_", "position_", "number_"
SHUFFLE = "random"


class Sort(CoreStep):
    """Put the documents of a corpus, or of each of its parts, in order.

    `by` is `length` (characters), `id`, `random`, or the name of a column or of a key of meta. Numbers are compared as
    numbers, dates as dates, text by its code points. The order is stable: documents that are equal keep the order they
    came in. Those without a value stand last, whichever the direction. `random` shuffles by the seed and the ids alone,
    however the documents lay before.

    An external sort: the borders of the new shards follow from a sample of the keys, drawn by hashes of the ids;
    documents are dealt out to their shard on disk, and each is sorted by itself. Memory holds a shard of each worker
    and the sample (64 keys for each shard, 65,536 at least), whatever the size of the corpus.
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"

    by: str = Field(min_length=1, description="length, id, random, or a column or meta key")
    descending: bool = Field(False, description="from the greatest to the least")

    def run(self, ctx: Context) -> None:
        """Sample the keys, choose borders, deal the documents out, sort every shard."""
        corpus: Corpus = ctx.inputs["corpus"]
        parts = result_parts(corpus)
        tasks = self._tasks(ctx, corpus)
        self._check_kinds(ctx, corpus, map_shards(ctx, survey_shard, self, tasks))
        gathered: list[Task] = []
        for part in parts or (None,):
            own = [task for task in tasks if task["part"] == part]
            gathered += self._deal(ctx, own, part)
        finish_corpus(ctx, map_shards(ctx, gather_shard, self, gathered), parts, corpus.columns)

    def _tasks(self, ctx: Context, corpus: Corpus) -> list[Task]:
        """Return one task for each shard, with the place of its first document and how much is sampled."""
        count = 1 + corpus.num_rows // SHARD_DOCUMENTS
        limit = RANGE - 1
        if corpus.num_rows:
            limit = min(limit, max(SAMPLES, SAMPLES_PER_SHARD * count) * RANGE // corpus.num_rows)
        tasks, first = [], 0
        for number, (task, shard) in enumerate(zip(shard_tasks(corpus, ctx), corpus.shards, strict=True)):
            folder = str(ctx.scratch / f"{number:05}")
            tasks.append({**task, "first": first, "limit": limit, "folder": folder, "seed": ctx.seed})
            first += shard.rows
        return tasks

    def _check_kinds(self, ctx: Context, corpus: Corpus, surveys: list[Task]) -> None:
        kinds = sorted({survey["kind"] for survey in surveys if survey["kind"] != "Null"})
        if surveys and corpus.num_rows and not kinds:
            names = ["length", "id", SHUFFLE, *field_names(read_shard(corpus.shards[0].path))]
            raise StepError(f"no document has {self.by!r}", where=f"{ctx.step}.by", expected=", ".join(names))
        if len(kinds) > 1:
            raise StepError(
                f"the values of {self.by!r} are of several kinds: {', '.join(kinds)}",
                where=f"{ctx.step}.by",
                expected="numbers in every document, or text in every document",
            )

    def _deal(self, ctx: Context, tasks: list[Task], part: str | None) -> list[Task]:
        """Deal the documents of one part out; return a task for each of its new shards."""
        if not tasks:
            return []
        sample = pl.concat(
            [read_shard(Path(task["folder"]) / "sample.parquet") for task in tasks], how="vertical_relaxed"
        )
        ordered = self.ordered(sample)
        num_bytes = sum(read_shard(Path(task["folder"]) / "size.parquet")[BYTES].item() for task in tasks)
        rows = sum(read_shard(Path(task["folder"]) / "size.parquet")[COUNT].item() for task in tasks)
        count = max(1, -(-num_bytes // SHARD_BYTES), -(-rows // SHARD_DOCUMENTS))
        borders = Path(tasks[0]["folder"]) / "borders.parquet"
        write_shard(borders, _borders(ordered, min(count, max(1, ordered.height))))
        map_shards(ctx, deal_shard, self, [{**task, "borders": str(borders)} for task in tasks])
        folders = [task["folder"] for task in tasks]
        return [
            {"name": shard_name(part, index), "output": str(ctx.output), "index": index, "from": folders}
            for index in range(read_shard(borders).height + 1)
        ]

    def keys(self, batch: pl.DataFrame, first: int, seed: int) -> pl.DataFrame:
        """Return `key_, position_` of each document; `position_` is its place in the corpus, from `first`."""
        if self.by == "length":
            key = batch["text"].str.len_chars().cast(pl.Int64)
        elif self.by == SHUFFLE:
            key = pl.Series([random_number(seed, "sort", name) for name in batch["id"]], dtype=pl.UInt64)
        elif self.by == "id":
            key = batch["id"]
        else:
            key = sort_values(batch, self.by)
        return pl.DataFrame({KEY: key, POSITION: pl.Series(range(first, first + batch.height), dtype=pl.Int64)})

    def ordered(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows in the order of their keys; equal ones as they came, null last."""
        return frame.sort(KEY, POSITION, descending=[self.descending, False], nulls_last=True)


def survey_shard(component: Component, task: Task) -> Task:
    """Write the sampled keys of one shard and its size; return what kind of values its keys are."""
    assert isinstance(component, Sort)
    batch = read_shard(Path(task["shard"]))
    keys = component.keys(batch, task["first"], task["seed"])
    sizes = batch["text"].str.len_bytes().cast(pl.Int64)
    numbers = pl.Series([random_number(0, "sort-sample", name) for name in batch["id"]], dtype=pl.UInt64)
    is_sampled = numbers <= pl.Series([task["limit"]], dtype=pl.UInt64)
    folder = Path(task["folder"])
    write_shard(folder / "sample.parquet", keys.with_columns(sizes.alias(BYTES)).filter(is_sampled))
    write_shard(folder / "size.parquet", pl.DataFrame({BYTES: [int(sizes.sum())], COUNT: [batch.height]}))
    has_values = keys[KEY].null_count() < keys.height
    return {"kind": str(keys.schema[KEY]) if has_values else "Null"}


def _borders(sample: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the first key of every shard but the first, so that each has about the same bytes, or documents."""
    weight = pl.max_horizontal(pl.col(BYTES) * SHARD_DOCUMENTS, pl.lit(SHARD_BYTES))
    before = sample.select(weight.cum_sum() - weight).to_series()
    share = -(-int(sample.select(weight.sum()).item() or 1) // count)
    shard = before // share
    return sample.filter(shard > shard.shift(1, fill_value=0)).select(KEY, POSITION)


def deal_shard(component: Component, task: Task) -> Task:
    """Write the documents of one shard to a file for each new shard they belong to."""
    assert isinstance(component, Sort)
    batch = read_shard(Path(task["shard"]))
    keys = component.keys(batch, task["first"], task["seed"]).with_columns(border=pl.lit(value=False))
    borders = read_shard(Path(task["borders"])).with_columns(border=pl.lit(value=True))
    both = pl.concat([keys, borders], how="vertical_relaxed")
    order = [component.descending, False, True]  # a border stands before the document whose key it is
    placed = both.sort(KEY, POSITION, "border", descending=order, nulls_last=True)
    placed = placed.with_columns(pl.col("border").cast(pl.Int64).cum_sum().alias(NUMBER))
    placed = placed.filter(~pl.col("border")).sort(POSITION)
    frame = batch.with_columns(placed[NUMBER], placed[KEY], placed[POSITION])
    folder = Path(task["folder"])
    write_shard(folder / "none.parquet", frame.clear().drop(NUMBER))
    for index in frame[NUMBER].unique().sort().to_list():
        write_shard(folder / f"{index}.parquet", frame.filter(pl.col(NUMBER) == index).drop(NUMBER))
    return {}


def gather_shard(component: Component, task: Task) -> Task:
    """Write one new shard in order."""
    assert isinstance(component, Sort)
    files = [Path(folder) / f"{task['index']}.parquet" for folder in task["from"]]
    there = [file for file in files if file.exists()] or [Path(task["from"][0]) / "none.parquet"]
    batch = component.ordered(pl.concat([read_shard(file) for file in there], how="vertical_relaxed"))
    listed = write_part_shard(Path(task["output"]), task["name"], batch.drop(KEY, POSITION))
    return {**listed, "ledger": Ledger(read=batch.height, kept=batch.height).to_json()}
