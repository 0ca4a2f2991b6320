"""The events of a run: kept in its record, told to observers and to the plugins that want to know.

An event is a mapping `{"time", "event", "step"?, …}`. The names: `run-started` {run, folder, steps}, `run-log`
{message}, `step-cached` {path}, `step-started` {component}, `step-progress` {done, total, unit}, `step-metrics`
{number, …}, `step-log` {message}, `step-finished` {seconds, peak_bytes, path}, `step-failed` {error, log},
`step-stopped` {error}, `step-skipped` {because}, `run-finished` {status, seconds}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from workbench.files.atomic import disk_errors, replacing
from workbench.files.text import safe_line
from workbench.registry import Registry
from workbench.store.runs import RunRecord

Event = Mapping[str, Any]
Observer = Callable[[Event], None]
PROGRESS_SECONDS = 1.0  # how often progress goes into the record; observers see all of it


class EventLog:
    """Writes the events of one run, and tells everybody.

    Args:
        record: The run.
        observers: Called with every event.
        registry: Its plugins' `workbench_event` hooks are called with every event.
    """

    def __init__(self, record: RunRecord, observers: Sequence[Observer], registry: Registry) -> None:
        self._record = record
        self._path = record.folder / "events.jsonl"
        with disk_errors(self._path):
            self._file = self._path.open("a", encoding="utf-8")
        self._observers: list[tuple[str, Observer]] = [(_name(observer), observer) for observer in observers]
        self._observers += _plugin_observers(registry)
        self._progress_written: dict[str, datetime] = {}
        self._metrics: list[dict[str, Any]] = []

    def emit(self, event: str, step: str | None = None, **fields: Any) -> None:
        """Record one event and tell it. Raises `EnvironmentProblem` when the disk is full."""
        now = datetime.now(UTC)
        head = {"time": now.isoformat(timespec="milliseconds"), "event": event}
        full = {**head, **({"step": step} if step is not None else {}), **fields}
        self._tell(full)
        if event == "step-metrics":
            self._metrics.append({"step": step, "time": head["time"], **fields})
        if event != "step-progress" or self._is_due(step or "", now):
            with disk_errors(self._path):
                self._file.write(json.dumps(_finite(full), ensure_ascii=False, default=str) + "\n")
                self._file.flush()

    def _tell(self, event: Event) -> None:
        for name, observer in list(self._observers):
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001  # whoever watches must not stop what is watched
                self._observers.remove((name, observer))
                self.emit("run-log", message=f"{name} failed and is left out: {type(error).__name__}: {error}")

    def save_metrics(self) -> None:
        """Write `metrics.parquet` with all measurements so far."""
        if not self._metrics:
            return
        import polars as pl

        frame = pl.DataFrame(self._metrics, infer_schema_length=None)
        with replacing(self._record.folder / "metrics.parquet") as path:
            frame.write_parquet(path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_due(self, step: str, now: datetime) -> bool:
        before = self._progress_written.get(step)
        if before is not None and (now - before).total_seconds() < PROGRESS_SECONDS:
            return False
        self._progress_written[step] = now
        return True


def _plugin_observers(registry: Registry) -> list[tuple[str, Observer]]:
    """Return one observer for each plugin's hook, so that one that fails does not take the others along."""
    found: list[tuple[str, Observer]] = []
    for hook in registry.hook.workbench_event.get_hookimpls():

        def tell(event: Event, hook: Any = hook) -> None:
            hook.function(*({"event": event}[name] for name in hook.argnames))

        found.append((f"plugin {safe_line(str(hook.plugin_name))}", tell))
    return found


def _name(observer: Observer) -> str:
    return f"observer {getattr(observer, '__qualname__', type(observer).__qualname__)}"


def _finite(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with numbers that JSON has no word for written as text."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in event.items()
    }
