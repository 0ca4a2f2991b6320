"""The picture of tokenizers beside each other: a dot with its interval for each language and tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.api import drawing, plain, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, GRID = "#1b1f24", "#d0d7de"
COLOURS = ("#0a5ad0", "#c2570c", "#1a7f37", "#8250df", "#57606a", "#bf3989")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")  # told apart without colour
ROW_INCHES, GAP = 0.24, 0.8


@dataclass(frozen=True)
class Dot:
    """One figure with its interval."""

    language: str
    tokenizer: str
    value: float
    low: float
    high: float


def compare(dots: Sequence[Dot]) -> bytes:
    """Draw the dots in groups of languages, one mark for each tokenizer, and a line at 1."""
    languages = list(dict.fromkeys(dot.language for dot in dots))
    names = list(dict.fromkeys(dot.tokenizer for dot in dots))
    place = {
        (language, name): row * (len(names) + GAP) + number
        for row, language in enumerate(languages)
        for number, name in enumerate(names)
    }
    with drawing(1.3 + ROW_INCHES * len(languages) * (len(names) + GAP)) as (figure, axes):
        for number, name in enumerate(names):
            own = [dot for dot in dots if dot.tokenizer == name]
            axes.errorbar(
                [dot.value for dot in own],
                [place[dot.language, name] for dot in own],
                xerr=[[dot.value - dot.low for dot in own], [dot.high - dot.value for dot in own]],
                fmt=MARKS[number % len(MARKS)],
                color=COLOURS[number % len(COLOURS)],
                capsize=3,
                linewidth=1.6,
                label=plain(name),
            )
        axes.axvline(1, color=INK, linewidth=1)
        middle = (len(names) - 1) / 2
        axes.set_yticks(
            [row * (len(names) + GAP) + middle for row in range(len(languages))], [plain(name) for name in languages]
        )
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("bytes per token")
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=4, frameon=False)
        return svg(figure)
