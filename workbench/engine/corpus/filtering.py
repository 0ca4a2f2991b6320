"""The runner of all filters: what a step of kind `filter` does, in up to two stages.

signals   measure every document; kept as an artifact of its own, whatever the thresholds
verdict   judge by the signals
all       both at once, for passes that measure nothing, and for filters that compare documents
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.artifacts.corpus import Corpus
from workbench.contracts.component import Component
from workbench.contracts.filters import CorpusFilter, LearningFilter
from workbench.engine.corpus.comparing import compare
from workbench.engine.corpus.mapping import blaming, map_shards, result_parts, shard_tasks
from workbench.engine.corpus.poison import map_surviving, set_aside
from workbench.engine.corpus.signals import measure_shard
from workbench.engine.corpus.verdicts import judge_shard, measure_and_judge_shard
from workbench.engine.corpus.writing import check_same_columns, finish_corpus
from workbench.files.atomic import write_json

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task


def run(component: Component, ctx: Context, stage: str) -> None:
    """Run a filter or a chain over `ctx.inputs["corpus"]`.

    Args:
        component: A row, rewrite or corpus filter, or a chain; a lone one is a chain of one.
        ctx: For the stage `verdict`, `ctx.inputs["signals"]` is what the stage `signals` made.
        stage: `signals`, `verdict` or `all`.
    """
    corpus: Corpus = ctx.inputs["corpus"]
    if stage == "signals":
        _measure(component, ctx, corpus)
        return
    if isinstance(component, CorpusFilter):
        results = compare(component, ctx, corpus)
    elif stage == "verdict":
        tasks = _measured_tasks(ctx, corpus)
        results = map_shards(ctx, judge_shard, component, tasks, light=True)
        set_aside(ctx, component, tasks, results)
    else:
        assert stage == "all", stage
        tasks = shard_tasks(corpus, ctx)
        results = map_surviving(ctx, measure_and_judge_shard, component, tasks)
        set_aside(ctx, component, tasks, results)
    finish_corpus(ctx, results, result_parts(corpus), corpus.columns)


def _measure(component: Component, ctx: Context, corpus: Corpus) -> None:
    learned = ctx.output / "learned"
    if isinstance(component, LearningFilter):
        with blaming(component, "(all)"):
            component.fit(ctx, learned)
    tasks = [{**task, "learned": str(learned)} for task in shard_tasks(corpus, ctx)]
    results = map_surviving(ctx, measure_shard, component, tasks)
    names = [result["name"] for result in results]
    columns = check_same_columns(ctx.output / "signals", names, ctx.step)
    poison = {task["name"]: task["poison"] for task in tasks if task.get("poison")}
    write_json(ctx.output / "signals.json", {"columns": columns, "shards": results, "poison": poison})


def _measured_tasks(ctx: Context, corpus: Corpus) -> list[Task]:
    """Return a task for each shard that was measured, without the documents on which the measuring died."""
    signals = ctx.inputs["signals"].path
    poison = json.loads((signals / "signals.json").read_text("utf-8")).get("poison", {})
    return [
        {**task, "signals": str(signals), "poison": poison.get(task["name"], {})} for task in shard_tasks(corpus, ctx)
    ]
