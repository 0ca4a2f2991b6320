"""A small live histogram as SVG: fast enough to be drawn at every move of a slider.

Static figures come from matplotlib (`artifacts.drawing`), which takes a tenth of a second for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.wording import number

if TYPE_CHECKING:
    import numpy.typing as npt

BINS = 60
WIDTH, HEIGHT, FOOT = 640, 120, 22  # pixels; of the axis below the bars
HEAVY_TAIL = 20  # times the median that the 99th percentile lies above, from which the axis is of logarithms
NARROW = 1e-9  # times the largest value: a narrower range cannot be cut into bins
INK, QUIET, BLUE, ORANGE = "#1b1f24", "#57606a", "#0a5ad0", "#b35900"


@dataclass(frozen=True)
class Histogram:
    """How many documents have how much of a signal.

    Attributes:
        edges: Of the bins, on the scale of the axis.
        heights: Documents in each bin.
        is_log: Whether the axis is of log10(1 + value).
    """

    edges: npt.NDArray[np.float64]
    heights: npt.NDArray[np.int64]
    is_log: bool

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Histogram | None:
        """Return the histogram of finite values; None when there are none."""
        values = values[np.isfinite(values)]
        if not values.size:
            return None
        middle, high = np.quantile(values, [0.5, 0.99])
        is_log = bool(values.min() >= 0 and high > max(HEAVY_TAIL * middle, 1))
        placed = np.log10(1 + values) if is_log else values
        first, last = placed.min(), placed.max()
        room = 0.0 if last - first > NARROW * abs(last) else max(0.5, NARROW * abs(last))
        heights, edges = np.histogram(placed, bins=BINS, range=(first - room, last + room))
        return cls(edges, heights, is_log)

    def svg(self, threshold: float | None) -> str:
        """Return the picture, with a dashed line where the threshold stands."""
        tallest = max(1, int(self.heights.max()))
        wide = WIDTH / len(self.heights)
        bars = "".join(
            f'<rect x="{place * wide:.1f}" y="{HEIGHT - tall:.1f}" width="{wide - 1:.1f}" height="{tall:.1f}"/>'
            for place, tall in enumerate(HEIGHT * (self.heights / tallest) ** 0.5)
            if tall
        )
        low, high = (self._value(edge) for edge in (self.edges[0], self.edges[-1]))
        line = "" if threshold is None else self._line(threshold)
        scale = "logarithmic axis; " if self.is_log else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + FOOT}" width="{WIDTH}" '
            f'height="{HEIGHT + FOOT}" font-family="sans-serif" font-size="12"><g fill="{BLUE}">{bars}</g>'
            f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}" stroke="{QUIET}"/>{line}'
            f'<g fill="{INK}"><text x="0" y="{HEIGHT + 16}">{number(low)}</text>'
            f'<text x="{WIDTH / 2}" y="{HEIGHT + 16}" text-anchor="middle">{scale}heights by square root, '
            f"tallest {tallest:,}</text>"
            f'<text x="{WIDTH}" y="{HEIGHT + 16}" text-anchor="end">{number(high)}</text></g></svg>'
        )

    def _line(self, threshold: float) -> str:
        scaled = np.log10(1 + max(threshold, 0)) if self.is_log else threshold
        low, high = self.edges[0], self.edges[-1]
        place = WIDTH * float(np.clip((scaled - low) / ((high - low) or 1), 0, 1))
        side, shift = ("end", -5) if place > WIDTH / 2 else ("start", 5)
        return (
            f'<line x1="{place:.1f}" x2="{place:.1f}" y1="0" y2="{HEIGHT}" stroke="{ORANGE}" stroke-width="2" '
            f'stroke-dasharray="5 3"/><text x="{place + shift:.1f}" y="12" text-anchor="{side}" fill="{INK}">'
            f"{number(threshold)}</text>"
        )

    def _value(self, edge: float) -> float:
        return float(10**edge - 1 if self.is_log else edge)
