"""Two models on the same documents: the difference of their scores, and its interval.

A score that is a ratio of sums over documents, Σ aᵢ / Σ uᵢ, differs from that of another model by
Δ = Σ dᵢ / Σ uᵢ with dᵢ = aᵢ − bᵢ. What is hard for one model is mostly hard for the other, so Δ varies far less with
the documents than either score does. The interval is the linearised one of a ratio (Cochran 1977, section 2.11):
Δ ± 1.96 √v with v = n / (n − 1) · Σ (dᵢ − Δ uᵢ)² / (Σ uᵢ)². It needs no random numbers, so a page is the same again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

Z = 1.959963984540054  # the normal quantile at 0.975
FEWEST = 2  # documents


@dataclass(frozen=True)
class Difference:
    """How much higher a score is than that of another model on the same `n` documents, with a 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    @property
    def holds_zero(self) -> bool:
        """Whether 0 lies in the interval, so that the documents do not tell the two apart."""
        return self.low <= 0 <= self.high


def difference(one: pl.DataFrame | None, other: pl.DataFrame | None) -> Difference | None:
    """Return by how much the score of `one` exceeds that of `other`; None unless both are of the same documents.

    Args:
        one: `id`, `part` and `units` of one score (see `Scores.by_document`).
        other: The same of the other model. Documents that count in other units (bytes) are not the same.

    >>> import polars as pl
    >>> one, other = (pl.DataFrame({"id": ["a", "b"], "part": part, "units": [1, 3]}) for part in ([3.0, 5], [2.0, 2]))
    >>> difference(one, other)
    Difference(value=1.0, low=1.0, high=1.0, n=2)
    """
    if one is None or other is None:
        return None
    both = one.join(other, on=["id", "units"], suffix=" of the other")
    n, units_d = both.height, both["units"].to_numpy()
    if not one.height == other.height == n >= FEWEST or not units_d.sum() > 0:
        return None
    more_d = (both["part"] - both["part of the other"]).to_numpy()
    value = float(more_d.sum() / units_d.sum())
    squares = float(((more_d - value * units_d) ** 2).sum())
    half = Z * math.sqrt(n / (n - 1) * squares) / float(units_d.sum())
    return Difference(value, value - half, value + half, n)
