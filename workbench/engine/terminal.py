"""Watch a run on a terminal: one bar for the step that runs, one line for each that has ended."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from workbench.engine.events import Event
from workbench.engine.progress import describe, describe_metrics, describe_progress
from workbench.files.text import safe_line

STYLES = {"step-failed": "red", "step-stopped": "yellow", "step-skipped": "yellow", "step-cached": "dim"}


class TerminalBars:
    """Shows the running step with a bar, and says what has ended above it.

    Args:
        stream: A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[said]}", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        step = safe_line(str(event.get("step", "")))
        match event["event"]:
            case "run-started":
                self._progress.start()
            case "step-started":
                self._tasks[step] = self._progress.add_task(step, total=None, said="")
            case "step-progress":
                self._progress.update(
                    self._tasks[step], completed=event["done"], total=event.get("total"), said=describe_progress(event)
                )
            case "step-metrics":
                self._progress.update(self._tasks[step], said=describe_metrics(event))
            case "run-finished":
                self._progress.stop()
            case name:
                self._end(step, name)
                for line in describe(event):
                    self._console.print(Text(line, style=STYLES.get(name, "")))

    def _end(self, step: str, event: str) -> None:
        if step in self._tasks and event != "step-log":
            self._progress.remove_task(self._tasks.pop(step))
