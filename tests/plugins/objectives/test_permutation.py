"""Permutation modelling: which tokens are predicted in which order."""

import math

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.xlnet import XlNet
from workbench_plugins.objectives.permutation import Permutation

from workbench.api import Examples, Vocab, model_inputs

VOCAB = Vocab(size=50, max_length=32, pad=0, eos=1)


def collate(rows, seed=1, **settings):
    return Permutation(**settings).collate(Examples(rows, VOCAB), np.random.default_rng(seed))


def test_one_in_six_is_predicted_and_the_rest_given(row):
    """Of 12 and 18 tokens 2 and 3, with ranks from 1 in each document; a document of one token is given."""
    batch = collate([row(np.arange(5, 17), [20], np.arange(21, 39))])
    order = batch["order"][0]
    assert sorted(order[:12].tolist()) == [0] * 10 + [1, 2]
    assert order[12] == 0
    assert sorted(order[13:].tolist()) == [0] * 15 + [1, 2, 3]
    asked = batch["target_positions"][0]
    assert batch["labels"][0].tolist() == batch["input_ids"][0][asked].tolist()
    assert sorted(asked.tolist()) == order.nonzero().flatten().tolist()


def test_rows_with_fewer_targets_ask_for_a_given_token_without_label(row):
    """The rectangle is filled with places that cost nothing."""
    batch = collate([row(np.arange(5, 17), length=20), row([5, 6], length=20)])
    labels = batch["labels"][1].tolist()
    assert labels[1:] == [-100]
    filled = batch["target_positions"][1][1]
    assert batch["order"][1][filled] == 0


def test_never_all_tokens_are_predicted():
    """A token that is predicted sees at least one other."""
    assert [Permutation(one_in=1.1).num_targets(length) for length in (1, 2, 3, 20)] == [0, 1, 2, 18]


def test_equal_logits_give_the_logarithm_of_the_vocabulary(row, ctx):
    """A model that knows nothing pays ln V nats for each predicted token."""
    model = XlNet(layers=1, width=16, heads=2).build(VOCAB, ctx).eval()
    for weight in model.lm_loss.parameters():
        torch.nn.init.zeros_(weight)
    batch = collate([row(np.arange(5, 17))])
    assert Permutation().loss(model, batch)[0].item() == pytest.approx(math.log(50), rel=1e-6)


def test_packed_documents_cost_what_they_cost_alone(row, ctx):
    """The loss of a packed row is the mean over its documents' predicted tokens, each read alone."""
    torch.manual_seed(1)
    model = XlNet(layers=2, width=16, heads=2).build(VOCAB, ctx).eval()
    batch = collate([row(np.arange(5, 17), np.arange(21, 39))])
    packed = Permutation().loss(model, batch)[0].item()
    total = 0.0
    for place in (slice(0, 12), slice(12, 30)):
        asked = batch["order"][0, place].nonzero().flatten()[None]
        alone = {
            "input_ids": batch["input_ids"][:, place],
            "order": batch["order"][:, place],
            "target_positions": asked,
        }
        alone |= {"segment_ids": torch.ones_like(alone["input_ids"])}
        logits = model(**model_inputs(model, alone)).logits[0].log_softmax(-1)
        total -= logits.gather(1, alone["input_ids"][0, asked[0], None]).sum().item()
    assert packed == pytest.approx(total / 5, abs=1e-5)
