"""Which examples a step sees, in every order."""

import numpy as np
import pytest

from workbench.errors import StepError
from workbench.training.batching import Batching
from workbench.training.data import PackedRows, Windows


def test_sequential_rows_go_on_where_they_ended():
    """12 rows in a batch of 3: three stretches of 4, each read in order, then again."""
    batching = Batching("sequential", 7, 3, 12)
    seen = [batching.numbers(step).tolist() for step in range(1, 6)]
    assert seen == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11], [0, 4, 8]]


def test_windows_cut_every_epoch_at_another_place(tokens):
    """All rows of an epoch begin at one offset, a whole number of rows apart; the next epoch has another."""
    rows = Windows(tokens, "train")
    batching = Batching.of("windows", 5, 4, rows)
    offsets = []
    for epoch in range(5):
        places = [
            place
            for step in range(1, 5 * len(rows))
            for position, place in enumerate(batching.numbers(step).tolist(), (step - 1) * 4)
            if position // len(rows) == epoch
        ]
        assert len(set(places)) == len(places) == len(rows)
        (offset,) = {place % 32 for place in places}
        offsets.append(offset)
        assert max(places) + 32 <= len(tokens.ids("train"))
    assert len(set(offsets)) > 1


def test_a_window_is_cut_at_its_documents(tokens):
    """The tokens from there on; documents numbered from 1, positions from 0; a place of a row is that row."""
    windows, rows = Windows(tokens, "train"), PackedRows(tokens, "train")
    (window,) = windows.rows([45])
    assert window["input_ids"].tolist() == tokens.ids("train")[45:77].tolist()
    documents = tokens.documents("train")
    starts = [start - 45 for start in documents["start"] if 45 < start < 77]
    expected = [1 + sum(place >= start for start in starts) for place in range(32)]
    assert window["segment_ids"].tolist() == expected
    assert windows.document_ids([64]) == rows.document_ids([2])
    assert {name: value.tolist() for name, value in windows.rows([64])[0].items()} == {
        name: value.tolist() for name, value in rows.rows([2])[0].items()
    }


def lengths(number=1000, seed=1):
    return np.random.default_rng(seed).integers(1, 500, number)


def test_grouped_batches_hold_about_equal_lengths():
    """Padding falls from about half to a few in a hundred, and every record is seen at most once an epoch."""
    sizes = lengths()
    padded = {}
    for order in ("shuffled", "grouped"):
        batching = Batching(order, 3, 8, len(sizes))
        batches = [batching.numbers(step, sizes) for step in range(1, 126)]
        padded[order] = 1 - sum(sizes[b].sum() for b in batches) / sum(sizes[b].max() * len(b) for b in batches)
        seen = np.concatenate(batches)
        assert len(set(seen.tolist())) == len(seen) == 1000
    assert padded["shuffled"] > 0.35
    assert padded["grouped"] < 0.05


def test_grouped_batches_do_not_come_by_length():
    """Short and long ones are mixed: neighbours are not nearer in length than any two."""
    sizes = lengths()
    means = [sizes[Batching("grouped", 3, 8, 1000).numbers(step, sizes)].mean() for step in range(1, 126)]
    steps = np.abs(np.diff(means)).mean()
    apart = np.abs(np.subtract.outer(means, means)).mean()
    assert steps > 0.7 * apart


def test_a_later_epoch_is_grouped_anew():
    """11 records in batches of 4: two batches an epoch, three records wait; the next epoch has another order."""
    sizes = lengths(11)
    batching = Batching("grouped", 3, 4, 11)
    epochs = [np.concatenate([batching.numbers(2 * e + s, sizes) for s in (1, 2)]).tolist() for e in range(4)]
    assert all(len(set(epoch)) == 8 for epoch in epochs)
    assert len({tuple(sorted(epoch)) for epoch in epochs}) > 1


@pytest.mark.parametrize("order", ["sequential", "grouped"])
def test_a_batch_larger_than_the_data_is_refused(order):
    with pytest.raises(StepError, match=f"3 examples are fewer than the 4 of one batch[^$]*other than {order}"):
        Batching(order, 1, 4, 3)


@pytest.mark.parametrize("order", ["shuffled", "windows", "sequential", "grouped"])
def test_what_is_stored_leads_back(order):
    batching = Batching(order, 5, 4, 40, 32)
    assert Batching.from_json(batching.to_json()) == batching


def test_models_from_before_there_were_orders_are_shuffled():
    assert Batching.from_json({"seed": 1, "batch_size": 2, "num_examples": 3}).order == "shuffled"
