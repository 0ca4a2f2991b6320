"""How numbers, sizes, times and counts are written for a person."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Sequence

WHOLE_FROM = 10_000  # a fraction says nothing beside five digits
KIBI = 1024
SECONDS = 60  # in a minute
MINUTES = 60  # in an hour


def number(value: float | None) -> str:
    """Write a number the way a person reads it.

    >>> number(1234567), number(0.00012345), number(0.51234), number(None), number(12345.678)
    ('1,234,567', '0.0001234', '0.5123', '', '12,346')
    """
    if value is None:
        return ""
    if isinstance(value, int) or abs(value) >= WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def size(num_bytes: float | None) -> str:
    """Write a number of bytes with its unit.

    >>> size(0), size(999), size(1536), size(5 * 2**30), size(None)
    ('0 B', '999 B', '1.5 KiB', '5.0 GiB', '')
    """
    if num_bytes is None:
        return ""
    value = float(num_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < KIBI:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= KIBI
    return f"{value:.1f} TiB"


def duration(seconds: float | None) -> str:
    """Write a time span.

    >>> duration(0.04), duration(3.14), duration(75), duration(7300), duration(None)
    ('0.0 s', '3.1 s', '1 min 15 s', '2 h 01 min', '')
    """
    if seconds is None:
        return ""
    if seconds < SECONDS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), SECONDS)
    if minutes < MINUTES:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // MINUTES} h {minutes % MINUTES:02} min"


def count(value: int, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "document"), count(1200, "document")
    ('1 document', '1,200 documents')
    """
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in per cent.

    >>> share(1, 8), share(0, 0), share(1, 1), share(1, 100000)
    ('12.5 %', '', '100 %', '0.001 %')
    """
    return f"{100 * part / whole:.3g} %" if whole else ""


def listed(items: Sequence[str], shown: int = 4) -> str:
    """Write reasons in one line, the first few of many.

    >>> listed(["a", "b"]), listed(["a", "b", "c"], 1)
    ('a; b', 'a; and 2 more')
    """
    more = [f"and {len(items) - shown} more"] if len(items) > shown else []
    return "; ".join([*items[:shown], *more])


def shortened(text: str, room: int) -> str:
    """Return the first `room` characters of a text, and say so when that is not all.

    >>> shortened("a house", 7), shortened("a house", 4)
    ('a house', 'a ho… (and 3 characters more)')
    """
    hidden = len(text) - room
    return text if hidden <= 0 else f"{text[:room]}… (and {count(hidden, 'character')} more)"


def spread(total: int, wanted: int) -> list[int]:
    """Return at most `wanted` positions of `total`, evenly spread, the first and the last among them.

    >>> spread(3, 10), spread(100, 4), spread(0, 3)
    ([0, 1, 2], [0, 33, 66, 99], [])
    """
    if total <= wanted:
        return list(range(total))
    return [round(index * (total - 1) / (wanted - 1)) for index in range(wanted)]


def aligned(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Container[int] = ()) -> list[str]:
    """Return a table as lines, columns below each other; `numbers` are the columns set to the right.

    Without headers there is no line for them.

    >>> aligned(["part", "rows"], [("train", "1,200"), ("训练", "7")], numbers=[1])
    ['part    rows', 'train  1,200', '训练       7']
    """
    shown = [headers, *rows] if headers else rows
    widths = [max(map(width, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        cells = []
        for position, (cell, room) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (room - width(cell))
            cells.append(gap + cell if position in numbers else cell + gap)
        lines.append("  ".join(cells).rstrip())
    return lines


def width(text: str) -> int:
    """Return how many columns of a terminal a line takes.

    >>> width("abc"), width("语言"), width("e\u0301")
    (3, 4, 1)
    """
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
