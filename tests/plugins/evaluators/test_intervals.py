"""Intervals: known answers, and that they hold what they should as often as they should."""

import numpy as np
import pytest
from workbench_plugins.evaluators.intervals import bootstrap, wilson


def test_wilson_of_a_textbook():
    """Newcombe 1998, table I: 81 of 263 gives .2553 to .3662, 0 of 20 gives 0 to .1611, 20 of 20 the mirror image."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=5e-5)


def test_wilson_holds_the_share():
    """For any count the share lies in its interval, and that between 0 and 1."""
    for n in range(1, 40):
        for hits in range(n + 1):
            low, high = wilson(hits, n)
            assert 0 <= low <= hits / n <= high <= 1


def test_bootstrap_of_a_mean():
    """The interval of a mean of n normal values is about ±1.96 · deviation / √n."""
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(lambda chosen: float(values[chosen].mean()), 400, np.random.default_rng(2), values.mean())
    half = 1.96 * values.std() / 20
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert low < values.mean() < high


def test_bootstrap_follows_the_generator():
    """The same generator gives the same interval."""
    values = np.arange(10.0)
    first, again = (
        bootstrap(lambda chosen: float(values[chosen].mean()), 10, np.random.default_rng(4), 4.5) for _ in range(2)
    )
    assert first == again
