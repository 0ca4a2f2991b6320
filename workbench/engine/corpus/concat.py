"""Several corpora, one after the other, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.writing import finish_corpus, shard_name, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

IDS_SHOWN = 3


class Concat(CoreStep):
    """Put corpora behind each other, in the order of the list, every document as it is.

    Inputs must have the same columns (see `fill`) and the same parts, or none; shards are numbered anew. An id that
    stands twice is an error: to look for it, 16 bytes for each document are held in memory.
    """

    kind: ClassVar[str] = "corpus"
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpora": Port("corpus", many=True, whole=True, about="in the order of the result")
    }
    output: ClassVar[str] = "corpus"

    fill: bool = Field(False, description="fill a column that an input lacks with null, rather than refuse it")

    def run(self, ctx: Context) -> None:
        """Check that the inputs go together, write their shards."""
        corpora: list[Corpus] = ctx.inputs["corpora"]
        parts = self._common_parts(ctx, corpora)
        columns, models = common_columns(ctx, corpora, fill=self.fill)
        check_ids(ctx, corpora)
        tasks: list[Task] = []
        numbers: dict[str | None, int] = {}
        for corpus in corpora:
            for task in shard_tasks(corpus, ctx):
                index = numbers.get(task["part"], 0)
                numbers[task["part"]] = index + 1
                tasks.append({**task, "name": shard_name(task["part"], index), "columns": list(models.items())})
        order = {part: place for place, part in enumerate(parts)}
        tasks.sort(key=lambda task: order.get(task["part"], 0))
        finish_corpus(ctx, map_shards(ctx, concat_shard, self, tasks), parts, columns)

    def _common_parts(self, ctx: Context, corpora: Sequence[Corpus]) -> tuple[str, ...]:
        parts = result_parts(corpora[0])
        for place, corpus in enumerate(corpora):
            if set(result_parts(corpus)) != set(parts):
                found, expected = (", ".join(names) or "none" for names in (result_parts(corpus), parts))
                raise StepError(
                    f"input {place} has the parts: {found}",
                    where=f"{ctx.step}.corpora",
                    expected=f"those of input 0: {expected}",
                    advice="choose one part of each (step.train), or give all of them the same parts",
                )
        return parts


def common_columns(ctx: Context, corpora: Sequence[Corpus], *, fill: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Return column → type name, and column → a shard that has it, of the inputs that have shards."""
    columns: dict[str, str] = {}
    models: dict[str, str] = {}
    listed = [(place, corpus) for place, corpus in enumerate(corpora) if corpus.shards]
    for place, corpus in listed:
        for name, kind in corpus.columns.items():
            if columns.setdefault(name, kind) != kind:
                raise StepError(
                    f"the column {name!r} of input {place} is {kind}",
                    where=f"{ctx.step}.corpora",
                    expected=f"{columns[name]}, as in an input before it",
                )
            models.setdefault(name, str(corpus.shards[0].path))
    for place, corpus in listed:
        missing = [name for name in columns if name not in corpus.columns]
        if missing and not fill:
            raise StepError(
                f"input {place} lacks the columns: {', '.join(missing)}",
                where=f"{ctx.step}.corpora",
                expected="the same columns in every input",
                advice="set fill: true to have null there",
            )
    return columns or corpora[0].columns, models


def check_ids(ctx: Context, corpora: Sequence[Corpus]) -> None:
    """Raise `StepError` when an id stands more than once, by hashes first, then by the ids that share one."""
    hashes = [batch["id"].hash() for corpus in corpora for batch in corpus.batches(["id"])]
    if not hashes:
        return
    every = pl.concat(hashes).sort()
    shared = every.filter(every == every.shift(1)).unique()
    if not shared.len():
        return
    found = []
    for place, corpus in enumerate(corpora):
        for batch in corpus.batches(["id"]):
            is_shared = batch["id"].hash().is_in(shared.implode())
            found.append(batch.filter(is_shared).with_columns(input=pl.lit(place, pl.Int64)))
    places = pl.concat(found).group_by("id").agg("input").filter(pl.col("input").list.len() > 1).sort("id")
    if places.height:
        shown = [
            f"{name!r} (inputs {', '.join(map(str, sorted(inputs)))})" for name, inputs in places[:IDS_SHOWN].rows()
        ]
        raise StepError(
            f"{places.height} ids stand more than once: {'; '.join(shown)}",
            where=f"{ctx.step}.corpora",
            expected="ids that are unique over all inputs; they are counted from 0",
            advice="leave out the input that holds the same documents, or remove its repeats before",
        )


def concat_shard(component: Component, task: Task) -> Task:
    """Write one shard with the common columns, in their common order."""
    del component
    batch = read_shard(Path(task["shard"]))
    kept = with_columns_of(batch, task["columns"])
    listed = write_part_shard(Path(task["output"]), task["name"], kept)
    return {**listed, "ledger": Ledger(read=batch.height, kept=batch.height).to_json()}


def with_columns_of(batch: pl.DataFrame, columns: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Return the documents with the columns of (name, a shard that has it), null where they had none."""
    missing = [
        pl.lit(None, read_shard(Path(model), [name]).schema[name]).alias(name)
        for name, model in columns
        if name not in batch.columns
    ]
    return batch.with_columns(missing).select([name for name, _ in columns])
