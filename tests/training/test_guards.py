"""Spikes, by hand; and which step was best."""

import math

import pytest

from workbench.training.curve import Curve
from workbench.training.guards import spike_limit, spikes
from workbench.training.patience import best_step, is_over


def curve_of(losses, valid=None):
    curve = Curve()
    for step, loss in enumerate(losses, 1):
        row = {"number": float(step), "tokens": 1.0, "loss": loss}
        curve.add(row | ({"valid_loss": valid[step]} if valid and step in valid else {}))
    return curve


def test_the_limit_by_hand():
    """16 times 1 and 16 times 3: mean 2, deviation 1, so the limit is 2 + 6."""
    assert spike_limit([1.0, 3.0] * 16) == pytest.approx(8.0)
    assert spike_limit([1.0, 3.0] * 15) is None
    assert spike_limit([2.0] * 40) == pytest.approx(2.2)


def test_only_the_last_steps_count():
    """Losses of the beginning, 128 steps and more ago, are forgotten."""
    assert spike_limit([100.0] * 50 + [2.0] * 128) == pytest.approx(2.2)


def test_spikes_are_found_in_a_curve():
    losses = [2.0 + 0.01 * (step % 3) for step in range(60)]
    losses[45] = 9.0
    (found,) = spikes(curve_of(losses))
    assert (found["step"], found["loss"]) == (46, 9.0)
    assert 2.2 < found["limit"] < 2.3


def test_a_falling_loss_has_no_spikes():
    assert spikes(curve_of([10 * math.exp(-step / 50) + 2 for step in range(300)])) == []


def test_the_first_lowest_valid_loss_is_best():
    curve = curve_of([1.0] * 20, {5: 3.0, 10: 2.0, 15: 2.0, 20: 2.5})
    assert best_step(curve) == 10
    assert [is_over(curve, patience) for patience in (1, 2, 3, None)] == [True, True, False, False]
    assert best_step(curve_of([1.0])) is None
    assert not is_over(curve_of([1.0]), 1)
