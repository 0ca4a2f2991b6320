"""Replaced tokens: where they are put in, by which, and what telling them apart costs."""

import math

import numpy as np
import pytest
from workbench_plugins.objectives.replaced_token import ReplacedToken

from workbench.api import Examples, Vocab

VOCAB = Vocab(size=100, max_length=512, pad=0, cls=1, sep=2)


def test_labels_say_where_another_token_stands(row):
    """15 % are replaced by tokens of the batch, never special ones, and a token by itself counts as original."""
    ids = np.random.default_rng(1).integers(3, 20, (20, 500))
    ids[:, 0] = 1
    batch = ReplacedToken().collate(Examples([row(one) for one in ids], VOCAB), np.random.default_rng(2))
    read, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
    assert (labels[:, 0] == -100).all()
    assert ((read != ids) == (labels == 1)).all()
    assert set(read.ravel().tolist()) <= set(range(1, 20)) - {2}
    assert (labels == 1).mean() == pytest.approx(0.15 * 16 / 17, abs=0.012)  # one in 17 draws is the token itself


def test_loss_by_hand(row, constant):
    """Logits (ln 3, 0): ln 4/3 for an original token, ln 4 for a replaced one; none of the latter is found."""
    batch = ReplacedToken(probability=0.5).collate(Examples([row(np.arange(5, 45))], VOCAB), np.random.default_rng(1))
    share = (batch["labels"] == 1).float().mean().item()
    loss, metrics = ReplacedToken().loss(constant([math.log(3.0), 0.0]), batch)
    assert loss.item() == pytest.approx((1 - share) * math.log(4 / 3) + share * math.log(4), rel=1e-5)
    assert metrics["recall"] == 0
