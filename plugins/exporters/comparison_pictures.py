"""Pictures of several models at once as SVG: the same numbers give the same bytes.

Readable without colour: lines differ in dashes and carry a mark, bars have their number written beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.exporters.pictures import running_mean, thinned

from workbench.api import drawing, plain, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from workbench.api import Score

INK, QUIET, BLUE = "#1b1f24", "#57606a", "#0a5ad0"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#8c6d00", "#1b1f24")  # told apart by the colour-blind, too
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (3, 1)))
MARKS = "os^Dv*"
NUM_MARKS = 6  # of each line


@dataclass(frozen=True)
class Curve:
    """The losses of a model: float64[steps] over int64[steps] tokens."""

    model: str
    tokens: np.ndarray[Any, Any]
    losses: np.ndarray[Any, Any]


@dataclass(frozen=True)
class Row:
    """A score and the name of the model it judges; `documents` are `id`, `part` and `units` behind it, if they are told."""

    model: str
    score: Score
    documents: pl.DataFrame | None = None


def curves(drawn: Sequence[Curve]) -> bytes:
    """Draw the running means of the losses of all models over the tokens they read."""
    with drawing(4.2) as (figure, axes):
        for number, one in enumerate(drawn):
            tokens, means = thinned(one.tokens, running_mean(one.losses))
            axes.plot(
                tokens,
                means,
                color=COLOURS[number % len(COLOURS)],
                linestyle=DASHES[number % len(DASHES)],
                marker=MARKS[number % len(MARKS)],
                markevery=max(1, len(tokens) // NUM_MARKS),
                markersize=5,
                linewidth=1.8,
                label=plain(one.model),
            )
        axes.set_xlabel("tokens read")
        axes.set_ylabel("training loss (nats per predicted token)")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(axis="y", color="#d0d7de", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=min(5, len(drawn)), frameon=False, handlelength=4)
        return svg(figure)


def scored(name: str, rows: Sequence[Row]) -> bytes:
    """Draw one score of all models as bars from 0 with intervals, numbers and baselines."""
    places = np.arange(len(rows))
    values = np.array([row.score.value for row in rows])
    errors = np.array(
        [[row.score.value - row.score.low for row in rows], [row.score.high - row.score.value for row in rows]]
    )
    ends = [max(row.score.high, row.score.value, row.score.baseline or 0.0) for row in rows]
    with drawing(1.1 + 0.42 * len(rows)) as (figure, axes):
        axes.barh(places, values, 0.6, color="#b6d0f2", edgecolor=BLUE, linewidth=0.8)
        axes.errorbar(values, places, xerr=errors, fmt="none", color=INK, capsize=4, linewidth=1.6)
        for place, row in enumerate(rows):
            axes.text(ends[place], place, f"   {row.score.value:.4g}", va="center", color=INK)
            if row.score.baseline is not None:
                axes.plot([row.score.baseline] * 2, [place - 0.38, place + 0.38], color="#d55e00", linewidth=2.2)
        axes.set_yticks(places, [plain(row.model) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        low = min(0.0, *(row.score.low for row in rows))
        axes.set_xlim(low, (max(ends) - low) * 1.14 + low or 1.0)
        unit = rows[0].score.unit
        axes.set_xlabel(plain(f"{name} ({unit})" if unit else name))
        axes.grid(axis="x", color="#d0d7de", linewidth=0.6)
        axes.set_axisbelow(True)  # matplotlib's own form
        return svg(figure)
