"""A label for each document, from what is known about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.fields import field_names, field_values
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.writing import finish_corpus, part_of, write_part_shard
from workbench.errors import StepError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

COLUMN = "label"
NAME = "label"
NONE = "no-label"
NOT_KEPT = "label-not-kept"


class Label(CoreStep):
    """Write the column `label` from a key of `meta` or another column, for a classifier to learn.

    With `top`, only the most frequent labels stay; ties go to the label that comes first in the alphabet. Labels
    are counted in the part `train` when there are parts, so that nothing of the others decides. Documents without
    the key are rejected as `no-label`, those of a rarer label as `label-not-kept`.
    """

    kind: ClassVar[str] = "corpus"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"

    key: str = Field(min_length=1, description="meta key or column that holds the label")
    top: int | None = Field(None, ge=1, description="how many labels to keep, the most frequent; all when left out")
    min_documents: int = Field(1, ge=1, description="fewest documents of a label")

    def run(self, ctx: Context) -> None:
        """Count the labels, choose, write the shards."""
        corpus: Corpus = ctx.inputs["corpus"]
        tasks = shard_tasks(corpus, ctx)
        counts = map_shards(ctx, count_labels, self, tasks)
        totals: Counter[str] = Counter()
        for result in counts:
            if "train" not in result_parts(corpus) or part_of(result["name"]) == "train":
                totals.update(result["labels"])
        if counts and not totals:
            names = field_names(read_shard(corpus.shards[0].path))
            raise StepError(
                f"no document has {self.key!r}", where=f"{ctx.step}.key", expected=f"one of: {', '.join(names)}"
            )
        kept = self._kept(totals)
        results = map_shards(ctx, label_shard, self, [{**task, "labels": kept} for task in tasks])
        finish_corpus(ctx, results, result_parts(corpus), {**corpus.columns, COLUMN: "String"})

    def _kept(self, totals: Counter[str]) -> list[str]:
        frequent = sorted((-number, label) for label, number in totals.items() if number >= self.min_documents)
        return sorted(label for _, label in frequent[: self.top])


def count_labels(component: Component, task: Task) -> Task:
    """Count the labels of one shard."""
    assert isinstance(component, Label)
    batch = read_shard(Path(task["shard"]))
    labels = Counter(label for label in field_values(batch, component.key) if label is not None)
    return {"name": task["name"], "labels": dict(labels)}


def label_shard(component: Component, task: Task) -> Task:
    """Write the labelled documents of one shard, and those whose label does not stay."""
    assert isinstance(component, Label)
    batch = read_shard(Path(task["shard"]))
    labels = pl.Series(COLUMN, field_values(batch, component.key), dtype=pl.String)
    is_kept = labels.is_in(task["labels"]).fill_null(value=False)
    kept = batch.with_columns(labels).filter(is_kept)
    reason = pl.when(labels.is_null()).then(pl.lit(NONE)).otherwise(pl.lit(NOT_KEPT))
    rejected = batch.with_columns(filter=pl.lit(NAME), reason=reason).filter(~is_kept)
    rejected = rejected.with_columns(reasons=pl.format(f'["{NAME}: {{}}"]', "reason"))
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    reasons = Counter(rejected["reason"].to_list())
    ledger = Ledger(read=batch.height, kept=kept.height, rejected=reasons, by_filter={NAME: reasons})
    return {**listed, "ledger": ledger.to_json()}
