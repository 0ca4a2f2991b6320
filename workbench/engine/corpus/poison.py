"""Documents that end the process that looks at them: found by bisection, taken out, named in quarantine.

Native code can crash on one document among millions (a parser that overflows its stack, a pattern that eats all memory).
A worker that dies costs its shard: the shard is halved, each half looked at by a process of its own, until single
documents are left. They are quarantined, and the rest of the corpus goes on. A shard that dies as a whole but in none of
its documents alone is too large for the machine; the step fails and says which rows it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from workbench.artifacts.corpus import QUARANTINE, read_shard
from workbench.artifacts.ledger import Ledger
from workbench.engine.corpus.mapping import map_shards
from workbench.errors import StepError, WorkerDied
from workbench.files.bad_record import BadRecord
from workbench.files.quarantine import Quarantine
from workbench.files.text import safe_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.contracts.component import Component
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task, Work

REASON = "kills-the-worker"
MAX_POISON = 10  # documents of one step; with more of them the filter is at fault, not the corpus
PLACES = ("output", "sketch")  # what a task writes to


def documents_of(task: Task) -> pl.DataFrame:
    """Return the documents that the work on a shard is to look at: all but those under `poison`, of `rows` if given."""
    batch = read_shard(Path(task["shard"]))
    if "rows" in task:
        first, end = task["rows"]
        batch = batch[first:end]
    return batch.filter(~pl.col("id").is_in(list(task["poison"]))) if task.get("poison") else batch


def map_surviving(ctx: Context, work: Work, component: Component, tasks: Sequence[Task]) -> list[Task]:
    """Run `work` for every task as `map_shards` does, without the documents on which a worker dies.

    `work` reads its documents by `documents_of`. Those that were found stand under `poison` of their task afterwards
    (id → how the worker ended). Raises `StepError` when they are more than `MAX_POISON`, and when no document alone
    explains a death.
    """
    results: list[Task] = []
    while True:
        try:
            return results + map_shards(ctx, work, component, tasks[len(results) :])
        except WorkerDied as death:
            results += death.finished
            task = tasks[len(results)]
            found = _Search(ctx, work, component, task).run()
            if not found:
                raise _unexplained(death, component, task) from death
            task["poison"] = task.get("poison", {}) | found
            if sum(len(task.get("poison", ())) for task in tasks) > MAX_POISON:
                raise _too_many(component, task) from death


def set_aside(ctx: Context, component: Component, tasks: Iterable[Task], results: Iterable[Task]) -> None:
    """Write the documents that the tasks name under `poison` into quarantine, and count them in the ledgers of the results."""
    quarantine = Quarantine(ctx.output / "quarantine", QUARANTINE, where=ctx.step)
    for task, result in zip(tasks, results, strict=True):
        poison: dict[str, str] = task.get("poison", {})
        if not poison:
            continue
        ledger = Ledger.from_json(result["ledger"])
        ledger.add(Ledger(read=len(poison), quarantined=len(poison)))
        result["ledger"] = ledger.to_json()
        for row in read_shard(Path(task["shard"])).filter(pl.col("id").is_in(list(poison))).iter_rows(named=True):
            quarantine.add(
                BadRecord.of(
                    row["text"].encode(),
                    file=row["source"],
                    place=f"document {row['id']}",
                    reason=REASON,
                    detail=f"the worker died ({poison[row['id']]}) in {component.component_id}",
                )
            )
    quarantine.finish(0)


class _Search:
    """Looks for the documents of one shard on which a worker dies."""

    def __init__(self, ctx: Context, work: Work, component: Component, task: Task) -> None:
        self._ctx = ctx
        self._work = work
        self._component = component
        probe = str(ctx.scratch / "probe")
        self._found: dict[int, str] = {}  # row → how the worker ended
        self._task = {**task, **{place: probe for place in PLACES if place in task}, "isolated": True}

    def run(self) -> dict[str, str]:
        """Return id → how the worker ended."""
        ids = read_shard(Path(self._task["shard"]), ["id"])["id"]
        self._among(0, ids.len())
        for row, ending in self._found.items():
            self._ctx.log(f"the worker died ({ending}) on document {ids[row]}; it goes into quarantine")
        return {ids[row]: ending for row, ending in self._found.items()}

    def _among(self, first: int, end: int) -> None:
        """Find them among these rows; stop when they are too many to go on."""
        ending = self._ending(first, end) if len(self._found) <= MAX_POISON else ""
        if ending and end - first == 1:
            self._found[first] = ending
        elif ending:
            middle = (first + end) // 2
            self._among(first, middle)
            self._among(middle, end)

    def _ending(self, first: int, end: int) -> str:
        """Return how a worker ends that looks at these rows alone; empty when it survives them."""
        try:
            map_shards(self._ctx, self._work, self._component, [{**self._task, "rows": [first, end]}])
        except WorkerDied as death:
            return death.ending
        return ""


def _unexplained(death: WorkerDied, component: Component, task: Task) -> StepError:
    rows = documents_of(task).height
    return StepError(
        f"a worker died ({death.ending}) in {component.component_id} on shard {task['name']}, rows 0 to {rows}, but on no "
        "document of it alone",
        expected="enough memory for a whole shard in every worker",
        advice="run again with fewer workers (run: {workers: 1})",
    )


def _too_many(component: Component, task: Task) -> StepError:
    found = ", ".join(safe_line(name, 60) for name in list(task["poison"])[:3])
    return StepError(
        f"workers died on more than {MAX_POISON} documents in {component.component_id}, the last in shard {task['name']}",
        expected="a filter that survives its documents",
        advice=f"look at documents {found} with `workbench trace`, and report them to the filter's author",
    )
