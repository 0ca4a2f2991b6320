"""The progress of a run under a notebook cell: one table, renewed at most four times a second.

Without a notebook (a script, a test) it prints one line when a step starts, is found or ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.files.text import safe_line
from workbench.notebook.display import Shown
from workbench.showing import Grid, View
from workbench.wording import duration, number, size

SECONDS_BETWEEN = 0.25
SHOWN_METRICS = ("loss", "valid_loss", "tokens_per_second")
ENDS = ("step-cached", "step-finished", "step-failed", "step-skipped", "run-finished")
STATUS = {"step-cached": "cached", "step-finished": "ran", "step-failed": "failed", "step-skipped": "skipped"}


@dataclass
class StepLine:
    """What is known of one step while a run goes on."""

    name: str
    status: str = "waiting"
    progress: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    message: str = ""


class RunProgress:
    """Observes a run and shows its steps.

    Args:
        show: Takes the view whenever it is to be drawn anew; default: the output of the notebook cell, or printed
            lines where there is no notebook.
        clock: Seconds that only grow.
    """

    def __init__(self, show: Callable[[View], None] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show or cell_output()
        self._clock = clock
        self._due = float("-inf")
        self._steps: dict[str, StepLine] = {}
        self._title = ""

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Take one event of a run."""
        kind = str(event["event"])
        if kind == "run-started":
            self._title = f"run {event['run']}"
            self._steps = {name: StepLine(name) for name in event["steps"]}
        elif kind == "run-finished":
            self._title += f"  {event['status']}"
        elif "step" in event:
            self._take(self._steps.setdefault(event["step"], StepLine(event["step"])), kind, event)
        if self._show is None:
            _print_line(kind, event)
        elif kind in ENDS or self._clock() >= self._due:
            self._show(self.view())
            self._due = self._clock() + SECONDS_BETWEEN

    def view(self) -> View:
        """Return the steps as they stand."""
        rows = [
            (
                line.name,
                line.status,
                line.progress,
                duration(line.seconds or None),
                size(line.peak_bytes or None),
                line.message,
            )
            for line in self._steps.values()
        ]
        return View(
            self._title, grids=[Grid("Steps", ("step", "status", "progress", "time", "memory", ""), rows, (3, 4))]
        )

    def _take(self, line: StepLine, kind: str, event: Mapping[str, Any]) -> None:
        line.status = STATUS.get(kind, "running")
        line.seconds = event.get("seconds", line.seconds)
        line.peak_bytes = event.get("peak_bytes", line.peak_bytes)
        if kind == "step-progress":
            line.progress = progress_words(event)
        elif kind == "step-metrics":
            line.message = metrics_words(event)
        elif kind == "step-log":
            line.message = safe_line(str(event["message"]))
        elif kind == "step-failed":
            line.message = safe_line(" ".join(event["error"]))


def progress_words(event: Mapping[str, Any]) -> str:
    """Return how far a step is, in words.

    >>> progress_words({"done": 3, "total": 12, "unit": "shards"}), progress_words({"done": 3, "unit": "documents"})
    ('3 of 12 shards', '3 documents')
    """
    total = event.get("total")
    of = f" of {number(total)}" if total else ""
    return f"{number(event['done'])}{of} {event['unit']}"


def metrics_words(event: Mapping[str, Any]) -> str:
    """Return the live numbers of a training step, in words.

    >>> metrics_words({"number": 20, "loss": 3.25, "tokens_per_second": 51234.0})
    'step 20, loss 3.25, tokens per second 51,234'
    """
    shown = [f"{name.replace('_', ' ')} {number(event[name])}" for name in SHOWN_METRICS if event.get(name) is not None]
    return ", ".join([f"step {event['number']}", *shown])


def cell_output() -> Callable[[View], None] | None:
    """Return a function that draws a view under the cell that runs, again and again; None outside a notebook."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    handles: list[Any] = []

    def show(view: View) -> None:
        if handles:
            handles[0].update(Shown(view))
        else:
            handles.append(display(Shown(view), display_id=True))

    return show


def _print_line(kind: str, event: Mapping[str, Any]) -> None:
    if kind not in (*ENDS, "step-started"):
        return
    name = event.get("step", "run")
    status = STATUS.get(kind) or event.get("status") or "started"
    took = f" in {duration(event['seconds'])}" if event.get("seconds") else ""
    error = f": {safe_line(' '.join(event['error']))}" if event.get("error") else ""
    print(f"{name} {status}{took}{error}", flush=True)  # noqa: T201  # where there is no notebook, this is its output
