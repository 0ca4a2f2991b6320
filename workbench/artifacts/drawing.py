"""Drawing pictures as SVG in one style: the same numbers give the same bytes, on every machine.

Only the font that comes with matplotlib is used; a name in another script stands as a number in the picture, and with
its number in the table below it (`names_in`). Readable without colour: say everything in numbers, hatching or marks
too.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

INK, QUIET, BLUE, ORANGE, GREY = "#1b1f24", "#57606a", "#0a5ad0", "#f0a860", "#8c959f"
STYLE = {
    "svg.hashsalt": "workbench",  # else ids inside the file are random
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 0.7,
}
WIDTH_INCHES = 8.6
NAME_CHARACTERS = 28  # a longer name is cut in a picture


@contextmanager
def drawing(height: float) -> Iterator[tuple[Figure, Any]]:
    """Give a figure of `height` inches and its axes, in the house's style."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        yield figure, figure.subplots()


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG without date or program name."""
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def plain(name: str) -> str:
    r"""Return a name in the characters that the font of the pictures has.

    >>> plain("raw"), plain("语料")
    ('raw', '\\u8bed\\u6599')
    """
    return name.encode("ascii", "backslashreplace").decode()


def names_in(names: Sequence[str]) -> list[str]:
    """Return what stands for each name in a picture: the name where the font has all of it, else its number from 1.

    A long name loses its end, a long path its beginning.

    >>> names_in(["en", "музыка", "体育"])
    ['en', 'музыка', '#3']
    >>> names_in(["x" * 40, "/long/way/to/crawl/pages-00001.warc.gz"])
    ['xxxxxxxxxxxxxxxxxxxxxxxxxxx…', '…o/crawl/pages-00001.warc.gz']
    """
    known = _characters()
    shown = [_cut(name) for name in names]
    return [
        name if name.isprintable() and known.issuperset(map(ord, name)) else f"#{number}"
        for number, name in enumerate(shown, start=1)
    ]


def _cut(name: str) -> str:
    if len(name) <= NAME_CHARACTERS:
        return name
    kept = NAME_CHARACTERS - 1
    return f"…{name[-kept:]}" if "/" in name else f"{name[:kept]}…"


@cache
def _characters() -> frozenset[int]:
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font = FT2Font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    return frozenset(font.get_charmap())
