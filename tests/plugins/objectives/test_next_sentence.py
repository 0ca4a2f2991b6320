"""Next sentence and sentence order: what pairs are made, where they are cut, and what the truth is."""

import math

import numpy as np
import pytest
from workbench_plugins.objectives.next_sentence import NextSentence
from workbench_plugins.objectives.sentence_order import SentenceOrder

from workbench.api import Examples, Vocab

PIECES = ("[PAD]", "[CLS]", "[SEP]", ".", *"abcdefghijklmnopqrstuvwxyz")
VOCAB = Vocab(size=len(PIECES), max_length=16, pad=0, cls=1, sep=2, pieces=PIECES)
ONE, TWO = [4, 5, 3, 6, 7], [10, 11, 12, 3, 13]  # a sentence ends after the third and after the fourth token


def sides(batch, number):
    ids, types = batch["input_ids"][number], batch["token_type_ids"][number]
    real = batch["segment_ids"][number] > 0
    return ids[real & (types == 0)].tolist(), ids[real & (types == 1)].tolist()


def test_pairs_are_cut_where_a_sentence_ends(row):
    """[CLS] A [SEP] B [SEP], types 0 and 1; B follows A or is the second part of the other document."""
    seen = set()
    for seed in range(30):
        batch = NextSentence().collate(Examples([row([1, *ONE, 2], [1, *TWO, 2])], VOCAB), np.random.default_rng(seed))
        first, second = sides(batch, 0)
        assert first == [1, 4, 5, 3, 2]
        label = int(batch["labels"][0])
        assert second == ([6, 7, 2] if label == 0 else [13, 2])
        seen.add(label)
    assert seen == {0, 1}


def test_sentence_order_swaps(row):
    """Both parts are of one document, in order or swapped."""
    seen = set()
    for seed in range(30):
        batch = SentenceOrder().collate(Examples([row(ONE)], VOCAB), np.random.default_rng(seed))
        pair = ([1, 4, 5, 3, 2], [6, 7, 2]) if int(batch["labels"][0]) == 0 else ([1, 6, 7, 2], [4, 5, 3, 2])
        assert sides(batch, 0) == pair
        seen.add(int(batch["labels"][0]))
    assert seen == {0, 1}


def test_half_of_the_pairs_are_from_elsewhere(row):
    """Within three deviations of 600 pairs."""
    rows = [row(*[ONE, TWO] * 30) for _ in range(10)]
    labels = NextSentence().collate(Examples(rows, VOCAB), np.random.default_rng(1))["labels"]
    assert len(labels) == 600
    assert abs(int(labels.sum()) - 300) < 3 * math.sqrt(150)


@pytest.mark.parametrize("objective", [NextSentence(), SentenceOrder()])
def test_pairs_fit_into_the_model(objective, row):
    """A long document is cut to what the model knows positions for."""
    batch = objective.collate(Examples([row(np.arange(4, 30), np.arange(4, 30))], VOCAB), np.random.default_rng(1))
    assert batch["input_ids"].shape[1] <= 16


@pytest.mark.parametrize("objective", [NextSentence(), SentenceOrder()])
def test_a_batch_without_pairs_has_no_label(objective, row):
    """Documents of three tokens make no pair."""
    batch = objective.collate(Examples([row([4, 5, 6])], VOCAB), np.random.default_rng(1))
    assert batch["labels"].tolist() == [-100]


@pytest.mark.parametrize("objective", [NextSentence(), SentenceOrder()])
def test_loss_by_hand(objective, row, constant):
    """Logits (ln 3, 0) mean (3/4, 1/4): ln 4/3 for a pair in order, ln 4 for another."""
    model = constant([math.log(3.0), 0.0])
    model.forward = lambda input_ids, **_: type("Output", (), {"logits": model.logits.expand(len(input_ids), -1)})()
    batch = objective.collate(Examples([row(ONE, TWO)] * 8, VOCAB), np.random.default_rng(1))
    wrong = batch["labels"].float().mean().item()
    loss, metrics = objective.loss(model, batch)
    assert loss.item() == pytest.approx((1 - wrong) * math.log(4 / 3) + wrong * math.log(4), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(1 - wrong)
