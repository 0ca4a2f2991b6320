"""Train, valid and test parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from pydantic import model_validator

from workbench.artifacts.corpus import Corpus, read_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.fields import field_names, field_values, random_number
from workbench.engine.corpus.mapping import map_shards, shard_tasks
from workbench.engine.corpus.writing import CorpusWriter, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from typing import Self

    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

RANGE = 2**64


class Split(CoreStep):
    """Deal the documents out into `train`, `valid` and perhaps `test`.

    Where a document goes follows from the seed and its id (or its group) alone: adding documents moves none, and a
    larger share only takes documents from `train`. So the shares hold on average, not to the document; with 1,000
    documents and `valid: 0.1`, expect 100 ± 19.
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", about="documents in one piece, or one part")}
    output: ClassVar[str] = "corpus"

    valid: float = Field(0.01, ge=0, le=1, description="share of documents for validation")
    test: float = Field(0.0, ge=0, le=1, description="share of documents for the final test")
    by: str | None = Field(None, description="column or meta key; documents with the same value stay together")

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid {self.valid:g} and test {self.test:g} leave nothing for train")
        return self

    def parts(self, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return `train`, `valid`, and `test` when it has a share."""
        del inputs
        return tuple(part for part, share in (("train", 1), ("valid", 1), ("test", self.test)) if share)

    def run(self, ctx: Context) -> None:
        """Write every shard once for each part."""
        corpus: Corpus = ctx.inputs["corpus"]
        parts = self.parts({})
        tasks = [{**task, "seed": ctx.seed} for task in shard_tasks(corpus, ctx)]
        results = map_shards(ctx, split_shard, self, tasks)
        read = sum(result["read"] for result in results)
        self._check_groups(ctx, corpus, read, sum(result["grouped"] for result in results))
        listed = [result["parts"][part] for part in parts for result in results]
        for part in parts:
            if read and not any(shard["rows"] for shard in listed if shard["part"] == part):
                ctx.log(f"the part {part} got none of {read} documents; give it a larger share")
        columns = None if results else corpus.columns
        CorpusWriter(ctx.output).finish(Ledger(read=read, kept=read), listed, parts, columns, ctx.step)

    def _check_groups(self, ctx: Context, corpus: Corpus, read: int, grouped: int) -> None:
        if self.by is not None and read and not grouped:
            names = field_names(read_shard(corpus.shards[0].path))
            raise StepError(
                f"no document has {self.by!r}", where=f"{ctx.step}.by", expected=f"one of: {', '.join(names)}"
            )


def split_shard(component: Component, task: Task) -> Task:
    """Write the documents of one shard into one shard for each part."""
    assert isinstance(component, Split)
    batch = read_shard(Path(task["shard"]))
    groups = field_values(batch, component.by) if component.by else [None] * batch.height
    keys = [
        f"id {name}" if group is None else f"group {group}" for name, group in zip(batch["id"], groups, strict=True)
    ]
    numbers = pl.Series([random_number(task["seed"], "split", key) for key in keys], dtype=pl.UInt64)
    dealt = _dealt(component, numbers)
    listed: dict[str, Any] = {}
    for part in component.parts({}):
        kept = batch.filter(dealt == part)
        listed[part] = write_part_shard(Path(task["output"]), f"{part}-{task['name']}", kept)
    return {"read": batch.height, "grouped": sum(group is not None for group in groups), "parts": listed}


def _dealt(component: Split, numbers: pl.Series) -> pl.Series:
    """Return the part of each document: the lowest numbers are valid, the highest test."""
    frame = pl.DataFrame({"number": numbers})
    is_valid = pl.col("number") < pl.lit(min(int(component.valid * RANGE), RANGE - 1), pl.UInt64)
    is_test = pl.col("number") >= pl.lit(min(int((1 - component.test) * RANGE), RANGE - 1), pl.UInt64)
    part = pl.when(is_valid).then(pl.lit("valid")).when(is_test & (component.test > 0)).then(pl.lit("test"))
    return frame.select(part.otherwise(pl.lit("train"))).to_series()
