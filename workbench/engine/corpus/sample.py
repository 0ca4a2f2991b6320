"""A random share or number of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from pydantic import model_validator

from workbench.artifacts.corpus import Corpus, read_shard, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.fields import field_names, field_values, random_number
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.writing import finish_corpus, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from typing import Self

    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

REASON = "not-sampled"
NAME = "sample"


class Sample(CoreStep):
    """Keep a random share, or an exact number, of the documents, in their order and parts.

    With `per`, at most that number of documents of each value of a column or meta key (of each domain, say); those
    without a value count as one.

    Every document has a number that follows from the seed and its id; the smallest are kept. So a larger sample
    holds the smaller one, and adding documents moves few. The rest is counted as `not-sampled`, and listed in the
    rejects by id and source alone: it was not judged, and its text stands in the input.
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"

    documents: int | None = Field(None, ge=1, description="exact number, or all when there are fewer")
    share: float | None = Field(None, gt=0, le=1, description="share of all documents, on average")
    per: str | None = Field(None, description="column or meta key; the number is of documents for each of its values")

    @model_validator(mode="after")
    def _names_one_size(self) -> Self:
        if (self.documents is None) == (self.share is None):
            raise ValueError("give either documents or share")
        if self.per is not None and self.documents is None:
            raise ValueError("per needs documents; a share of each value is a share of all")
        return self

    def run(self, ctx: Context) -> None:
        """Number the documents, find where to cut, write the shards."""
        corpus: Corpus = ctx.inputs["corpus"]
        tasks = [{**task, "seed": ctx.seed} for task in shard_tasks(corpus, ctx)]
        if self.documents is not None:
            if self.documents > corpus.num_rows and self.per is None:
                ctx.log(f"there are only {corpus.num_rows} documents, fewer than the {self.documents} asked for")
            cuts = ctx.scratch / "cuts.parquet"
            write_shard(cuts, self._cuts(ctx, corpus, tasks, self.documents))
            tasks = [{**task, "cuts": str(cuts)} for task in tasks]
        results = map_shards(ctx, sample_shard, self, tasks)
        finish_corpus(ctx, results, result_parts(corpus), corpus.columns)

    def _cuts(self, ctx: Context, corpus: Corpus, tasks: list[Task], wanted: int) -> pl.DataFrame:
        """Return `group, cut, last`: number and id of the last document of each group that belongs to the sample."""
        numbered = [{**task, "numbers": str(ctx.scratch / "numbers" / task["name"])} for task in tasks]
        map_shards(ctx, number_shard, self, numbered)
        smallest = pl.DataFrame(schema={"group": pl.String, "number": pl.UInt64, "id": pl.String})
        for task in numbered:
            more = pl.concat([smallest, read_shard(Path(task["numbers"]))]).sort("number", "id")
            smallest = more.group_by("group", maintain_order=True).head(wanted)
        if self.per is not None and smallest.height and smallest["group"].null_count() == smallest.height:
            names = ", ".join(field_names(read_shard(corpus.shards[0].path)))
            raise StepError(f"no document has {self.per!r}", where=f"{ctx.step}.per", expected=f"one of: {names}")
        last = smallest.sort("number", "id").group_by("group", maintain_order=True).last()
        return last.select("group", pl.col("number").alias("cut"), pl.col("id").alias("last")).sort("group")

    def groups(self, batch: pl.DataFrame) -> pl.Series:
        """Return the value of `per` of each document, null without one."""
        values = [None] * batch.height if self.per is None else field_values(batch, self.per)
        return pl.Series("group", values, dtype=pl.String)


def _numbers(batch: pl.DataFrame, seed: int) -> pl.Series:
    return pl.Series("number", [random_number(seed, NAME, name) for name in batch["id"]], dtype=pl.UInt64)


def number_shard(component: Component, task: Task) -> Task:
    """Write the number of each document of one shard that could belong to the sample."""
    assert isinstance(component, Sample)
    batch = read_shard(Path(task["shard"]), ["id"] if component.per is None else None)
    frame = batch.select(component.groups(batch), _numbers(batch, task["seed"]), "id").sort("number", "id")
    smallest = frame.group_by("group", maintain_order=True).head(component.documents or 0)
    write_shard(Path(task["numbers"]), smallest.select("group", "number", "id"))
    return {"name": task["name"]}


def sample_shard(component: Component, task: Task) -> Task:
    """Write the sampled documents of one shard, and the ids of the others."""
    assert isinstance(component, Sample)
    batch = read_shard(Path(task["shard"]))
    number = _numbers(batch, task["seed"])
    if component.share is not None:
        limit = int(component.share * 2**64)
        is_sampled = number <= pl.Series([min(limit, 2**64 - 1)], dtype=pl.UInt64)
    else:
        placed = batch.select("id", component.groups(batch), number)
        placed = placed.join(read_shard(Path(task["cuts"])), on="group", nulls_equal=True, maintain_order="left")
        is_before = pl.col("number") < pl.col("cut")
        is_last = (pl.col("number") == pl.col("cut")) & (pl.col("id") <= pl.col("last"))
        is_sampled = placed.select(is_before | is_last).to_series()
    kept, others = batch.filter(is_sampled), batch.filter(~is_sampled)
    rejected = others.select(
        "id", "source", filter=pl.lit(NAME), reason=pl.lit(REASON), reasons=pl.lit(f'["{NAME}: {REASON}"]')
    )
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    reasons = Counter({REASON: others.height})
    ledger = Ledger(read=batch.height, kept=kept.height, rejected=reasons, by_filter={NAME: reasons})
    return {**listed, "ledger": ledger.to_json()}
