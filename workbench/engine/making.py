"""Make one result: find its inputs, take its lock, run the task, commit what it left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.contracts.component import settings_of
from workbench.engine.dispatch import SIGNALS, Stage
from workbench.engine.events import EventLog
from workbench.engine.executors import Inline, Local, Outcome, executor_name
from workbench.engine.processes import num_processors
from workbench.engine.several import Torchrun, num_devices, threads_of
from workbench.engine.stopping import Stop
from workbench.errors import DamagedObject, WorkerDied
from workbench.pipeline.fingerprint import Identity
from workbench.pipeline.graph import Graph, InputRef, Step
from workbench.registry import Registry
from workbench.store.objects import Store
from workbench.store.runs import RunRecord

Executor = Inline | Local | Torchrun
KINDS: dict[str, type[Executor]] = {"inline": Inline, "local": Local, "torchrun": Torchrun}


@dataclass(frozen=True)
class Surroundings:
    """What every step of a run shares."""

    graph: Graph
    identities: dict[str, Identity]
    store: Store
    record: RunRecord
    events: EventLog
    stop: Stop
    registry: Registry
    executor: str | None


@dataclass
class Effort:
    """What the making of one step cost.

    Attributes:
        seconds: From the start of each task to its commit; waiting for another process does not count.
        peak_bytes: The most memory of any of its tasks.
        made: Whether the result, or its signals, were made here, not by another process meanwhile.
    """

    seconds: float = 0.0
    peak_bytes: int = 0
    made: bool = False


class Maker:
    """Makes results, with executors that stay warm from step to step.

    Args:
        run: What the steps share.
        remake: Called with the step whose damaged result is needed again.
    """

    def __init__(self, run: Surroundings, remake: Callable[[Step], None]) -> None:
        self._run = run
        self._remake = remake
        self._executors: dict[str, Executor] = {}

    def make(self, step: Step) -> Effort:
        """Make the result of `step`, its signals first when it measures. Raises `WorkbenchError`."""
        identity = self._run.identities[step.name]
        effort = Effort()
        executor = self._executor(step)
        if isinstance(executor, Local):
            executor.prepare(self._threads(step), self._run.record.log(step.name))
        if identity.signals is None:
            effort.made = self._make(step, identity.fingerprint, "all", effort)
            return effort
        has_measured = self._make(step, identity.signals, "signals", effort)
        effort.made = self._make(step, identity.fingerprint, "verdict", effort) or has_measured
        return effort

    def close(self) -> None:
        """End the workers."""
        for executor in self._executors.values():
            executor.close()

    def _make(self, step: Step, fingerprint: str, stage: Stage, effort: Effort) -> bool:
        """Make one object; returns False when it is there, perhaps made by another process meanwhile."""
        store = self._run.store
        if stage == "signals" and store.has(fingerprint):
            return False
        inputs = self._inputs(step, stage)
        waiting = _Waiting(self._run.events, step.name)
        with store.lock(fingerprint, waiting=waiting, is_cancelled=self._run.stop.is_asked):
            if store.has(fingerprint):
                return False
            started = time.monotonic()
            task = self._task(step, fingerprint, stage, inputs)
            try:
                outcome = self._attempt(step, stage, task)
            except WorkerDied as death:
                if step.component.kind != "filter" or not death.ending:  # without one it came from a worker's worker
                    raise
                note = f"the worker died ({death.ending}); looking for the document it died on"
                self._run.events.emit("step-log", step.name, message=note)
                outcome = self._attempt(step, stage, {**task, "isolated": True})
            effort.seconds += time.monotonic() - started
            effort.peak_bytes = max(effort.peak_bytes, outcome.peak_bytes)
        return True

    def _attempt(self, step: Step, stage: Stage, task: dict[str, Any]) -> Outcome:
        """Run one task in a fresh folder and commit what it left."""
        store, fingerprint = self._run.store, task["id"]
        with store.staging(fingerprint) as staging, store.scratch() as scratch, store.keeping(fingerprint):
            places = {"output": str(staging / "data"), "scratch": str(scratch)}
            outcome = self._executor(step).run(step.component, {**task, **places}, self._emit_for(step.name))
            store.commit(fingerprint, staging, {**outcome.facts, **self._labels(step, stage)})
        return outcome

    def _labels(self, step: Step, stage: Stage) -> dict[str, Any]:
        identity = self._run.identities[step.name]
        key = identity.signals_key if stage == SIGNALS else identity.key
        return {"component": step.component.component_id, "key": key}

    def _task(self, step: Step, fingerprint: str, stage: Stage, inputs: dict[str, Any]) -> dict[str, Any]:
        record = self._run.record
        executor = self._executor_name(step)
        return {
            "id": fingerprint,
            "step": step.name,
            "use": step.component.component_id,
            "settings": settings_of(step.component),
            "stage": stage,
            "inputs": inputs,
            "partial": str(self._run.store.partial(fingerprint)),
            "seed": self._run.graph.seed,
            "base": str(self._run.graph.base.absolute()),
            "workers": step.run.workers or (1 if executor == "inline" else num_processors()),
            "threads": self._threads(step),
            "processes": self._processes(step),
            "device": step.run.device or "auto",
            "logs": str(record.folder / "tensorboard" / step.name),
            "log": str(record.log(step.name)),
            "isolated": False,
        }

    def _inputs(self, step: Step, stage: Stage) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for port, refs in step.inputs.items():
            if isinstance(refs, InputRef) and not type(step.component).inputs[port].many:
                inputs[port] = self._input(refs)
            else:  # a port that takes many is given a list, also of one
                inputs[port] = [self._input(ref) for ref in ((refs,) if isinstance(refs, InputRef) else refs)]
        signals = self._run.identities[step.name].signals
        if stage == "verdict" and signals is not None:
            inputs[SIGNALS] = {
                "type": SIGNALS,
                "path": str(self._run.store.data(signals)),
                "fingerprint": signals,
                "part": None,
                "step": step.name,
            }
        return inputs

    def _input(self, ref: InputRef) -> dict[str, Any]:
        producer = self._run.graph.steps[ref.step]
        fingerprint = self._run.identities[ref.step].fingerprint
        return {
            "type": producer.component.output,
            "path": str(self._verified(producer, fingerprint)),
            "fingerprint": fingerprint,
            "part": ref.part,
            "step": ref.step,
        }

    def _verified(self, producer: Step, fingerprint: str) -> Path:
        """Return the data folder of an input; one that is damaged is made again, once."""
        try:
            return self._run.store.data(fingerprint)
        except DamagedObject as damage:
            self._run.events.emit("step-log", producer.name, message=f"the stored result is damaged: {damage.what}")
            self._remake(producer)
            return self._run.store.data(fingerprint)

    def _processes(self, step: Step) -> int:
        return (step.run.processes or num_devices()) if self._executor_name(step) == "torchrun" else 1

    def _threads(self, step: Step) -> int:
        return step.run.threads or threads_of(self._processes(step))

    def _executor(self, step: Step) -> Executor:
        name = self._executor_name(step)
        if name not in self._executors:
            self._executors[name] = KINDS[name](self._run.registry, self._run.stop.is_asked)
        return self._executors[name]

    def _executor_name(self, step: Step) -> str:
        return executor_name(step.run.executor or self._run.executor, step.component, step.run.processes)

    def _emit_for(self, step: str) -> Callable[[str, dict[str, Any]], None]:
        return lambda event, fields: self._run.events.emit(event, step, **fields)


class _Waiting:
    """Says once that another process makes the result."""

    def __init__(self, events: EventLog, step: str) -> None:
        self._events = events
        self._step = step

    def __call__(self) -> None:
        self._events.emit("step-log", self._step, message="another process makes this result; waiting for it")
