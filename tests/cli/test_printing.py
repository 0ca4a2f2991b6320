"""Text for a person: on a terminal, in a pipe, and where a terminal can show little."""

import io
import subprocess
import sys

import click
import pytest

from workbench.cli import printing
from workbench.cli.failing import as_workbench_error
from workbench.session import LockMismatch
from workbench.wording import width

HOSTILE = "\x1b[31mred\x1b[0m\u202e [bold]x[/]\nsecond"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_table_on_a_narrow_terminal(monkeypatch):
    """A table fits the terminal; what is too long is folded, not cut."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for name, value in {"COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    printing.table(["step", "why"], [("clean", "config min_words 50 -> 30 of filter/gopher-quality")])
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 2
    plain = [click.unstyle(line) for line in lines]
    assert all(len(line) <= 40 for line in plain)
    assert "filter/gopher-quality" in "".join(line[7:] for line in plain).replace(" ", "")


def test_passage_keeps_its_margin(monkeypatch):
    """However long a line of a document is, no piece of it stands where the program's own words stand."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    printing.passage("a document", "error: " * 30 + "\n" + "茶" * 50)
    lines = [click.unstyle(line) for line in terminal.getvalue().splitlines()]
    assert all(line.startswith("  | ") and width(line) <= 40 for line in lines[1:])
    assert "".join(line[4:] for line in lines).count("茶") == 50


@pytest.mark.parametrize("is_terminal", [True, False])
def test_hostile_text_in_every_place(monkeypatch, is_terminal):
    """Cells, headers, facts, headings and passages show escapes and bidi controls instead of sending them."""
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", stream)
    printing.table([HOSTILE], [(HOSTILE,)])
    printing.facts([(HOSTILE, HOSTILE)])
    printing.passage("a document", HOSTILE)
    printing.say(HOSTILE)
    shown = stream.getvalue()
    assert "[bold]x[/]" in shown
    assert "\u202e" not in shown
    assert "\x1b[31m" not in shown


def test_rows_of_a_pipe_are_lines(capsys):
    """Piped, one row is one line, columns below each other also with wide characters."""
    printing.table(["part", "rows"], [("训练", 12), ("valid", 3)], numbers=[1])
    assert capsys.readouterr().out.splitlines() == ["part   rows", "训练     12", "valid     3"]


def test_a_stream_that_knows_few_characters(finished, ids):
    """Where a character cannot be shown, its escape is; nothing fails."""
    command = [sys.executable, "-m", "workbench", "trace", ids[6], "--store", str(finished.store)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "\\u8336\\u9986" in done.stdout


def test_differences_of_a_lock_are_lines():
    """A lock that does not fit names the first twenty differences, and how many more there are."""
    lines = LockMismatch("run-1", [f"package p{number} 1 -> 2" for number in range(25)]).message.splitlines()
    assert lines[0] == "run-1: not as locked, 25 differences"
    assert lines[3] == "  package p0 1 -> 2"
    assert lines[-1] == "  and 5 more"


def test_errors_of_the_system_are_the_environment():
    """An error of the operating system ends with status 3 and names the file."""
    error = as_workbench_error(FileNotFoundError(2, "No such file or directory", "/data/x"))
    assert (error.exit_status, error.message) == (3, "/data/x: No such file or directory")
    assert "name a folder you may write to" in as_workbench_error(PermissionError(13, "Permission denied", "/x")).advice
