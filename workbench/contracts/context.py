"""`Context`: all that a running component may know about the world.

Everything random comes from `ctx.rng`, everything outside the store from `ctx.base`, everything shown to a person
through `ctx.progress`, `ctx.metrics` and `ctx.log`. A component that keeps to this is reproducible by construction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import Interrupted, WorkerDied

Emit = Callable[[str, dict[str, Any]], None]
Mapper = Callable[[str, Sequence[dict[str, Any]]], Iterator[dict[str, Any]]]


def call_task(function: str, task: dict[str, Any]) -> dict[str, Any]:
    """Call `module:function` with a JSON task and return its JSON result."""
    module, _, name = function.partition(":")
    result: dict[str, Any] = getattr(import_module(module), name)(task)
    return result


def map_inline(function: str, tasks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Run every task in this process, in order."""
    return (call_task(function, task) for task in tasks)


@dataclass
class Context:
    """What a step gets to run with.

    Attributes:
        step: The step's name, for messages only.
        component_id: `kind/name` of the component that runs.
        seed: The pipeline's seed.
        base: The folder that relative paths of settings start from.
        output: The (staging) data folder this step fills.
        scratch: An empty folder, deleted afterwards.
        partial: A folder that belongs to this fingerprint and outlives a kill: checkpoints go here.
        inputs: Port name → artifact, or a list of artifacts for a port that takes many.
        workers: How many processes `map` may use.
        threads: How many threads one process may use.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        rank, processes: Which of how many processes works on the step; process 0 writes the result.
        logs: Where files for people that hold times go (TensorBoard); None when nobody keeps them.
        emit: Takes `(event, fields)`; set by the engine.
        mapper: Runs `module:function` over JSON tasks and yields the results in the order of the tasks.
        is_cancelled: Says whether the user asked to stop.
    """

    step: str
    component_id: str
    seed: int
    base: Path
    output: Path
    scratch: Path
    partial: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    threads: int = 1
    device: str = "auto"
    rank: int = 0
    processes: int = 1
    logs: Path | None = None
    emit: Emit = lambda _event, _fields: None
    mapper: Mapper = map_inline
    is_cancelled: Callable[[], bool] = lambda: False

    @cached_property
    def rng(self) -> np.random.Generator:
        """A generator that depends on the pipeline's seed and on the component, and on nothing else."""
        return self.rng_for("")

    def rng_for(self, purpose: str) -> np.random.Generator:
        """Return an independent generator for a named purpose (`"shard 3"`), the same in every process."""
        text = f"{self.seed}/{self.component_id}/{purpose}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))

    def progress(self, done: int, total: int | None = None, unit: str = "documents") -> None:
        """Report that `done` of `total` units are finished; raises `Interrupted` when the user asked to stop."""
        self.emit("step-progress", {"done": done, "total": total, "unit": unit})
        if self.is_cancelled():
            raise Interrupted(f"{self.step} stopped", advice="run the same command again to go on")

    def metrics(self, number: int, **values: float) -> None:
        """Report live measurements of training step `number` (loss, tokens per second, …)."""
        self.emit("step-metrics", {"number": number, **values})

    def log(self, message: str) -> None:
        """Say one line to the person who watches the run."""
        self.emit("step-log", {"message": message})

    def map(self, function: str, tasks: Sequence[dict[str, Any]], *, unit: str = "shards") -> list[dict[str, Any]]:
        """Run `module:function` over JSON tasks in the worker processes; results in the order of the tasks.

        Raises what a task raises, and `WorkerDied`, with the results of the tasks before, when a process dies on one.
        """
        results = []
        try:
            for result in self.mapper(function, tasks):
                results.append(result)
                self.progress(len(results), len(tasks), unit)
        except WorkerDied as death:
            death.finished = results
            raise
        return results
