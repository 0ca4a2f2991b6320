"""The order of the data is a permutation in every epoch and needs no replay."""

import time

import numpy as np
import pytest

from workbench.training.order import batch_examples, example_at


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_every_epoch_visits_each_example_once(epoch):
    for size in range(1, 201):
        seen = batch_examples(seed=3, step=epoch + 1, batch_size=size, num_examples=size)
        assert sorted(seen.tolist()) == list(range(size)), size


def test_large_epochs_are_permutations_too():
    for size in (65_536, 65_537, 100_003):
        assert np.array_equal(np.sort(batch_examples(3, 1, size, size)), np.arange(size))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(batch_examples(seed, step, 50, 50)) for seed in (0, 1, -1) for step in (1, 2)}
    assert len(orders) == 6


def test_a_batch_may_cross_the_end_of_an_epoch():
    """Seven examples in batches of three: positions 0-20 are three whole epochs."""
    seen = [number for step in range(1, 8) for number in batch_examples(5, step, 3, 7)]
    assert [sorted(seen[start : start + 7]) for start in (0, 7, 14)] == [list(range(7))] * 3


def test_a_batch_is_the_examples_at_its_positions():
    expected = [example_at(9, position, 1000) for position in range(40, 50)]
    assert batch_examples(9, 5, 10, 1000).tolist() == expected


def test_any_step_is_found_at_once():
    """A step in the billions costs what the first one costs."""
    began = time.perf_counter()
    batch_examples(1, 10**9, 64, 10**9 + 7)
    assert time.perf_counter() - began < 0.1


def test_first_places_are_spread_evenly():
    """Over 2000 seeds the first of 100 examples is uniform: chi-squared with 99 degrees stays below 149 (p > 0.001)."""
    counts = np.bincount([example_at(seed, 0, 100) for seed in range(2000)], minlength=100)
    assert float(((counts - 20) ** 2 / 20).sum()) < 149
