"""Both stacks at once: where the encoder predicts, what the decoder writes, and how the losses add up."""

import math

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.objectives.encoder_decoder_joint import EncoderDecoderJoint

from workbench.api import Examples

OBJECTIVE = EncoderDecoderJoint(marks=10, encoder_weight=0.5)


def test_hidden_places_keep_their_length(row, marked):
    """Every token of a span is hidden by the span's mark and is predicted there; the decoder writes the same tokens."""
    document = np.arange(5, 25)
    batch = OBJECTIVE.collate(Examples([row(document, [30])], marked), np.random.default_rng(1))
    read, labels = batch["input_ids"][0].numpy(), batch["encoder_labels"][0].numpy()
    hidden = labels != -100
    assert (read[:20][~hidden[:20]] == document[~hidden[:20]]).all()
    assert (labels[hidden] == document[hidden[:20]]).all()
    assert set(read[hidden].tolist()) == {50}
    assert batch["labels"][0].tolist() == [50, *document[hidden[:20]].tolist(), 51]
    assert read[20] == 30


@pytest.mark.parametrize("component", [T5(layers=1, width=16, heads=2), Bart(layers=1, width=16, heads=2)])
def test_the_loss_is_the_weighted_sum(component, row, marked, ctx):
    """With embeddings of zero both stacks know nothing: (1 + ½) · ln V."""
    model = component.build(marked, ctx).eval()
    batch = OBJECTIVE.collate(Examples([row(np.arange(5, 25))], marked), np.random.default_rng(1))
    loss, metrics = OBJECTIVE.loss(model, batch)
    assert loss.item() == pytest.approx(0.5 * metrics["encoder_loss"] + metrics["decoder_loss"], rel=1e-6)
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    assert OBJECTIVE.loss(model, batch)[0].item() == pytest.approx(1.5 * math.log(60), rel=1e-5)
