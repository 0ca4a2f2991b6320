"""Train, valid and test parts."""

from __future__ import annotations

from collections import Counter
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
from workbench.engine.corpus.dates import field_times, time_of
from workbench.engine.corpus.fields import field_names, field_values, random_number
from workbench.engine.corpus.mapping import map_shards, shard_tasks
from workbench.engine.corpus.writing import CorpusWriter, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from typing import Self

    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

RANGE = 2**64
NAME = "split"
NO_TIME = "no-date"
SHARE = 0.01


class Split(CoreStep):
    """Deal the documents out into `train`, `valid` and perhaps `test`: at random, by groups, or by time.

    Where a document goes follows from the seed and its id (or its group) alone: adding documents moves none, and a
    larger share only takes documents from `train`. So the shares hold on average, not to the document; with 1,000
    documents and `valid: 0.1`, expect 100 ± 19.

    With `time`, the past is for learning and the future for judging: documents dated before `valid_from` are `train`,
    from then on `valid`, and from `test_from` on `test`. Documents without a date that can be read are rejected as
    `no-date`. Dates are columns of dates, Unix seconds, or text by ISO 8601 (`2024`, `2024-05`, `2024-05-01T12:00Z`;
    UTC where no zone is given).
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", about="documents in one piece, or one part")}
    output: ClassVar[str] = "corpus"

    valid: float = Field(SHARE, ge=0, le=1, description="share of documents for validation")
    test: float = Field(0.0, ge=0, le=1, description="share of documents for the final test")
    by: str | None = Field(None, description="column or meta key; documents with the same value stay together")
    time: str | None = Field(None, description="column or meta key with a date, to part past and future, not by shares")
    valid_from: str | None = Field(None, description="first day or moment of valid, ISO 8601, with time")
    test_from: str | None = Field(None, description="first day or moment of test, ISO 8601, with time")

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid {self.valid:g} and test {self.test:g} leave nothing for train")
        return self

    @model_validator(mode="after")
    def _is_by_shares_or_by_time(self) -> Self:
        if self.time is None:
            if self.valid_from or self.test_from:
                raise ValueError("valid_from and test_from are for a split by time; name the date in time")
            return self
        if (self.valid, self.test, self.by) != (SHARE, 0.0, None):
            raise ValueError("a split by time has no shares and no groups; leave valid, test and by out")
        if self.valid_from is None:
            raise ValueError("a split by time needs valid_from")
        borders = [_moment(name, text) for name, text in self._borders().items()]
        if borders != sorted(set(borders)):
            raise ValueError(f"test_from {self.test_from} is not after valid_from {self.valid_from}")
        return self

    def _borders(self) -> dict[str, str]:
        given = {"valid_from": self.valid_from, "test_from": self.test_from}
        return {name: text for name, text in given.items() if text is not None}

    def parts(self, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return `train`, `valid`, and `test` when it has a share or a beginning."""
        del inputs
        if self.time is not None:
            return ("train", "valid", "test")[: 1 + len(self._borders())]
        return tuple(part for part, share in (("train", 1), ("valid", 1), ("test", self.test)) if share)

    def run(self, ctx: Context) -> None:
        """Write every shard once for each part."""
        corpus: Corpus = ctx.inputs["corpus"]
        parts = self.parts({})
        tasks = [{**task, "seed": ctx.seed} for task in shard_tasks(corpus, ctx)]
        results = map_shards(ctx, split_shard, self, tasks)
        read = sum(result["read"] for result in results)
        self._check_key(ctx, corpus, read, sum(result["keyed"] for result in results))
        listed = [result["parts"][part] for part in parts for result in results]
        for part in parts:
            if read and not any(shard["rows"] for shard in listed if shard["part"] == part):
                ctx.log(f"the part {part} got none of {read} documents; give it a larger share")
        columns = None if results else corpus.columns
        undated = read - sum(shard["rows"] for shard in listed)
        reasons = {NO_TIME: undated} if undated else {}
        ledger = Ledger(read=read, kept=read - undated, rejected=Counter(reasons))
        ledger.by_filter = {NAME: Counter(reasons)} if reasons else {}
        CorpusWriter(ctx.output).finish(ledger, listed, parts, columns, ctx.step)

    def _check_key(self, ctx: Context, corpus: Corpus, read: int, keyed: int) -> None:
        name = "by" if self.time is None else "time"
        key = self.by or self.time
        if key is not None and read and not keyed:
            names = field_names(read_shard(corpus.shards[0].path))
            what = f"no document has {key!r}" + (" with a date that can be read" if self.time else "")
            raise StepError(what, where=f"{ctx.step}.{name}", expected=f"one of: {', '.join(names)}")

    def deal(self, batch: pl.DataFrame, seed: int) -> tuple[pl.Series, int]:
        """Return the part of each document, null where it has no date, and how many have the key of the split."""
        if self.time is not None:
            times = field_times(batch, self.time)
            part = pl.lit("train")
            for name, text in zip(("valid", "test"), self._borders().values(), strict=False):
                part = pl.when(pl.col("time") >= time_of(text)).then(pl.lit(name)).otherwise(part)
            dealt = pl.DataFrame({"time": times}).select(pl.when(pl.col("time").is_not_null()).then(part))
            return dealt.to_series(), len(times) - times.null_count()
        groups = field_values(batch, self.by) if self.by else [None] * batch.height
        keys = [
            f"id {name}" if group is None else f"group {group}" for name, group in zip(batch["id"], groups, strict=True)
        ]
        numbers = pl.Series([random_number(seed, "split", key) for key in keys], dtype=pl.UInt64)
        return _dealt(self, numbers), sum(group is not None for group in groups)


def _moment(name: str, text: str) -> int:
    found = time_of(text)
    if found is None:
        raise ValueError(f"{name} {text!r} is no date; expected ISO 8601, such as 2024-05-01")
    return found


def split_shard(component: Component, task: Task) -> Task:
    """Write the documents of one shard into one shard for each part."""
    assert isinstance(component, Split)
    batch = read_shard(Path(task["shard"]))
    dealt, keyed = component.deal(batch, task["seed"])
    rejected = batch.filter(dealt.is_null()).with_columns(
        filter=pl.lit(NAME), reason=pl.lit(NO_TIME), reasons=pl.lit(f'["{NAME}: {NO_TIME}"]')
    )
    listed: dict[str, Any] = {}
    for part in component.parts({}):
        beside = rejected if part == "train" else None
        listed[part] = write_part_shard(
            Path(task["output"]), f"{part}-{task['name']}", batch.filter(dealt == part), beside
        )
    return {"read": batch.height, "keyed": keyed, "parts": listed}


def _dealt(component: Split, numbers: pl.Series) -> pl.Series:
    """Return the part of each document: the lowest numbers are valid, the highest test."""
    frame = pl.DataFrame({"number": numbers})
    is_valid = pl.col("number") < pl.lit(min(int(component.valid * RANGE), RANGE - 1), pl.UInt64)
    is_test = pl.col("number") >= pl.lit(min(int((1 - component.test) * RANGE), RANGE - 1), pl.UInt64)
    part = pl.when(is_valid).then(pl.lit("valid")).when(is_test & (component.test > 0)).then(pl.lit("test"))
    return frame.select(part.otherwise(pl.lit("train"))).to_series()
