"""Results as a notebook shows them: static HTML and plain text, no script.

What is shown survives a restart of the kernel, an untrusted notebook and GitHub: tables, `<details>`, text bars and
pictures by data address. The one style, the side of a cell, is said by `align` too, for viewers that strip it.
Everything from a corpus is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from workbench.files.text import safe_html, safe_line, safe_text
from workbench.showing import Grid, Image, View
from workbench.wording import aligned

CELL = 300  # characters of a cell that are shown in a notebook
HTML_BAR = "█"
TEXT_BAR = "#"


class Shown:
    """A view that a notebook displays when it stands last in a cell.

    Attributes:
        view: What is shown.
    """

    def __init__(self, view: View) -> None:
        self.view = view

    def __repr__(self) -> str:
        return as_text(self.view)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": as_html(self.view), "text/plain": as_text(self.view)}


def as_text(view: View) -> str:
    """Return a view as plain text."""
    facts = [[safe_line(name), safe_line(value)] for name, value in view.facts]
    lines = [safe_line(view.title), *aligned([], facts)]
    for grid in view.grids:
        lines += ["", *([safe_line(grid.title)] if grid.title else []), *_text_lines(grid)]
    lines += [line for image in view.images for line in ("", f"[{safe_line(image.caption)}] {safe_line(image.alt)}")]
    for passage in view.passages:
        lines += ["", safe_line(passage.heading)]
        lines += [f"  | {line}" for line in safe_text(passage.text).split("\n")]
    return "\n".join(lines)


def as_html(view: View) -> str:
    """Return a view as static HTML; every text in it is escaped."""
    parts = [f"<p><b>{safe_html(view.title)}</b></p>"]
    if view.facts:
        parts.append(_html_table((), view.facts, ()))
    parts += [_html_image(image) for image in view.images]
    parts += [_html_grid(grid) for grid in view.grids]
    if view.passages:
        samples = "".join(
            f"<p><code>{safe_html(passage.heading)}</code></p><pre>{safe_html(passage.text)}</pre>"
            for passage in view.passages
        )
        parts.append(f"<details><summary>{len(view.passages)} samples</summary>{samples}</details>")
    return "\n".join(parts)


def _html_image(image: Image) -> str:
    """Return an image that stands in the notebook itself and survives where inline SVG is stripped."""
    address = f"data:image/svg+xml;base64,{base64.b64encode(image.svg).decode('ascii')}"
    return f'<p>{safe_html(image.caption)}</p><img src="{address}" alt="{safe_html(image.alt)}">'


def _html_grid(grid: Grid) -> str:
    headers, rows = grid.drawn(HTML_BAR)
    title = f"<p>{safe_html(grid.title)}</p>" if grid.title else ""
    return f"{title}{_html_table(headers, rows, grid.numbers)}"


def _html_table(headers: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    head = "".join(f"<th{_side(place in numbers)}>{safe_html(header)}</th>" for place, header in enumerate(headers))
    lines = [f"<tr>{head}</tr>"] if headers else []
    for row in rows:
        cells = (f"<td{_side(place in numbers)}>{safe_html(cell, CELL)}</td>" for place, cell in enumerate(row))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _side(is_number: bool) -> str:  # noqa: FBT001
    """Return the attributes that set a cell to one side: Jupyter sets every cell to the right unless told otherwise."""
    side = "right" if is_number else "left"
    return f' align="{side}" style="text-align: {side}"'


def _text_lines(grid: Grid) -> list[str]:
    headers, rows = grid.drawn(TEXT_BAR)
    shown = [[safe_line(cell, CELL) for cell in row] for row in (headers, *rows)]
    return aligned(shown[0], shown[1:], grid.numbers)
