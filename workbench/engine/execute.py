"""Run a pipeline: every step once, what is there already not at all.

Special here: steps go in topological order and a failed one takes along only those that need it; a result is made
under the lock of its fingerprint, so that of several processes one computes; an input that turns out to be damaged is
made again before the step that needs it. A run in which everything is cached starts no worker and imports nothing
heavy.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench.engine.events import EventLog, Observer
from workbench.engine.executors import executor_name
from workbench.engine.failures import as_workbench_error, traceback_of
from workbench.engine.making import Maker, Surroundings
from workbench.engine.stopping import Stop
from workbench.errors import EnvironmentProblem, Interrupted
from workbench.files.atomic import write_json
from workbench.pipeline.fingerprint import Identity, canonical_json
from workbench.pipeline.graph import Graph, Step
from workbench.pipeline.lock import make_lock
from workbench.registry import Registry
from workbench.store.objects import Store
from workbench.store.runs import HAS_RESULT, RunRecord, RunRequest, Runs, RunStatus, StepRecord


def execute(  # noqa: PLR0913  # each is a fact of its own, and all but the first four have defaults
    graph: Graph,
    identities: Mapping[str, Identity],
    store: Store,
    runs: Runs,
    *,
    registry: Registry,
    observers: Sequence[Observer] = (),
    until: str | None = None,
    executor: str | None = None,
    lock: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
) -> RunRecord:
    """Run every step of `graph` that has no result yet, and return the record of the run.

    A step that fails does not raise: the record says which, and why. Steps that do not need it still run.

    Args:
        graph: The pipeline.
        identities: What `identify` returned for it.
        store: Where results lie.
        runs: Where the record goes.
        registry: Where workers find the components; its plugins hear of every event.
        observers: Called with every event.
        until: The last step wanted.
        executor: `local` (the default: worker processes), `inline` (this process) or `torchrun` (several processes for
            one training step); a step's own choice counts more.
        lock: What the run depends on; made here when it is not given.
        overrides: What was changed in the file, `path=value` each; for the record.

    Raises:
        UsageError: `until` or an executor is unknown.
        EnvironmentProblem: the record itself cannot be written.
    """
    graph = graph.until(until) if until is not None else graph
    for step in graph.steps.values():
        executor_name(step.run.executor or executor, step.component, step.run.processes)
    identities = {name: identities[name] for name in graph.steps}
    locked = dict(lock) if lock is not None else make_lock(graph, identities)
    steps = [
        StepRecord(name, step.component.component_id, identities[name].fingerprint, identities[name].signals)
        for name, step in graph.steps.items()
    ]
    store.sweep()
    request = RunRequest(
        graph.name, graph.source, locked, graph.seed, str(graph.base.absolute()), until, tuple(overrides)
    )
    record = runs.create(request, steps)
    events = EventLog(record, observers, registry)
    stop = Stop(lambda message: events.emit("run-log", message=message))
    run = Surroundings(graph, identities, store, record, events, stop, registry, executor)
    _Execution(run, runs, locked).run()
    return record


class _Execution:
    """One run under way."""

    def __init__(self, run: Surroundings, runs: Runs, lock: dict[str, Any]) -> None:
        self._run = run
        self._runs = runs
        self._lock = lock
        self._maker = Maker(run, self._remake)

    def run(self) -> None:
        """Settle every step, then close the record, however it ends."""
        run, record = self._run, self._run.record
        started = time.monotonic()
        status: RunStatus = "failed"
        try:
            run.events.emit("run-started", run=record.id, folder=str(record.folder), steps=list(run.graph.steps))
            with run.stop.listening():
                for step in run.graph.steps.values():
                    self._settle(step)
            status = self._status()
        except KeyboardInterrupt:
            status = "interrupted"
        finally:
            with suppress(KeyboardInterrupt):
                self._maker.close()
            record.seconds = round(time.monotonic() - started, 3)
            self._finish(status)

    def _status(self) -> RunStatus:
        if self._run.stop.is_asked() and any(step.status not in HAS_RESULT for step in self._run.record.steps):
            return "interrupted"
        return "failed" if any(step.status == "failed" for step in self._run.record.steps) else "done"

    def _finish(self, status: RunStatus) -> None:
        run, record = self._run, self._run.record
        for step in record.steps:
            if step.status in ("waiting", "running"):
                step.status = "stopped" if step.status == "running" and status == "interrupted" else "skipped"
        record.status = status
        try:
            self._save_lock()
            run.events.save_metrics()
        finally:
            try:
                run.events.emit("run-finished", status=status, seconds=record.seconds)
            finally:
                run.events.close()
                self._runs.finish(record, status)

    def _save_lock(self) -> None:
        """Add to the lock what the results are, so that another run can be compared with this one."""
        steps = dict(self._lock.get("steps", {}))
        for step in self._run.record.steps:
            if step.status in HAS_RESULT and step.name in steps:
                manifest = self._run.store.manifest(step.fingerprint)
                steps[step.name] = {**steps[step.name], "result": _result_digest(manifest)}
        write_json(self._run.record.folder / "lock.json", {**self._lock, "steps": steps})

    def _settle(self, step: Step) -> None:
        """Bring one step to its end: cached, ran, failed or skipped."""
        run = self._run
        record = run.record.step(step.name)
        lacking = [ref.step for ref in step.refs if run.record.step(ref.step).status not in HAS_RESULT]
        if run.stop.is_asked() or lacking:
            record.status = "skipped"
            run.events.emit("step-skipped", step.name, because=lacking[0] if lacking else "stopped")
        elif run.store.has(record.fingerprint) and (record.signals is None or run.store.has(record.signals)):
            self._take_cached(record)
        else:
            if run.store.folder(record.fingerprint).exists():
                problem = run.store.fault(record.fingerprint)
                run.events.emit("step-log", step.name, message=f"the stored result is damaged: {problem}")
            self._make(step, record)

    def _take_cached(self, record: StepRecord) -> None:
        record.status = "cached"
        record.path = str(self._run.store.folder(record.fingerprint) / "data")
        self._run.events.emit("step-cached", record.name, path=record.path)

    def _make(self, step: Step, record: StepRecord) -> None:
        run = self._run
        record.status = "running"
        run.record.save()
        run.events.emit("step-started", step.name, component=record.component)
        started = time.monotonic()
        try:
            effort = self._maker.make(step)
        except Exception as error:  # noqa: BLE001  # a step that fails must not stop the others
            record.seconds = round(time.monotonic() - started, 3)
            if isinstance(error, Interrupted) and run.stop.is_asked():
                self._note_stop(record)
            else:
                self._note_failure(record, error)
            return
        finally:
            run.events.save_metrics()
        if not effort.made:
            self._take_cached(record)
            return
        record.status = "ran"
        record.seconds, record.peak_bytes = round(effort.seconds, 3), effort.peak_bytes
        record.path = str(run.store.folder(record.fingerprint) / "data")
        facts = {"seconds": record.seconds, "peak_bytes": record.peak_bytes, "path": record.path}
        run.events.emit("step-finished", step.name, **facts)
        run.record.save()

    def _note_failure(self, record: StepRecord, problem: Exception) -> None:
        log = self._run.record.log(record.name)
        error = as_workbench_error(problem, f"step {record.name}", log)
        record.status = "failed"
        record.error = error.message.splitlines()
        record.traceback = traceback_of(error)
        record.exit_status = error.exit_status
        self._run.record.save()
        self._run.events.emit("step-failed", record.name, error=record.error, log=str(log))

    def _note_stop(self, record: StepRecord) -> None:
        """Say that the user stopped the step, what is kept of it, and how to go on."""
        run = self._run
        folders = [run.store.root / "partial" / name for name in (record.fingerprint, record.signals) if name]
        kept = [folder for folder in folders if any(path.is_file() for path in folder.rglob("*"))]
        again = "run the same command again"
        error = Interrupted(
            f"stopped; what it has done is kept in {kept[0]}" if kept else "stopped; nothing of it is kept",
            where=f"step {record.name}",
            advice=f"{again}: it goes on from there" if kept else f"{again}: it begins anew, finished steps are kept",
        )
        record.status = "stopped"
        record.error = error.message.splitlines()
        record.exit_status = error.exit_status
        run.record.save()
        run.events.emit("step-stopped", record.name, error=record.error)

    def _remake(self, step: Step) -> None:
        """Make a result again that another step needs and that turned out to be damaged."""
        record = self._run.record.step(step.name)
        self._make(step, record)
        if record.status not in HAS_RESULT:
            raise (
                Interrupted("stopped")
                if self._run.stop.is_asked()
                else EnvironmentProblem(
                    "a damaged input could not be made again",
                    where=f"step {step.name}",
                    advice="see the error of that step",
                )
            )


def _result_digest(manifest: Mapping[str, Any]) -> str:
    """Return `rows:…` for a corpus, else `files:…` over the digests of all files."""
    if "rows_digest" in manifest:
        return f"rows:{manifest['rows_digest']}"
    return f"files:{hashlib.sha256(canonical_json(manifest['files']).encode()).hexdigest()}"
