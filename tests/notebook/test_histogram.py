"""The histogram that a slider draws over."""

import numpy as np
import pytest

from workbench.notebook.histogram import BINS, Histogram


@pytest.mark.parametrize("value", [0.0, -3.5, 0.1, 1.7e15, -1e300])
def test_one_value_has_its_place(value):
    """Also one so large that its neighbours are further away than a bin is wide."""
    histogram = Histogram.of(np.array([value] * 3))
    assert (histogram.heights.sum(), histogram.heights.max(), len(histogram.heights)) == (3, 3, BINS)
    assert "nan" not in histogram.svg(value)


def test_a_heavy_tail_is_drawn_by_logarithms():
    """The ones stand in the first bin, the millions in the last; what is not finite has no place."""
    histogram = Histogram.of(np.array([1.0] * 900 + [1e6] * 100 + [np.inf, np.nan]))
    assert histogram.is_log
    assert (histogram.heights[0], histogram.heights[-1]) == (900, 100)
    assert "1,000,000" in histogram.svg(None)
    assert Histogram.of(np.array([np.nan])) is None
