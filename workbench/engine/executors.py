"""Where a step runs: in the warm step worker, or in this process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.contracts.component import Component, nested
from workbench.contracts.context import Emit
from workbench.contracts.step import CoreStep
from workbench.engine import memory
from workbench.engine.failures import as_workbench_error, from_json, last_line
from workbench.engine.pool import WorkerPool
from workbench.engine.processes import WorkerProcess, portable
from workbench.errors import UsageError, WorkerDied
from workbench.registry import Registry

EXECUTORS = ("local", "inline", "torchrun")
POLL_SECONDS = 0.1
MAX_HELD_BYTES = 4 << 30  # a worker that holds more between steps is replaced


@dataclass(frozen=True)
class Outcome:
    """What came of one task.

    Attributes:
        facts: What the manifest says of the result beside its files.
        peak_bytes: The most memory held, by the worker and its pool together.
    """

    facts: dict[str, Any]
    peak_bytes: int


def executor_name(asked: str | None, component: Component, processes: int | None = None) -> str:
    """Return the executor that runs `component`; a class of this session can only run in this process.

    `torchrun`, and more than one of `processes`, are for steps that several processes can share; any other step runs
    in a worker of its own. Raises `UsageError` for an executor that is not there, and for several processes in one
    that knows one.
    """
    name = asked or ("torchrun" if (processes or 1) > 1 else "local")
    if name not in EXECUTORS:
        raise UsageError(f"unknown executor {name!r}", expected=f"one of: {', '.join(EXECUTORS)}")
    if name != "torchrun" and (processes or 1) > 1:
        raise UsageError(f"{processes} processes in the executor {name!r}", expected="executor: torchrun")
    if name == "torchrun" and not (isinstance(component, CoreStep) and component.is_shared):
        name = "local"
    return name if _is_importable(component) else "inline"


class Inline:
    """Runs tasks in this process. What components print goes to the step's log as far as Python sees it."""

    def __init__(self, registry: Registry, is_cancelled: Callable[[], bool]) -> None:
        self._registry = registry
        self._is_cancelled = is_cancelled

    def run(self, component: Component, task: Mapping[str, Any], emit: Emit) -> Outcome:
        """Run one task. Raises what it raises, as a `WorkbenchError`."""
        from workbench.engine.dispatch import Surroundings, perform

        log = Path(task["log"])
        pool = WorkerPool(task["workers"], self._registry)
        pool.attend(log, self._is_cancelled, isolated=task["isolated"])
        memory.reset_peak()
        try:
            emit_here = _as_now(emit)
            with _printing_to(log):
                facts = perform(component, task, Surroundings(emit_here, pool.map, self._is_cancelled))
        except (Exception, SystemExit) as error:
            raise as_workbench_error(error, f"step {task['step']}", log) from error
        finally:
            pool.close()
        return Outcome(facts, memory.peak_bytes() + pool.take_peak())

    def close(self) -> None:
        """Nothing stays."""


class Local:
    """Runs tasks in a worker process that stays warm between steps while that is safe.

    It is replaced after a failure, when a step wants another number of threads, when it holds much memory, and when
    a step leaves threads running.
    """

    def __init__(self, registry: Registry, is_cancelled: Callable[[], bool]) -> None:
        self._components = portable(registry.refs())
        self._is_cancelled = is_cancelled
        self._worker: WorkerProcess | None = None
        self._threads = 0

    def prepare(self, threads: int, log: Path) -> None:
        """Start the worker, so that it imports what it needs while the task is put together."""
        self._warm(threads, log)

    def run(self, component: Component, task: Mapping[str, Any], emit: Emit) -> Outcome:
        """Run one task. Raises what it raises, and `WorkerDied` when the worker dies."""
        worker = self._warm(task["threads"], Path(task["log"]))
        try:
            worker.send({"step": dict(task)})
            answer = self._listen(worker, emit)
        except EOFError:
            self._worker = None
            raise _death(worker, task, component) from None
        except BaseException:
            self._worker = None
            worker.kill()
            raise
        if "error" in answer or answer["threads_left"] or answer["held_bytes"] > MAX_HELD_BYTES:
            self.close()
        if "error" in answer:
            raise from_json(answer["error"])
        return Outcome(answer["facts"], answer["peak_bytes"])

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _warm(self, threads: int, log: Path) -> WorkerProcess:
        if self._worker is not None and self._threads != threads:
            self.close()
        if self._worker is None:
            self._worker = WorkerProcess(threads, self._components, log)
            self._threads = threads
        return self._worker

    def _listen(self, worker: WorkerProcess, emit: Emit) -> dict[str, Any]:
        """Pass on events until the answer comes; tell the worker once when the user asks to stop."""
        told = False
        while True:
            message = worker.receive(POLL_SECONDS)
            if self._is_cancelled() and not told:
                told = True
                worker.send({"cancel": True})
            if message is None:
                continue
            if "event" not in message:
                return message
            emit(message["event"], message["fields"])


def _as_now(emit: Emit) -> Emit:
    """Return `emit` with standard output as it is now, whatever it is when an event comes."""
    output, error = sys.stdout, sys.stderr

    def emit_there(event: str, fields: dict[str, Any]) -> None:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
            emit(event, fields)

    return emit_there


@contextlib.contextmanager
def _printing_to(log: Path) -> Iterator[None]:
    with log.open("a", encoding="utf-8") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        yield


def _death(worker: WorkerProcess, task: Mapping[str, Any], component: Component) -> WorkerDied:
    ending = worker.ending()
    worker.channel.close()
    said = last_line(Path(task["log"]))
    death = WorkerDied(
        f"the worker died ({ending}) while it ran {component.component_id}"
        + (f"\n  last line: {said}" if said else ""),
        where=f"step {task['step']}",
        advice=f"see {task['log']}",
    )
    death.ending = ending
    return death


def _is_importable(component: Component) -> bool:
    cls = type(component)
    here = cls.__module__ != "__main__" and "<locals>" not in cls.__qualname__
    return here and all(_is_importable(inner) for inner in nested(component))
