"""95 % intervals: Wilson's for a share, the bootstrap over items for everything else.

Sources: Wilson 1927; Efron 1979 (percentile interval, 1,000 resamples).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Z = 1.959963984540054  # the normal quantile at 0.975
RESAMPLES = 1000
TAILS = (0.025, 0.975)
Indices = np.ndarray[Any, np.dtype[np.int64]]


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for `successes` out of `n`.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    share = successes / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


def bootstrap(
    statistic: Callable[[Indices], float], num_items: int, rng: np.random.Generator, value: float
) -> tuple[float, float]:
    """Return the 95 % percentile interval of `statistic` over resampled items; it always holds `value`.

    Args:
        statistic: Takes the indices of the items in a resample, with repetition.
        num_items: How many items there are.
        rng: Where the resamples come from.
        value: The statistic of the items themselves.
    """
    drawn = [statistic(rng.integers(0, num_items, num_items)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, TAILS)
    return min(float(low), value), max(float(high), value)
