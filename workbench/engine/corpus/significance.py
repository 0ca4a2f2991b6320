"""Whether a group is hit harder than the whole: intervals of shares, exact tests, many of them at once.

Sources: Wilson 1927; Fisher 1935 (the exact test; its tail is hypergeometric); Holm 1979.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Z = 1.959963984540054  # the normal quantile at 0.975
Numbers = np.ndarray[Any, np.dtype[Any]]


def wilson(successes: Numbers, trials: Numbers) -> tuple[Numbers, Numbers]:
    """Return Wilson's 95 % interval for each share; `trials` above 0.

    >>> low, high = wilson(np.array([8]), np.array([10]))
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.4902], [0.9433])
    """
    share = successes / trials
    scale = 1 + Z**2 / trials
    centre = (share + Z**2 / (2 * trials)) / scale
    half = Z * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2)) / scale
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)


def harder(dropped: Numbers, group: Numbers, all_dropped: Numbers, whole: Numbers) -> Numbers:
    """Return how probable it is that a group loses so many documents, or more, if it is hit as the others are.

    The one-sided exact test of Fisher: of `whole` documents `all_dropped` go; `group` of them, drawn without looking,
    hold `dropped` or more.

    >>> harder(np.array([3]), np.array([4]), np.array([4]), np.array([8])).round(4).tolist()  # 17 / 70
    [0.2429]
    """
    from scipy.stats import hypergeom

    found: Numbers = hypergeom.sf(dropped - 1, whole, all_dropped, group)
    return np.clip(found, 0.0, 1.0)


def holm(probabilities: Numbers) -> Numbers:
    """Return Holm's adjusted probabilities: below 0.05, the chance of any false alarm among them all is below 0.05.

    Valid however the tests depend on each other.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    count = len(probabilities)
    order = np.argsort(probabilities, kind="stable")
    stepped = np.maximum.accumulate(probabilities[order] * (count - np.arange(count)))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
