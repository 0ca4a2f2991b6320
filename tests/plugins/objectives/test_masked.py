"""Masked language modelling: which tokens are hidden, and how."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.objectives.masked import Masked

from workbench.api import Context, Examples, StepError, Vocab

VOCAB = Vocab(size=1000, max_length=512, pad=0, unk=1, mask=2, cls=3, sep=4)


def rows(number, length, first=5):
    ids = np.random.default_rng(7).integers(first, VOCAB.size, (number, length))
    ids[:, 0], ids[:, -1] = VOCAB.cls, VOCAB.sep
    ones = np.ones(length, dtype=int)
    return [{"input_ids": one, "segment_ids": ones, "position_ids": np.arange(length)} for one in ids]


def test_shares_of_devlin_et_al():
    """15 % of the tokens are chosen; of these 80 % are masked, 10 % random, 10 % left: within three deviations."""
    given = rows(200, 502)
    batch = Masked().collate(Examples(given, VOCAB), np.random.default_rng(1))
    original = np.stack([row["input_ids"] for row in given])
    hidden, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
    chosen = labels != -100
    assert (labels[chosen] == original[chosen]).all()
    assert (hidden[~chosen] == original[~chosen]).all()
    n = chosen.sum()
    masked, kept = (hidden[chosen] == VOCAB.mask).mean(), (hidden[chosen] == original[chosen]).mean()
    assert n / (200 * 500) == pytest.approx(0.15, abs=3 * math.sqrt(0.15 * 0.85 / 100_000))
    assert masked == pytest.approx(0.8, abs=3 * math.sqrt(0.8 * 0.2 / n))
    assert kept == pytest.approx(0.1, abs=3 * math.sqrt(0.1 * 0.9 / n))


def test_special_tokens_are_never_chosen_nor_put_in():
    """Markers stay, and a random token is an ordinary one."""
    given = rows(50, 64)
    objective = Masked(probability=0.9, mask_share=0.0, random_share=1.0)
    batch = objective.collate(Examples(given, VOCAB), np.random.default_rng(2))
    original = np.stack([row["input_ids"] for row in given])
    assert (batch["labels"].numpy()[original < 5] == -100).all()
    assert (batch["input_ids"].numpy()[original >= 5] >= 5).all()


def test_every_row_has_something_to_predict():
    """However short a row is, one token is chosen, unless it has special tokens only."""
    batch = Masked(probability=1e-9).collate(Examples(rows(100, 4), VOCAB), np.random.default_rng(3))
    assert ((batch["labels"] != -100).sum(dim=1) == 1).all()
    nothing = Masked().collate(Examples(rows(3, 2), VOCAB), np.random.default_rng(3))
    assert (nothing["labels"] == -100).all()


def test_equal_logits_give_the_logarithm_of_the_vocabulary():
    """A model that knows nothing pays ln V nats for each hidden token."""
    here = Path()
    ctx = Context("step", "architecture/bert", 1, here, here, here, here)
    model = Bert(layers=1, width=16, heads=2).build(VOCAB, ctx).eval()
    for weight in model.cls.predictions.decoder.parameters():
        torch.nn.init.zeros_(weight)
    loss, _ = Masked().loss(model, Masked().collate(Examples(rows(2, 16), VOCAB), np.random.default_rng(1)))
    assert loss.item() == pytest.approx(math.log(1000), rel=1e-6)


def test_a_tokenizer_without_mask_token_is_refused():
    """The message says which tokenizer would do."""
    with pytest.raises(StepError, match=r"no mask token\n  expected: .*tokenizer/wordpiece"):
        Masked().collate(Examples(rows(1, 8), Vocab(size=10, max_length=8, pad=0)), np.random.default_rng(1))


def test_shares_above_one_are_refused():
    """Masked and random tokens cannot be more than all that are chosen."""
    with pytest.raises(ValidationError, match="exceed 1 together"):
        Masked(mask_share=0.8, random_share=0.3)
