"""A mixture of corpora in stated proportions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl
from pydantic import model_validator

from workbench.artifacts.corpus import Corpus, read_shard, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.artifacts.tokenizer import Tokenizer
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.concat import check_ids, common_columns, with_columns_of
from workbench.engine.corpus.fields import random_number
from workbench.engine.corpus.mapping import map_shards, shard_tasks
from workbench.engine.corpus.writing import SHARD_BYTES, SHARD_DOCUMENTS, finish_corpus, shard_name, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from typing import Self

    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

COLUMN = "mixture"
NAME = "mix"
REASON = "not-drawn"
EACH = r"\p{Han}\p{Hiragana}\p{Katakana}"
WORD = rf"[{EACH}]|[[\p{{L}}\p{{M}}\p{{N}}]--[{EACH}]]+"


class Mix(CoreStep):
    """Draw documents from corpora in proportions by `weights`, or up to `budgets`, and shuffle them.

    Documents of a corpus are drawn in an order that follows from the seed and their ids, until its budget is met:
    exactly when counted in documents, else by less than one document too much. A `total` is dealt out by the method
    of the largest remainder; without one, it is the largest that every corpus can give its share of. The column
    `mixture` says where a document is from; what was not drawn is counted as `not-drawn` and listed without its
    text. Memory holds a number, a size and the id of every document.
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpora": Port("corpus", many=True, about="in the order of weights, budgets and names"),
        "tokenizer": Port("tokenizer", optional=True, about="counts tokens, for unit: tokens"),
    }
    output: ClassVar[str] = "corpus"

    weights: list[float] | None = Field(None, description="share of each corpus, by position; equal when left out")
    budgets: list[int] | None = Field(None, description="units from each corpus, by position, instead of weights")
    total: int | None = Field(None, ge=1, description="units in all, with weights; as many as there can be if left out")
    unit: Literal["documents", "characters", "words", "tokens"] = Field(
        "documents", description="words: runs of letters, marks and digits; each Han character or kana is one"
    )
    names: list[str] | None = Field(None, description="names for the column `mixture`; positions from 0 if left out")
    fill: bool = Field(False, description="fill a column that an input lacks with null, rather than refuse it")

    @model_validator(mode="after")
    def _is_one_kind_of_mixture(self) -> Self:
        if self.budgets is not None and (self.weights is not None or self.total is not None):
            raise ValueError("give budgets, or weights and total, not both")
        numbers = self.weights if self.budgets is None else self.budgets
        if numbers is not None and (
            min(numbers, default=0) < 0 or not sum(numbers) > 0 or sum(numbers) == sum([1e999])
        ):
            raise ValueError("weights and budgets are finite, 0 or more, and not all 0")
        return self

    def run(self, ctx: Context) -> None:
        """Measure, draw, deal the drawn documents to shards in a random order, write them."""
        corpora: list[Corpus] = ctx.inputs["corpora"]
        self._check_positions(ctx, len(corpora))
        columns, models = common_columns(ctx, corpora, fill=self.fill)
        if COLUMN in columns:
            raise StepError(f"the documents have a column {COLUMN!r} already", where=ctx.step)
        check_ids(ctx, corpora)
        tasks = self._tasks(ctx, corpora, list(models.items()))
        map_shards(ctx, measure_shard, self, tasks)
        sizes = [_sizes(tasks, place) for place in range(len(corpora))]
        budgets = self._budgets(ctx, [int(frame["size"].sum()) for frame in sizes])
        cuts = [_cut(frame, budget) for frame, budget in zip(sizes, budgets, strict=True)]
        every = pl.concat([frame.select("bytes") for frame in sizes])
        count = max(1, -(-int(every["bytes"].sum()) // SHARD_BYTES), -(-every.height // SHARD_DOCUMENTS))
        dealt = [{**task, "cut": cuts[task["place"]], "count": count} for task in tasks]
        map_shards(ctx, deal_shard, self, dealt)
        gathered = [
            {"name": shard_name(None, index), "output": str(ctx.output), "from": [task["dealt"] for task in tasks]}
            for index in range(count if tasks else 0)
        ]
        finish_corpus(ctx, map_shards(ctx, gather_shard, self, gathered), (), {**columns, COLUMN: "String"})

    def _check_positions(self, ctx: Context, corpora: int) -> None:
        for name in ("weights", "budgets", "names"):
            given = getattr(self, name)
            if given is not None and len(given) != corpora:
                raise StepError(
                    f"{len(given)} {name}", where=f"{ctx.step}.{name}", expected=f"{corpora}, one per corpus"
                )
        if self.unit == "tokens" and "tokenizer" not in ctx.inputs:
            raise StepError("tokens are counted by a tokenizer", where=ctx.step, expected="the input 'tokenizer'")

    def _tasks(self, ctx: Context, corpora: Sequence[Corpus], columns: list[tuple[str, str]]) -> list[Task]:
        tokenizer = str(ctx.inputs["tokenizer"].path) if self.unit == "tokens" else None
        tasks: list[Task] = []
        for place, corpus in enumerate(corpora):
            more = {"place": place, "seed": ctx.seed, "columns": columns, "tokenizer": tokenizer}
            for task in shard_tasks(corpus, ctx):
                folder = ctx.scratch / f"{len(tasks):05}"
                tasks.append({**task, **more, "sizes": str(folder / "sizes.parquet"), "dealt": str(folder)})
        return tasks

    def _budgets(self, ctx: Context, sizes: list[int]) -> list[int]:
        """Return how many units to draw from each corpus. Raises `StepError` when one is too small."""
        budgets = self.budgets
        if budgets is None:
            weights = [Fraction(str(weight)) for weight in self.weights or [1.0] * len(sizes)]
            shares = [weight / sum(weights) for weight in weights]
            most = min(floor(size / share) for size, share in zip(sizes, shares, strict=True) if share)
            budgets = apportion(most if self.total is None else self.total, shares)
        for place, (size, budget) in enumerate(zip(sizes, budgets, strict=True)):
            if size < budget:
                advice = f"set budgets[{place}] to {size} at most"
                if self.budgets is None:
                    advice = f"set total to {most} at most, leave it out, or give corpus {place} a smaller weight"
                raise StepError(
                    f"corpus {place} has {size} {self.unit}, {budget - size} fewer than the {budget} wanted",
                    where=ctx.step,
                    advice=advice,
                )
        return budgets


def apportion(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Return whole numbers in proportion to `shares` (of sum 1) that add up to `total`: the largest remainders win.

    Ties go to the share that comes first.

    >>> apportion(10, [Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)])
    [4, 3, 3]
    """
    exact = [total * share for share in shares]
    whole = [floor(number) for number in exact]
    order = sorted(range(len(shares)), key=lambda place: (whole[place] - exact[place], place))
    for place in order[: total - sum(whole)]:
        whole[place] += 1
    return whole


def _sizes(tasks: Sequence[Task], place: int) -> pl.DataFrame:
    """Return `number, id, size, bytes` of the documents of one corpus, in the order of drawing."""
    schema = {"number": pl.UInt64, "id": pl.String, "size": pl.Int64, "bytes": pl.Int64}
    frames = [read_shard(Path(task["sizes"])) for task in tasks if task["place"] == place]
    return pl.concat([pl.DataFrame(schema=schema), *frames]).sort("number", "id")


def _cut(sizes: pl.DataFrame, budget: int) -> tuple[int, str] | None:
    """Return number and id of the last document drawn, None when there is none."""
    drawn = sizes.filter(pl.col("size").cum_sum() - pl.col("size") < budget)
    return (drawn["number"][-1], drawn["id"][-1]) if drawn.height else None


def _numbers(batch: pl.DataFrame, seed: int, purpose: str) -> pl.Series:
    return pl.Series("number", [random_number(seed, purpose, name) for name in batch["id"]], dtype=pl.UInt64)


def measure_shard(component: Component, task: Task) -> Task:
    """Write number, id and size of each document of one shard."""
    assert isinstance(component, Mix)
    batch = read_shard(Path(task["shard"]), ["id", "text"])
    text = batch["text"]
    if component.unit == "tokens":
        size = pl.Series(Tokenizer(Path(task["tokenizer"])).lengths(text.to_list()), dtype=pl.Int64)
    elif component.unit == "words":
        size = text.str.count_matches(WORD).cast(pl.Int64)
    else:
        size = (
            text.str.len_chars().cast(pl.Int64) if component.unit == "characters" else text.is_not_null().cast(pl.Int64)
        )
    numbers = _numbers(batch, task["seed"], "mix-draw")
    frame = batch.select(numbers, "id", size.alias("size"), text.str.len_bytes().cast(pl.Int64).alias("bytes"))
    write_shard(Path(task["sizes"]), frame)
    return {}


def deal_shard(component: Component, task: Task) -> Task:
    """Write the documents of one shard to a file for each shard of the result; without text if not drawn."""
    assert isinstance(component, Mix)
    batch = with_columns_of(read_shard(Path(task["shard"])), task["columns"])
    name = component.names[task["place"]] if component.names else str(task["place"])
    number = _numbers(batch, task["seed"], "mix-draw")
    last, name_of_last = task["cut"] or (0, "")
    cut = pl.Series([last], dtype=pl.UInt64)
    is_drawn = ((number < cut) | ((number == cut) & (batch["id"] <= name_of_last))) & (task["cut"] is not None)
    order = _numbers(batch, task["seed"], "mix-order")
    shards = pl.Series([value * task["count"] >> 64 for value in order.to_list()], dtype=pl.Int64)
    frame = batch.with_columns(pl.lit(name).alias(COLUMN)).with_columns(
        pl.when(is_drawn).then("text").alias("text"),
        is_drawn.alias("drawn_"),
        order.alias("order_"),
    )
    for index in shards.unique().to_list():
        write_shard(Path(task["dealt"]) / shard_name(None, index), frame.filter(shards == index))
    write_shard(Path(task["dealt"]) / "none.parquet", frame.clear())
    return {}


def gather_shard(component: Component, task: Task) -> Task:
    """Write one shard of the result in the random order, and what was not drawn beside it."""
    del component
    files = [Path(folder) / task["name"] for folder in task["from"]]
    there = [file for file in files if file.exists()] or [Path(task["from"][0]) / "none.parquet"]
    batch = pl.concat([read_shard(file) for file in there]).sort("order_", "id")
    kept, others = batch.filter("drawn_").drop("drawn_", "order_"), batch.filter(~pl.col("drawn_"))
    rejected = others.sort("id").select(
        "id", "source", filter=pl.lit(NAME), reason=pl.lit(REASON), reasons=pl.lit(f'["{NAME}: {REASON}"]')
    )
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    reasons = Counter({REASON: others.height})
    ledger = Ledger(read=batch.height, kept=kept.height, rejected=reasons, by_filter={NAME: reasons})
    return {**listed, "ledger": ledger.to_json()}
