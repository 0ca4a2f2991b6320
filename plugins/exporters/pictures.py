"""Pictures of a report as SVG: the same numbers give the same bytes.

Readable without colour: bars differ in hatching, lines in width and dashes. Words in pictures are names from the
pipeline; text from a corpus stays in tables, where it can be escaped and any script can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api import drawing, plain, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from workbench.api import Corpus, Score

INK, BLUE, ORANGE, GREY = "#1b1f24", "#0a5ad0", "#f0a860", "#8c959f"
CURVE_POINTS = 600  # more cannot be told apart at this width


def cascade(corpora: Sequence[Corpus]) -> bytes:
    """Draw what each step kept, rejected and quarantined of the documents it read."""
    ledgers = [corpus.ledger for corpus in corpora]
    rows = np.arange(len(corpora))
    parts = (
        ("kept", [ledger.kept for ledger in ledgers], BLUE, ""),
        ("rejected", [ledger.rejected.total() for ledger in ledgers], ORANGE, "////"),
        ("quarantined", [ledger.quarantined for ledger in ledgers], GREY, "xxxx"),
    )
    with drawing(0.9 + 0.42 * len(corpora)) as (figure, axes):
        left = np.zeros(len(corpora))
        for name, counts, colour, hatch in parts:
            if any(counts):
                axes.barh(rows, counts, 0.62, left, label=name, color=colour, hatch=hatch, edgecolor=INK, linewidth=0.5)
            left += counts
        for row, ledger in enumerate(ledgers):
            share = f" ({ledger.kept / ledger.read:.0%} kept)" if ledger.read and ledger.kept < ledger.read else ""
            axes.text(ledger.read, row, f"  {ledger.kept:,}{share}", va="center", color=INK)
        axes.set_yticks(rows, [plain(corpus.step) for corpus in corpora])
        axes.invert_yaxis()
        axes.set_xlim(0, max([1, *left]) * 1.22)  # room for the words behind the longest bar
        axes.set_xlabel("documents read")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside upper left", ncols=len(parts), frameon=False)
        return svg(figure)


def loss_curve(curve: pl.DataFrame) -> bytes:
    """Draw the loss of every step, its running mean, and the loss on validation data."""
    measured = curve.drop_nulls("loss")
    steps, losses = measured["number"].to_numpy(), measured["loss"].to_numpy()
    with drawing(3.1) as (figure, axes):
        axes.plot(*thinned(steps, losses), color=GREY, linewidth=0.8, label="each step")
        axes.plot(*thinned(steps, running_mean(losses)), color=BLUE, linewidth=2.2, label="running mean")
        if "valid_loss" in curve.columns:
            valid = curve.drop_nulls("valid_loss")
            if len(valid):
                axes.plot(valid["number"], valid["valid_loss"], "--o", color=INK, markersize=4, label="validation")
        axes.set_xlabel("training step")
        axes.set_ylabel("loss (nats)")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(axis="y", color="#d0d7de", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=3, frameon=False)
        return svg(figure)


def running_mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the mean over the last twentieth of all steps (at least one) at each step.

    >>> running_mean(np.array([1.0, 3.0])).tolist()
    [1.0, 3.0]
    """
    length = max(1, len(values) // 20)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - length)
    means: np.ndarray[Any, np.dtype[np.float64]] = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def thinned(
    steps: np.ndarray[Any, Any], values: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return at most `CURVE_POINTS` of the points, evenly chosen, the first and the last among them."""
    if len(steps) <= CURVE_POINTS:
        return steps, values
    chosen = np.linspace(0, len(steps) - 1, CURVE_POINTS).round().astype(int)
    return steps[chosen], values[chosen]


def shares(scores: Sequence[Score]) -> bytes:
    """Draw scores between 0 and 1 with their intervals, and their baselines as ticks."""
    rows = np.arange(len(scores))
    values = np.array([score.value for score in scores])
    errors = np.array([[score.value - score.low for score in scores], [score.high - score.value for score in scores]])
    with drawing(0.9 + 0.36 * len(scores)) as (figure, axes):
        axes.errorbar(
            values, rows, xerr=errors, fmt="o", color=BLUE, capsize=4, linewidth=2, label="score, 95 % interval"
        )
        baselines = [(score.baseline, row) for row, score in enumerate(scores) if score.baseline is not None]
        if baselines:
            axes.plot(*zip(*baselines, strict=True), "|", color=INK, markersize=16, markeredgewidth=2, label="baseline")
        axes.set_yticks(rows, [plain(score.name) for score in scores])
        axes.set_ylim(len(scores) - 0.4, -0.6)
        axes.set_xlim(min(0.0, *[score.low for score in scores]) - 0.02, 1.02)
        axes.grid(axis="x", color="#d0d7de", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=2, frameon=False)
        return svg(figure)
