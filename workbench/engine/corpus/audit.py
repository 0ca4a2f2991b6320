"""The diversity audit: whom the filters hit.

A filter that drops 3 % of all documents may drop 30 % of those in one language, from one domain, or in a dialect.
From the stored verdicts of filter steps, every rule's drop rate in every group stands beside its rate in the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard, write_shard
from workbench.artifacts.report import write_scores
from workbench.contracts.component import Component, Field
from workbench.contracts.evaluation import Scores
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.audit_counts import BY, counted, examples_of, rates
from workbench.engine.corpus.audit_page import audit_page, drop_pictures
from workbench.engine.corpus.axes import OWN, axes_of
from workbench.engine.corpus.mapping import map_shards, shard_tasks
from workbench.errors import StepError
from workbench.files.atomic import write_text

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task


class Audit(CoreStep):
    """Hold the drop rates of filters in each language, source, domain, length and register against the whole corpus.

    `corpus` is what the first filter step read: its documents are put into groups, by its columns and meta (put
    `filter/language-tag` before it to have languages). `steps` are the results of one or more filter steps after it.
    For each step, filter and reason, a group's rate is the share of its documents, of those the step read, for which
    that reason held, whether or not another did first; with Wilson's 95 % interval. Whether the group is hit harder
    than the others is told by Fisher's exact test, one-sided, all tests of the audit adjusted by Holm's method. A
    group is flagged when the adjusted probability is below `alpha` and its rate is `min_ratio` times that of the whole
    and `min_difference` above it: what is certain, and large enough to matter.

    Memory holds a million documents' ids at a time, whatever the size of the corpus.
    """

    kind: ClassVar[str] = "corpus"
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True, about="what the first step read"),
        "steps": Port("corpus", many=True, whole=True, about="results of filter steps, in the order of the text's way"),
    }
    output: ClassVar[str] = "report"

    by: tuple[str, ...] = Field(
        OWN,
        min_length=1,
        description="what to group by: language, source, domain, length, register, or any column or meta key",
    )
    groups: int = Field(12, ge=1, le=100, description="groups of each kind that stand by themselves, the largest")
    min_documents: int = Field(20, ge=1, description="documents a group must have to be tested")
    alpha: float = Field(0.05, gt=0, lt=1, description="chance of any false alarm in the whole audit")
    min_ratio: float = Field(
        1.25, ge=1, description="rate of a flagged group, at least so many times that of the whole"
    )
    min_difference: float = Field(0.02, ge=0, le=1, description="and above it by at least this share of documents")
    examples: int = Field(3, ge=0, le=20, description="dropped documents shown of each flagged group")

    def run(self, ctx: Context) -> None:
        """Put documents into groups, count verdicts, test, look up examples, write the report."""
        corpus: Corpus = ctx.inputs["corpus"]
        steps: list[Corpus] = ctx.inputs["steps"]
        names = [step.step for step in steps]
        if len(set(names)) < len(names):
            raise StepError(f"a step is listed twice: {', '.join(names)}", where=f"{ctx.step}.steps")
        folder = ctx.scratch / "groups"
        tasks = [
            {**task, "groups": str(folder / f"{number:05}.parquet")}
            for number, task in enumerate(shard_tasks(corpus, ctx))
        ]
        if not corpus.num_rows:
            raise StepError("the corpus has no documents", where=ctx.step, expected="what a filter step read")
        grouped = map_shards(ctx, group_shard, self, tasks)
        missing = [axis for axis in dict.fromkeys(self.by) if not any(axis in result["axes"] for result in grouped)]
        if len(missing) == len(set(self.by)):
            raise StepError("no document has any of them", where=f"{ctx.step}.by", expected="columns or keys of meta")
        table = rates(counted(ctx, corpus, steps, folder, self.by, self.groups), self)
        shown = examples_of(table, steps, folder, self.examples) if self.examples else {}
        notes = [f"No document has {axis!r}; it is left out. {_HOW.get(axis, '')}".strip() for axis in missing]
        pictures = drop_pictures(table, self.min_documents)
        write_scores(ctx.output, Scores(tables=_tables(table), notes=notes), pictures)
        write_text(ctx.output / "report.html", audit_page(ctx.step, self, table, pictures, shown, notes).render())


_HOW = {
    "language": "A step filter/language-tag before the filters gives every document its language.",
    "domain": "Documents from WARC have a domain in meta.",
}


def group_shard(component: Component, task: Task) -> Task:
    """Write the id and the groups of each document of one shard; return the axes that somebody has a value on."""
    assert isinstance(component, Audit)
    batch = read_shard(Path(task["shard"]))
    axes = axes_of(batch, component.by)
    named = axes.rename(lambda axis: f"{BY}{axis}")
    write_shard(Path(task["groups"]), pl.concat([batch.select("id"), named], how="horizontal"))
    return {"axes": [axis.name for axis in axes if axis.null_count() < len(axis)]}


def _tables(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    flagged = table.filter("flagged").drop("flagged")
    order = ["p_adjusted", "ratio"]
    return {
        "flagged": flagged.sort(
            *order, "step", "filter", "reason", "axis", "group", descending=[False, True, *[False] * 5]
        ),
        "drop-rates": table,
    }
