"""Text for a person: rich on a terminal, plain lines when piped.

Everything goes through `safe_text`, and rich never interprets markup: what stands in a corpus cannot colour,
move or fake anything on the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from workbench.wording import aligned

MARGIN = "  | "
MARKED = {"failed": "red", "damaged": "red", "different": "red", "cached": "green", "bit-equal": "green"}


def say(text: str = "") -> None:
    """Print lines."""
    from workbench.files.text import safe_text

    for line in text.split("\n"):
        click.echo(safe_text(line))


def note(text: str) -> None:
    """Print lines for the person to standard error, where they cannot mix with a result."""
    from workbench.files.text import safe_text

    for line in text.split("\n"):
        click.echo(safe_text(line), err=True)


def heading(text: str) -> None:
    """Print a line that stands over others; bold on a terminal."""
    from workbench.files.text import safe_line

    click.secho(safe_line(text), bold=True)


def passage(title: str, text: str) -> None:
    """Print a piece of a corpus under its heading, set in, so that it cannot be taken for output of the program."""
    from workbench.files.text import safe_text

    heading(title)
    for line in safe_text(text).split("\n"):
        for piece in _fitted(line) if sys.stdout.isatty() else [line]:
            click.echo(f"{MARGIN}{piece}")


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """Print rows under headers; `numbers` are the columns set to the right.

    On a terminal the table fits its width (a column without a header, of bars, is cut); piped, it is as `lines`.
    """
    if sys.stdout.isatty():
        _print_rich(*_safe(headers, rows), numbers)
    else:
        lines(headers, rows, numbers=numbers)


def lines(headers: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """Print every row as one line, whatever its length, so that a path in it can be copied."""
    for line in aligned(*_safe(headers, rows), numbers):
        click.echo(line)


def _safe(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[list[str], list[list[str]]]:
    from workbench.files.text import safe_line

    return [safe_line(header) for header in headers], [[safe_line(str(cell)).strip() for cell in row] for row in rows]


def facts(pairs: Sequence[tuple[str, object]]) -> None:
    """Print `name  value` lines, the values below each other."""
    from workbench.files.text import safe_line

    for line in aligned([], [[safe_line(name), safe_line(str(value))] for name, value in pairs]):
        click.echo(line)


def _fitted(line: str) -> list[str]:
    """Return a line in pieces that fit the terminal beside the margin."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout)
    room = max(console.width - len(MARGIN), 1)
    return [piece.plain.rstrip() for piece in Text(line).wrap(console, room)]


def _print_rich(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for position, header in enumerate(headers):
        drawn.add_column(
            Text(header),
            justify="right" if position in numbers else "left",
            overflow="fold" if header else "crop",
            no_wrap=not header,
        )
    for row in rows:
        drawn.add_row(*(Text(cell, style=MARKED.get(cell, "")) for cell in row))
    Console(file=sys.stdout, markup=False, highlight=False, emoji=False).print(drawn)
