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
from workbench.engine.corpus.fields import random_number
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.writing import finish_corpus, write_part_shard

if TYPE_CHECKING:
    from typing import Self

    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

REASON = "not-sampled"
NAME = "sample"


class Sample(CoreStep):
    """Keep a random share, or an exact number, of the documents, in their order and parts.

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

    @model_validator(mode="after")
    def _names_one_size(self) -> Self:
        if (self.documents is None) == (self.share is None):
            raise ValueError("give either documents or share")
        return self

    def run(self, ctx: Context) -> None:
        """Number the documents, find where to cut, write the shards."""
        corpus: Corpus = ctx.inputs["corpus"]
        tasks = [{**task, "seed": ctx.seed} for task in shard_tasks(corpus, ctx)]
        if self.documents is not None:
            if self.documents > corpus.num_rows:
                ctx.log(f"there are only {corpus.num_rows} documents, fewer than the {self.documents} asked for")
            number, last = self._cut(ctx, tasks, self.documents)
            tasks = [{**task, "number": number, "last": last} for task in tasks]
        results = map_shards(ctx, sample_shard, self, tasks)
        finish_corpus(ctx, results, result_parts(corpus), corpus.columns)

    def _cut(self, ctx: Context, tasks: list[Task], wanted: int) -> tuple[int, str]:
        """Return the number and id of the last document that belongs to the sample."""
        numbered = [{**task, "numbers": str(ctx.scratch / "numbers" / task["name"])} for task in tasks]
        map_shards(ctx, number_shard, self, numbered)
        smallest = pl.DataFrame(schema={"number": pl.UInt64, "id": pl.String})
        for task in numbered:
            smallest = pl.concat([smallest, read_shard(Path(task["numbers"]))]).sort("number", "id").head(wanted)
        return (smallest["number"][-1], smallest["id"][-1]) if smallest.height else (0, "")


def _numbers(batch: pl.DataFrame, seed: int) -> pl.Series:
    return pl.Series("number", [random_number(seed, NAME, name) for name in batch["id"]], dtype=pl.UInt64)


def number_shard(component: Component, task: Task) -> Task:
    """Write the number of each document of one shard that could belong to the sample."""
    assert isinstance(component, Sample)
    batch = read_shard(Path(task["shard"]), ["id"])
    frame = batch.select(_numbers(batch, task["seed"]), "id").sort("number", "id")
    write_shard(Path(task["numbers"]), frame.head(component.documents or 0))
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
        cut = pl.Series([task["number"]], dtype=pl.UInt64)
        is_sampled = (number < cut) | ((number == cut) & (batch["id"] <= task["last"]))
    kept, others = batch.filter(is_sampled), batch.filter(~is_sampled)
    rejected = others.select(
        "id", "source", filter=pl.lit(NAME), reason=pl.lit(REASON), reasons=pl.lit(f'["{NAME}: {REASON}"]')
    )
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    reasons = Counter({REASON: others.height})
    ledger = Ledger(read=batch.height, kept=kept.height, rejected=reasons, by_filter={NAME: reasons})
    return {**listed, "ledger": ledger.to_json()}
