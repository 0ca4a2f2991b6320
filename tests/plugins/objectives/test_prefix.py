"""Prefix modelling: what is read, what is predicted, and what it costs."""

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.prefix_lm import PrefixLm
from workbench_plugins.objectives.prefix import Prefix

from workbench.api import Examples, Vocab, model_inputs

VOCAB = Vocab(size=50, max_length=32, pad=0, eos=1)


def collate(rows, seed=1, **settings):
    return Prefix(**settings).collate(Examples(rows, VOCAB), np.random.default_rng(seed))


def test_what_is_behind_the_prefix_is_predicted(row):
    """With half of a document read: of six tokens three are predicted, by the last of the prefix and those behind it."""
    batch = collate([row(np.arange(5, 11), [20], length=9)], prefix_share=1e-9 + 0.5)
    prefix = batch["prefix_mask"][0]
    size = int(prefix[:6].sum())
    assert prefix[:6].tolist() == [True] * size + [False] * (6 - size)
    labels = batch["labels"][0].tolist()
    assert labels[: size - 1] == [-100] * (size - 1)
    assert labels[size - 1 : 5] == list(range(5 + size, 11))
    assert labels[5:] == [-100] * 4  # a document's last token, one of a single token, padding


def test_prefixes_have_the_share_that_was_asked_for():
    """Lengths are drawn evenly about the mean; at least one token is read and one predicted."""
    rng = np.random.default_rng(1)
    for share in (0.25, 0.5, 0.8):
        cuts = np.array([Prefix(prefix_share=share).cut(100, rng) for _ in range(3000)])
        assert cuts.mean() == pytest.approx(100 * share, abs=1.5)
        assert cuts.min() >= 1
        assert cuts.max() <= 99
    assert Prefix().cut(1, rng) == 1


def test_the_loss_by_hand(row, ctx):
    """It is the mean of -log p of what follows, from the logits of a model that sees the prefix both ways."""
    torch.manual_seed(1)
    model = PrefixLm(layers=2, width=16, heads=2).build(VOCAB, ctx).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    batch = collate([row(np.arange(5, 15))])
    loss, _ = Prefix().loss(model, batch)
    size = int(batch["prefix_mask"].sum())
    logits = model(**model_inputs(model, batch)).logits[0].log_softmax(-1)
    nats = [-logits[place, 5 + place + 1].item() for place in range(size - 1, 9)]
    assert loss.item() == pytest.approx(sum(nats) / len(nats), abs=1e-5)
    causal = {name: value for name, value in batch.items() if name != "prefix_mask"}
    assert Prefix().loss(model, causal)[0].item() != pytest.approx(loss.item(), abs=1e-6)
