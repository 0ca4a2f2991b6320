"""Rules of watching: quiet where it is kept, nothing of it acts on a terminal."""

from __future__ import annotations

import io
import json

import pytest

from workbench.engine.progress import JsonLines, PlainLines, describe, watcher
from workbench.engine.terminal import TerminalBars

EVENTS = [
    {"event": "run-started", "run": "r", "folder": "f", "steps": ["a", "b"]},
    {"event": "step-cached", "step": "a", "path": "p"},
    {"event": "step-started", "step": "b", "component": "filter/chain"},
    {"event": "step-progress", "step": "b", "done": 1, "total": 4000, "unit": "documents"},
    {"event": "step-progress", "step": "b", "done": 1200, "total": 4000, "unit": "documents"},
    {"event": "step-metrics", "step": "b", "number": 1200, "loss": 3.21, "note": "text"},
    {"event": "step-log", "step": "b", "message": "evil \x1b[2J\nline [red]"},
    {"event": "step-failed", "step": "b", "error": ["step b: it broke \x1b[31m", "  do: this"], "log": "l"},
    {"event": "step-stopped", "step": "b", "error": ["step b: stopped", "  do: this"]},
    {"event": "step-skipped", "step": "c", "because": "b"},
    {"event": "step-skipped", "step": "d", "because": "stopped"},
    {"event": "step-finished", "step": "e", "seconds": 3.14, "peak_bytes": 3 << 20, "path": "p"},
    {"event": "run-finished", "status": "failed", "seconds": 1.0},
]
PLAIN = """\
a: cached
b: started (filter/chain)
b: evil \\x1b[2J\\nline [red]
b: failed
  step b: it broke \\x1b[31m
    do: this
b: stopped
  step b: stopped
    do: this
c: skipped (needs b)
d: skipped (stopped)
e: done in 3.1 s, 3.0 MiB
"""


def test_plain_lines():
    """One line for what starts and ends; hostile text is visible and does nothing."""
    stream = io.StringIO()
    watch = PlainLines(stream, clock=lambda: 0.0)
    for event in EVENTS:
        watch(event)
    assert stream.getvalue() == PLAIN


def test_plain_progress_comes_every_five_seconds():
    """Progress is told at most every five seconds."""
    stream, now = io.StringIO(), [0.0]
    watch = PlainLines(stream, clock=lambda: now[0])
    for second in range(13):
        now[0] = float(second)
        watch({"event": "step-progress", "step": "b", "done": second, "total": None, "unit": "shards"})
    assert stream.getvalue() == "b: 0 shards\nb: 5 shards\nb: 10 shards\n"


def test_words():
    """Progress and measurements in words; an event that needs none has none."""
    assert describe(EVENTS[4]) == ["b: 1,200 of 4,000 documents"]
    assert describe(EVENTS[5]) == ["b: 1,200  loss 3.21"]
    assert describe(EVENTS[0]) == []


def test_json_lines():
    """Every event is one line of JSON."""
    stream = io.StringIO()
    for event in EVENTS:
        JsonLines(stream)(event)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == EVENTS


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_bars(monkeypatch: pytest.MonkeyPatch):
    """On a terminal the same words stand above the bar, markup and escapes of others shown and not obeyed."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    watch = watcher(stream)
    assert isinstance(watch, TerminalBars)
    for event in EVENTS:
        watch(event)
    assert "\x1b[2J" not in stream.getvalue()
    for line in ("a: cached", "evil \\x1b[2J\\nline [red]", "d: skipped (stopped)", "e: done in 3.1 s, 3.0 MiB"):
        assert line in stream.getvalue()


def test_who_watches():
    """A pipe gets plain lines."""
    assert isinstance(watcher(io.StringIO()), PlainLines)
