"""The progress of a run under a notebook cell: one table, renewed at most four times a second.

Where there is no notebook, `watch` gives the plain lines of the command line instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.engine.events import Observer
from workbench.engine.progress import PlainLines, describe_metrics, describe_progress
from workbench.files.text import safe_line
from workbench.notebook.display import Shown
from workbench.showing import Grid, View
from workbench.wording import duration, size

SECONDS_BETWEEN = 0.25
STATUS = {
    "step-cached": "cached",
    "step-finished": "ran",
    "step-failed": "failed",
    "step-stopped": "stopped",
    "step-skipped": "skipped",
}
ENDS = (*STATUS, "run-finished")


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
        show: Takes the view whenever it is to be drawn anew.
        clock: Seconds that only grow.
    """

    def __init__(self, show: Callable[[View], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
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
        if kind in ENDS or self._clock() >= self._due:
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
            line.progress = describe_progress(event)
        elif kind == "step-metrics":
            line.message = describe_metrics(event)
        elif kind == "step-log":
            line.message = safe_line(str(event["message"]))
        elif kind in ("step-failed", "step-stopped"):
            line.message = safe_line(" ".join(event["error"]))


def watch() -> Observer:
    """Return an observer for a run: a table under the notebook cell, or lines where there is no notebook."""
    show = cell_output()
    return PlainLines(sys.stdout) if show is None else RunProgress(show)


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
            handles.append(display(Shown(view), display_id=True))  # type: ignore[no-untyped-call]

    return show
