"""Reconstruction: everything goes through the one vector, and both losses are what they are called."""

import math

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.autoencoder import Autoencoder
from workbench_plugins.objectives.reconstruction import Reconstruction

from workbench.api import Examples, Vocab, model_inputs

VOCAB = Vocab(size=51, max_length=32, pad=0, eos=1, num_marks=1)


@pytest.fixture
def model(ctx):
    torch.manual_seed(1)
    return Autoencoder(layers=1, width=16, heads=2, bottleneck=4).build(VOCAB, ctx).eval()


def collate(rows, **settings):
    return Reconstruction(**settings).collate(Examples(rows, VOCAB), np.random.default_rng(1))


def test_every_token_is_a_label_and_noise_hides_some(row):
    """Padding has no label; hidden tokens are the mark, special ones stay."""
    batch = collate([row([5, 6, 7, 1], length=6)])
    assert batch["labels"].tolist() == [[5, 6, 7, 1, -100, -100]]
    noisy = collate([row([*range(5, 30), 1])], noise=0.5)
    assert (noisy["input_ids"] == 50).float().mean().item() == pytest.approx(0.5, abs=0.25)
    assert noisy["input_ids"][0, -1] == 1


def test_nothing_but_the_vector_and_the_place_is_known(row, model):
    """The states that are written depend on a document through its vector only: equal vectors, equal texts."""
    with torch.no_grad():
        model.encoder.press.weight.zero_()
        batch = collate([row([5, 6, 7], [8, 9, 10])])
        logits = model(**model_inputs(model, batch)).logits[0]
    assert torch.allclose(logits[:3], logits[3:], atol=1e-6)


def test_losses_by_hand(row, model):
    """ln V for a model that knows nothing; the mean squared difference of states and embeddings for the other."""
    batch = collate([row([5, 6, 7], length=5)])
    output = model(**model_inputs(model, batch))
    expected = (output.hidden_states[0][0, :3] - model.get_input_embeddings().weight[5:8]).square().mean().item()
    assert Reconstruction(target="embeddings").loss(model, batch)[0].item() == pytest.approx(expected, rel=1e-5)
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    assert Reconstruction().loss(model, batch)[0].item() == pytest.approx(math.log(51), rel=1e-6)
