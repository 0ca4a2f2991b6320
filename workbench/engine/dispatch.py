"""From a task to work done: build the context a component runs in, call what runs its kind, look at what it left.

A task is JSON, so that it can cross to any process:
`{"id", "step", "use", "settings", "stage", "inputs", "output", "scratch", "partial", "seed", "base", "workers",
"threads", "device", "logs", "log", "isolated"}`, where an input is `{"type", "path", "fingerprint", "part", "step"}` or
a list of these, `stage` is `signals`, `verdict` or `all`, and `isolated` says that a process died on the task before.
Where several processes share a task it also holds `rank` and `processes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from workbench.artifacts import ARTIFACTS, Artifact, Corpus
from workbench.contracts.component import Component
from workbench.contracts.context import Context, Emit, Mapper
from workbench.contracts.step import CoreStep
from workbench.engine.rows import rows_digest
from workbench.errors import PluginError
from workbench.pipeline.fingerprint import RUNNERS

Stage = Literal["signals", "verdict", "all"]
SIGNALS = "signals"
PROGRESS_SECONDS = 0.1  # the eye sees no more, and a pipe must not drown in it


@dataclass(frozen=True)
class Surroundings:
    """What a task cannot carry: how to be heard, to be stopped and to be helped.

    Attributes:
        emit: Takes `(event, fields)`.
        mapper: Runs a function over many tasks.
        is_cancelled: Says whether the user asked to stop.
    """

    emit: Emit
    mapper: Mapper
    is_cancelled: Callable[[], bool]


def perform(component: Component, task: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Run one task and return the facts about the result that its manifest takes: `parts`, `rows_digest`."""
    context = context_for(component, task, around)
    run_step(component, context, task["stage"])
    return {} if context.rank else describe(component, task["stage"], context.output)


def run_step(component: Component, ctx: Context, stage: Stage) -> None:
    """Run one component by its kind, so that it fills `ctx.output`."""
    if isinstance(component, CoreStep):
        component.run(ctx)
        return
    if component.kind not in RUNNERS:
        raise PluginError(f"a {component.kind} cannot be a step", where=component.component_id)
    module, _ = RUNNERS[component.kind]
    run = import_module(module).run
    if component.kind == "filter":
        run(component, ctx, stage)
    else:
        run(component, ctx)


def context_for(component: Component, task: Mapping[str, Any], around: Surroundings) -> Context:
    """Return the context that `task` describes."""
    return Context(
        step=task["step"],
        component_id=component.component_id,
        seed=task["seed"],
        base=Path(task["base"]),
        output=Path(task["output"]),
        scratch=Path(task["scratch"]),
        partial=Path(task["partial"]),
        inputs={port: _artifacts(value) for port, value in task["inputs"].items()},
        workers=task["workers"],
        threads=task["threads"],
        device=task["device"],
        rank=task.get("rank", 0),
        processes=task.get("processes", 1),
        logs=Path(task["logs"]) if task["logs"] else None,
        emit=_Throttle(around.emit),
        mapper=around.mapper,
        is_cancelled=around.is_cancelled,
    )


def describe(component: Component, stage: Stage, output: Path) -> dict[str, Any]:
    """Return what the manifest says of a result beside its files."""
    kind = SIGNALS if stage == SIGNALS else component.output
    artifact = ARTIFACTS.get(kind, Artifact)(output)
    facts: dict[str, Any] = {"type": kind, "parts": list(getattr(artifact, "parts", ()))}
    if isinstance(artifact, Corpus):
        facts["rows_digest"] = rows_digest(artifact)
    return facts


def _artifacts(value: Any) -> Any:
    if isinstance(value, list):
        return [_artifacts(item) for item in value]
    cls = ARTIFACTS.get(value["type"], Artifact)
    return cls(Path(value["path"]), value["fingerprint"], value["part"], value["step"])


class _Throttle:
    """Pass on every event but progress that comes faster than anybody can read."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._due = 0.0

    def __call__(self, event: str, fields: dict[str, Any]) -> None:
        if event == "step-progress":
            now = time.monotonic()
            if now < self._due and fields.get("done") != fields.get("total"):
                return
            self._due = now + PROGRESS_SECONDS
        self._emit(event, fields)
