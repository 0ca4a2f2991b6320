"""Distillation: the loss by hand, its gradient's size, what it is put around, and the teacher left as it is."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.classification import Classification
from workbench_plugins.objectives.contrastive import Contrastive
from workbench_plugins.objectives.denoising import Denoising
from workbench_plugins.objectives.distillation import Distillation
from workbench_plugins.objectives.encoder_decoder_joint import EncoderDecoderJoint
from workbench_plugins.objectives.multi import Multi

from workbench.api import Examples, StepError, Vocab

VOCAB = Vocab(size=20, max_length=32, pad=0, eos=1, num_marks=3)


def of_two(temperature=2.0, weight=0.25):
    return Distillation(objective=Causal(), temperature=temperature, weight=weight)


def batch_of(labels):
    ids = torch.zeros(1, len(labels), dtype=torch.int64)
    return {"input_ids": ids, "segment_ids": torch.ones_like(ids), "labels": torch.tensor([labels])}


def test_the_loss_by_hand(constant):
    """At T = 2 the teacher says (3/4, 1/4), the model (1/2, 1/2): KL = 3/4 ln 3/2 + 1/4 ln 1/2, times T²; hard ln 2."""
    objective = of_two().taught(constant([2 * math.log(3), 0.0]))
    loss, metrics = objective.loss(constant([0.0, 0.0]), batch_of([0, 1, -100]))
    soft = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert loss.item() == pytest.approx(0.25 * soft + 0.75 * math.log(2), rel=1e-6)
    assert metrics["soft_loss"] == pytest.approx(soft, rel=1e-6)
    assert metrics["hard_loss"] == pytest.approx(math.log(2), rel=1e-6)
    assert metrics["accuracy"] == 0.5


def test_high_temperatures_match_logits():
    """For T large against centred logits, the gradient is (z - v) / C whatever T (Hinton et al. 2015, equation 4)."""
    z, v = torch.tensor([[0.3, -0.1, -0.2]], requires_grad=True), torch.tensor([[-0.2, 0.1, 0.1]])
    for temperature in (100.0, 1000.0):
        z.grad = None
        of_two(temperature).soft_loss(z, v, torch.tensor([0])).backward()
        assert torch.allclose(z.grad, (z - v).detach() / 3, atol=1e-3)


def test_the_teacher_is_frozen_and_drops_nothing_out(row, ctx):
    """Same words each time, no gradient, no random number taken; the objective it was bound to has no teacher still."""
    torch.manual_seed(1)
    teacher, model = (Llama(layers=1, width=16, heads=2, dropout=0.5).build(VOCAB, ctx).train() for _ in range(2))
    before = of_two(weight=1.0)
    objective = before.taught(teacher)
    batch = objective.collate(Examples([row(np.arange(4, 14))], VOCAB), np.random.default_rng(1))
    state = torch.get_rng_state()
    first, again = objective._of_teacher(batch), objective._of_teacher(batch)
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)
    objective.loss(model, batch)[0].backward()
    assert all(weight.grad is None and not weight.requires_grad for weight in teacher.parameters())
    assert any(weight.grad is not None for weight in model.parameters())
    with pytest.raises(StepError, match=r"no teacher\n.*expected: the input `teacher`"):
        before.loss(model, batch)


def test_a_model_has_nothing_to_learn_from_itself(row, ctx):
    """KL of equal distributions is 0, for a model with two stacks too; its hard loss is that of the objective alone."""
    torch.manual_seed(1)
    model = Bart(layers=1, width=16, heads=2).build(VOCAB, ctx).eval()
    objective = Distillation(objective=Denoising()).taught(model)
    batch = objective.collate(Examples([row(np.arange(4, 14))], VOCAB), np.random.default_rng(1))
    loss, metrics = objective.loss(model, batch)
    assert metrics["soft_loss"] == pytest.approx(0, abs=1e-6)
    assert 2 * loss.item() == pytest.approx(Denoising().loss(model, batch)[0].item(), rel=1e-5)


def test_it_stands_for_what_it_is_put_around():
    """Head, data, marks, labels and what has to fit are those of the hard loss."""
    around = Distillation(objective=Classification(label="kind"))
    assert (around.head, around.data, around.members) == ("sequence-classification", "records", (around.objective,))
    assert Distillation(objective=Denoising()).num_marks == 1


@pytest.mark.parametrize("part", [Contrastive(), EncoderDecoderJoint(), of_two()])
def test_only_a_row_of_logits_for_each_label_can_be_laid_beside_a_teachers(part):
    with pytest.raises(ValidationError, match="no single row of logits for each label"):
        Distillation(objective=part)


def test_it_is_put_around_a_part_not_into_a_sum():
    with pytest.raises(ValidationError, match="put it around one of them"):
        Multi(objectives=(Causal(), of_two()))


def test_a_teacher_that_tells_less_apart_is_refused(constant):
    """One with more columns has them left out: no token has their numbers."""
    objective = of_two(weight=1.0)
    with pytest.raises(StepError, match=r"logits \[1, 2, 3\] of the model, \[1, 2, 2\] of its teacher"):
        objective.taught(constant([0.0, 0.0])).loss(constant([0.0, 0.0, 0.0]), batch_of([0, 1]))
    loss, _ = objective.taught(constant([0.0, 0.0, 9.0])).loss(constant([0.0, 0.0]), batch_of([0, 1]))
    assert loss.item() == pytest.approx(0, abs=1e-6)
