"""Causal language modelling: what is predicted, from what, and what the loss of knowing nothing is."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from workbench.api import Context, Examples, Vocab

HERE = Path()
VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)
RNG = np.random.default_rng(1)


def row(*documents, length=8):
    """Return one packed row of the given documents, padded."""
    padding = length - sum(map(len, documents))
    return {
        "input_ids": np.concatenate([*documents, np.zeros(padding)]).astype(np.uint16),
        "segment_ids": np.repeat([*range(1, len(documents) + 1), 0], [*map(len, documents), padding]),
        "position_ids": np.concatenate([*[np.arange(len(one)) for one in documents], np.arange(padding)]),
    }


def small_model():
    torch.manual_seed(3)
    ctx = Context("step", "architecture/llama", 1, HERE, HERE, HERE, HERE)
    return Llama(layers=2, width=32, heads=2).build(VOCAB, ctx).eval()


def test_labels_stay_within_documents():
    """The label is the next token; the last token of a document, and padding, have none."""
    batch = Causal().collate(Examples([row([5, 6, 7], [8, 9])], VOCAB), RNG)
    assert batch["labels"].tolist() == [[6, 7, -100, 9, -100, -100, -100, -100]]
    assert batch["input_ids"].dtype == torch.int64


def test_equal_logits_give_the_logarithm_of_the_vocabulary():
    """A model that knows nothing pays ln V nats for each token."""
    model = small_model()
    torch.nn.init.zeros_(model.lm_head.weight)  # shared with the embeddings: every logit is 0
    loss, metrics = Causal().loss(model, Causal().collate(Examples([row([5, 6, 7], [8, 9])], VOCAB), RNG))
    assert loss.item() == pytest.approx(math.log(50), rel=1e-6)
    assert metrics == {"accuracy": 0.0}


def test_packed_documents_cost_what_they_cost_alone():
    """The loss of a packed row is the mean over its documents' tokens, each read alone."""
    model, objective = small_model(), Causal()
    documents = [[5, 6, 7, 8], [9, 10, 11]]
    packed, _ = objective.loss(model, objective.collate(Examples([row(*documents)], VOCAB), RNG))
    alone = [objective.loss(model, objective.collate(Examples([row(one)], VOCAB), RNG))[0].item() for one in documents]
    assert packed.item() == pytest.approx((3 * alone[0] + 2 * alone[1]) / 5, abs=1e-5)


def test_other_documents_of_a_row_leave_the_gradient_of_this_one():
    """Nothing flows from the tokens of one document into the loss of another."""
    ctx = Context("step", "architecture/llama", 1, HERE, HERE, HERE, HERE)
    model, objective = Llama(layers=2, width=32, heads=2, tie_embeddings=False).build(VOCAB, ctx), Causal()
    batch = objective.collate(Examples([row([5, 6, 7, 8], [9, 10, 11])], VOCAB), RNG)
    batch["labels"][0, :4] = -100  # only the second document counts
    objective.loss(model, batch)[0].backward()
    gradient = model.get_input_embeddings().weight.grad
    assert not gradient[[5, 6, 7, 8]].any()
    assert gradient[[9, 10]].any()


def test_a_batch_without_labels_has_no_loss():
    """Documents of one token have nothing to predict: the loss is 0, not undefined."""
    loss, _ = Causal().loss(small_model(), Causal().collate(Examples([row([5], [6])], VOCAB), RNG))
    assert loss.item() == 0
