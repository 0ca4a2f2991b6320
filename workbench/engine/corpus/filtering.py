"""The runner of all filters: what a step of kind `filter` does, in up to two stages.

signals   measure every document; kept as an artifact of its own, whatever the thresholds
verdict   judge by the signals
all       both at once, for passes that measure nothing, and for filters that compare documents
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.artifacts.corpus import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component
from workbench.contracts.filters import CorpusFilter
from workbench.engine.corpus.comparing import compare
from workbench.engine.corpus.mapping import map_shards, result_parts, shard_tasks
from workbench.engine.corpus.signals import measure_shard
from workbench.engine.corpus.verdicts import judge_shard, measure_and_judge_shard
from workbench.engine.corpus.writing import CorpusWriter, check_same_columns
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
    elif isinstance(component, CorpusFilter):
        _finish(ctx, corpus, compare(component, ctx, corpus))
    elif stage == "verdict":
        signals = str(ctx.inputs["signals"].path)
        tasks = [{**task, "signals": signals} for task in shard_tasks(corpus, ctx)]
        _finish(ctx, corpus, map_shards(ctx, judge_shard, component, tasks))
    else:
        assert stage == "all", stage
        _finish(ctx, corpus, map_shards(ctx, measure_and_judge_shard, component, shard_tasks(corpus, ctx)))


def _measure(component: Component, ctx: Context, corpus: Corpus) -> None:
    results = map_shards(ctx, measure_shard, component, shard_tasks(corpus, ctx))
    names = [result["name"] for result in results]
    columns = check_same_columns(ctx.output / "signals", names, ctx.step)
    write_json(ctx.output / "signals.json", {"columns": columns, "shards": results})


def _finish(ctx: Context, corpus: Corpus, results: list[Task]) -> None:
    ledger = Ledger()
    for result in results:
        ledger.add(Ledger.from_json(result["ledger"]))
    writer = CorpusWriter(ctx.output)
    writer.finish(ledger, results, result_parts(corpus), None if results else corpus.columns, ctx.step)
