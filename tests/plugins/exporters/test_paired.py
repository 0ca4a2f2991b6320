"""Differences on the same documents: by hand, against the bootstrap, and when there is none."""

import math

import numpy as np
import polars as pl
import pytest
from workbench_plugins.exporters.paired import difference


def frame(ids, part, units):
    return pl.DataFrame({"id": list(ids), "part": part, "units": units}, schema_overrides={"part": pl.Float64})


def test_the_difference_by_hand():
    """d = 1 and 5 over 2 and 2 units: Δ = 1.5, residuals -2 and 2, v = 2/1 · 8 / 16 = 1."""
    found = difference(frame("ab", [4, 9], [2.0, 2.0]), frame("ba", [4, 3], [2.0, 2.0]))
    assert (found.value, found.n) == (1.5, 2)
    assert (found.low, found.high) == pytest.approx((1.5 - 1.959964, 1.5 + 1.959964))
    assert found.holds_zero


def test_the_interval_is_that_of_the_bootstrap():
    """For 400 documents of uneven length it agrees with the percentiles of 4,000 resamples, and is far below the scores'."""
    rng = np.random.default_rng(3)
    units = rng.integers(50, 5000, 400).astype(float)
    hard = rng.normal(2, 0.5, 400)
    one, other = (units * (hard + shift + rng.normal(0, 0.05, 400)) for shift in (0.02, 0.0))
    ids = [str(number) for number in range(400)]
    found = difference(frame(ids, one, units), frame(ids, other, units))
    drawn = rng.integers(0, 400, (4000, 400))
    low, high = np.quantile((one - other)[drawn].sum(1) / units[drawn].sum(1), [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.001)
    alone = np.quantile(one[drawn].sum(1) / units[drawn].sum(1), [0.025, 0.975])
    assert found.high - found.low < (alone[1] - alone[0]) / 5


@pytest.mark.parametrize("other", [None, frame("ac", [1, 1], [1.0, 2.0]), frame("ab", [1, 1], [1.0, 3.0])])
def test_other_documents_give_no_difference(other):
    """None told, another document, or another length of one."""
    assert difference(frame("ab", [1, 1], [1.0, 2.0]), other) is None


def test_one_document_gives_no_interval():
    """There is nothing to say how a difference varies."""
    assert difference(frame("a", [1], [1.0]), frame("a", [2], [1.0])) is None
    assert math.isfinite(difference(frame("ab", [1, 1], [1.0, 0.0]), frame("ab", [2, 1], [1.0, 0.0])).high)
