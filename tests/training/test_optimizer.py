"""Muon for matrices of the body, AdamW for the rest; averages of the weights."""

import math

import pytest
import torch
from torch import nn
from workbench_plugins.architectures.llama import Llama

from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Vocab
from workbench.training.average import Average
from workbench.training.optimizer import Optimizers
from workbench.training.settings import Optimizer


@pytest.fixture
def model(tmp_path):
    ctx = Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")
    return Llama(layers=1, width=16, tie_embeddings=False).build(Vocab(50, 16, pad=0, eos=1), ctx)


def test_muon_has_the_matrices_of_the_body(model):
    """Embeddings, output layer and norms stay with AdamW (Jordan et al. 2024)."""
    muon, adamw = Optimizers(model, Optimizer(method="muon")).parts
    by_id = {id(parameter): name for name, parameter in model.named_parameters()}

    def names(optimizer):
        return {by_id[id(p)] for group in optimizer.param_groups for p in group["params"]}

    assert names(adamw) == {name for name in by_id.values() if "norm" in name or "embed" in name or "lm_head" in name}
    assert names(muon) == set(by_id.values()) - names(adamw)


def test_a_step_of_muon_turns_all_directions_alike():
    """The update is the momentum with singular values near 1, times 0.2 · √(longer side) (Liu et al. 2025)."""
    torch.manual_seed(1)
    body = nn.Linear(8, 32, bias=False)
    before = body.weight.detach().clone()
    optimizers = Optimizers(body, Optimizer(method="muon", weight_decay=0.0))
    body.weight.grad = torch.randn(32, 8)
    left, _, right = torch.linalg.svd(body.weight.grad, full_matrices=False)
    optimizers.step(0.01)
    step = (before - body.weight.detach()) / (0.01 * 0.2 * math.sqrt(32))
    assert torch.linalg.svdvals(step).tolist() == pytest.approx([1.0] * 8, abs=0.35)  # five steps of Newton-Schulz
    assert torch.nn.functional.cosine_similarity(step.flatten(), (left @ right).flatten(), dim=0) > 0.97
    assert body.weight.grad is None


def test_the_state_goes_back_where_it_was(model):
    """After a step, another step with the state put back is the same as one in a row."""
    settings = Optimizer(method="muon")

    def run(steps, optimizers):
        for seed in steps:
            generator = torch.Generator().manual_seed(seed)
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizers.step(1e-2)
        return optimizers

    start = {name: value.clone() for name, value in model.state_dict().items()}
    run([1, 2], Optimizers(model, settings))
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(start)
    state = {name: value.clone() for name, value in run([1], Optimizers(model, settings)).state().items()}
    fresh = Optimizers(model, settings)
    fresh.restore(state)
    run([2], fresh)
    assert {name.rpartition("/")[2] for name in state} == {"momentum_buffer", "exp_avg", "exp_avg_sq", "step"}
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


def test_the_average_by_hand():
    """Weights 0, then 1, then 1: (1+n)/(10+n) is 2/11 and 3/12, below the 0.9 asked for."""
    weight = nn.Parameter(torch.zeros(1))
    average = Average({"w": weight}, 0.9)
    for step in (1, 2):
        weight.data.fill_(1.0)
        average.take_in(step)
    first = 1 - 2 / 11
    assert average.tensors["w"].item() == pytest.approx(first * 0.25 + 0.75)
    with average.in_place():
        assert weight.item() == pytest.approx(first * 0.25 + 0.75)
    assert weight.item() == 1.0
    average.settle()
    assert weight.item() == pytest.approx(first * 0.25 + 0.75)


def test_the_average_forgets_slowly_in_the_end():
    weight = nn.Parameter(torch.ones(1))
    average = Average({"w": weight}, 0.9)
    weight.data.fill_(0.0)
    average.take_in(10_000)
    assert average.tensors["w"].item() == pytest.approx(0.9)
