"""Where a training step runs in several processes at once, one for each GPU, or several on the CPUs.

Each process is a worker like that of a single one, told its rank, so that progress, stopping, logs and errors are what
they are there. They meet through PyTorch's process group, in a file of the step's scratch folder. Special here: when
one process fails the others wait for it for ever, or fail because it is gone; they are ended, and of all that was said
the cause is reported, once.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.contracts.component import Component
from workbench.contracts.context import Emit
from workbench.engine.channel import Message
from workbench.engine.executors import Outcome
from workbench.engine.failures import from_json, last_line
from workbench.engine.processes import WorkerProcess, num_processors, portable
from workbench.errors import WorkbenchError, WorkerDied
from workbench.registry import Registry

POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0  # in which the cause may still be reported after its consequences
GONE = "another process of the step is gone"  # what the others say, in `workbench.training.group`


class Torchrun:
    """Runs a task in `task["processes"]` processes that train together; they end with the task."""

    def __init__(self, registry: Registry, is_cancelled: Callable[[], bool]) -> None:
        self._components = portable(registry.refs())
        self._is_cancelled = is_cancelled

    def run(self, component: Component, task: Mapping[str, Any], emit: Emit) -> Outcome:
        """Run one task. Raises what it raises in the process that fails first, and `WorkerDied` when one dies."""
        log = Path(task["log"])
        team = _Team(self._components, task, log)
        try:
            answers = team.listen(emit, self._is_cancelled)
        except EOFError as end:
            raise _death(team.ending(end.args[0]), end.args[0], task, component) from None
        finally:
            team.kill()
        return Outcome(answers[0]["facts"], sum(answer["peak_bytes"] for answer in answers))

    def close(self) -> None:
        """Nothing stays."""


class _Team:
    """The processes of one task."""

    def __init__(self, components: list[dict[str, Any]], task: Mapping[str, Any], log: Path) -> None:
        size = task["processes"]
        threads = max(1, task["threads"] // size)
        self._workers = [WorkerProcess(threads, components, log) for _ in range(size)]
        for rank, worker in enumerate(self._workers):
            logs = task["logs"] if rank == 0 else None
            worker.send({"step": {**task, "rank": rank, "threads": threads, "logs": logs}})
        self._answers: dict[int, Message] = {}
        self._errors: dict[int, WorkbenchError] = {}
        self._dead: list[int] = []

    def listen(self, emit: Emit, is_cancelled: Callable[[], bool]) -> list[Message]:
        """Pass on the events of process 0 until all have answered. Raises `EOFError` with the rank of a dead process."""
        told = False
        deadline: float | None = None
        while len(self._answers) < len(self._workers) and (deadline is None or time.monotonic() < deadline):
            if is_cancelled() and not told:
                told = True
                self._workers[0].send({"cancel": True})
            for rank in self._ready():
                self._take(rank, emit)
            if deadline is None and (self._dead or self._errors):
                deadline = time.monotonic() + GRACE_SECONDS
        if self._dead:
            raise EOFError(self._dead[0])
        if self._errors:
            raise self._cause()
        return [self._answers[rank] for rank in range(len(self._workers))]

    def _ready(self) -> list[int]:
        waiting = [rank for rank in range(len(self._workers)) if rank not in self._answers and rank not in self._dead]
        buffered = [rank for rank in waiting if self._workers[rank].channel.has_buffered]
        if buffered:
            return buffered
        channels = {self._workers[rank].channel: rank for rank in waiting}
        return [channels[channel] for channel in select.select(list(channels), [], [], POLL_SECONDS)[0]]

    def _take(self, rank: int, emit: Emit) -> None:
        try:
            message = self._workers[rank].receive(0.0)
        except EOFError:
            self._dead.append(rank)
            return
        if message is None:
            return
        if "event" in message:
            if rank == 0:
                emit(message["event"], message["fields"])
            return
        self._answers[rank] = message
        if "error" in message:
            self._errors[rank] = from_json(message["error"])

    def _cause(self) -> WorkbenchError:
        """Return the first error that is not about another process."""
        return next(
            (error for error in self._errors.values() if GONE not in error.what), next(iter(self._errors.values()))
        )

    def ending(self, rank: int) -> str:
        """Say how a dead process ended."""
        return self._workers[rank].ending()

    def kill(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.kill()


def num_devices() -> int:
    """Return how many processes one step gets by itself: one for each GPU that may be used, else one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return max(1, len([name for name in visible.split(",") if name.strip()]))
    return max(1, len(list(Path("/dev").glob("nvidia[0-9]*"))))


def threads_of(processes: int) -> int:
    """Return the threads that all processes of a step have together: every processor, and at least one each."""
    return max(processes, num_processors())


def _death(ending: str, rank: int, task: Mapping[str, Any], component: Component) -> WorkerDied:
    said = last_line(Path(task["log"]))
    death = WorkerDied(
        f"process {rank} of {task['processes']} died ({ending}) while it ran {component.component_id}"
        + (f"\n  last line: {said}" if said else ""),
        where=f"step {task['step']}",
        advice=f"see {task['log']}; run the same command again to go on from the last checkpoint",
    )
    death.ending = ending
    return death
