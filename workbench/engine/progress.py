"""Watch a run: plain lines for a pipe or a log file, JSON lines for a program, bars for a terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TextIO

from workbench.engine.events import Event, Observer
from workbench.files.text import safe_line, safe_text
from workbench.wording import duration, number, size

QUIET_SECONDS = 5.0


def watcher(stream: TextIO) -> Observer:
    """Return bars for a terminal, plain lines for everything else."""
    if stream.isatty():
        from workbench.engine.terminal import TerminalBars

        return TerminalBars(stream)
    return PlainLines(stream)


class JsonLines:
    """Writes every event as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self._stream.write(json.dumps(dict(event), ensure_ascii=True, default=str) + "\n")
        self._stream.flush()


class PlainLines:
    """Writes one line for what starts and what ends, and how far it is at most every five seconds.

    Args:
        stream: Where to write.
        clock: Gives seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._due = 0.0

    def __call__(self, event: Event) -> None:
        """Write what a person wants to know of one event."""
        if event["event"] in ("step-progress", "step-metrics"):
            if self._clock() < self._due:
                return
            self._due = self._clock() + QUIET_SECONDS
        if event["event"] == "step-started":
            self._due = self._clock() + QUIET_SECONDS
        for line in describe(event):
            self._stream.write(f"{line}\n")
        self._stream.flush()


def describe(event: Event) -> list[str]:
    """Return the lines that say one event to a person; none for what needs no words."""
    say = _WORDS.get(event["event"])
    if say is None:
        return []
    step = f"{safe_line(str(event['step']))}: " if "step" in event else ""
    first, *rest = say(event)
    return [step + first, *rest]


def describe_progress(event: Event) -> str:
    """Return `120 of 4,000 documents`."""
    done, total, unit = event["done"], event.get("total"), safe_line(str(event["unit"]))
    return f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"


def describe_metrics(event: Event) -> str:
    """Return `120  loss 3.21  tokens_per_second 4,100`."""
    known = ("time", "event", "step", "number")
    values: dict[str, Any] = {name: value for name, value in event.items() if name not in known}
    shown = [f"{safe_line(name)} {number(value)}" for name, value in values.items() if isinstance(value, (int, float))]
    return "  ".join([f"{event['number']:,}", *shown])


def _describe_failure(event: Event) -> list[str]:
    return ["failed", *_message(event)]


def _message(event: Event) -> list[str]:
    return [f"  {safe_text(line)}" for line in event["error"]]


def _describe_skip(event: Event) -> str:
    return "skipped (stopped)" if event["because"] == "stopped" else f"skipped (needs {safe_line(event['because'])})"


_WORDS: dict[str, Callable[[Event], list[str]]] = {
    "step-cached": lambda _event: ["cached"],
    "step-started": lambda event: [f"started ({event['component']})"],
    "step-progress": lambda event: [describe_progress(event)],
    "step-metrics": lambda event: [describe_metrics(event)],
    "step-log": lambda event: [safe_line(str(event["message"]))],
    "run-log": lambda event: [safe_line(str(event["message"]))],
    "step-finished": lambda event: [f"done in {duration(event['seconds'])}, {size(event['peak_bytes'])}"],
    "step-failed": _describe_failure,
    "step-stopped": lambda event: ["stopped", *_message(event)],
    "step-skipped": lambda event: [_describe_skip(event)],
}
