"""Output layer and loss worked out together: the numbers of the plain way, and the plain way where it must be taken."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, linear
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.llama import Llama

from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Vocab
from workbench.training import linear_loss, losses
from workbench.training.linear_loss import LinearLoss
from workbench.training.losses import IGNORED, logits_loss, token_loss

VOCAB = Vocab(50, 16, pad=0, eos=1, mask=2, cls=3, sep=4)


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")


def batch(rows=3, length=12):
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, 50, (rows, length), generator=generator)
    labels = torch.where(torch.rand(rows, length, generator=generator) < 0.7, ids.roll(-1, 1), IGNORED)
    return {"input_ids": ids}, labels


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


@pytest.mark.parametrize("has_bias", [True, False])
def test_the_gradients_are_those_of_the_plain_way(monkeypatch, has_bias):
    """In stretches of 256 tokens, the last one shorter; a loss that counts threefold has threefold gradients."""
    monkeypatch.setattr(linear_loss, "STRETCH", {"cpu": 1})
    generator = torch.Generator().manual_seed(1)
    given = [torch.randn(*shape, generator=generator) for shape in ((700, 24), (90, 24), (90,))][: 3 if has_bias else 2]
    labels = torch.randint(0, 90, (700,), generator=generator)
    plain = [tensor.clone().requires_grad_() for tensor in given]
    ours = [tensor.clone().requires_grad_() for tensor in given]
    expected = cross_entropy(linear(*plain), labels)
    (3 * expected).backward()
    loss, correct = LinearLoss.apply(ours[0], ours[1], ours[2] if has_bias else None, labels)
    (3 * loss).backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    assert correct.item() == (linear(*plain).argmax(-1) == labels).sum().item()
    for one, other in zip(ours, plain, strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6)


def test_the_loss_by_hand():
    """States (1, 0) and (0, 1), words (ln 2, 0), (0, 0), (0, ln 3): p = 2/4 and 3/5; the mean of -ln p."""
    weight = torch.tensor([[math.log(2), 0.0], [0.0, 0.0], [0.0, math.log(3)]])
    loss, correct = LinearLoss.apply(torch.eye(2), weight, None, torch.tensor([0, 2]))
    assert loss.item() == pytest.approx((math.log(2) + math.log(5 / 3)) / 2)
    assert correct.item() == 2


@pytest.mark.parametrize("architecture", [Llama(layers=1, width=16), Bert(layers=1, width=16)])
def test_models_give_the_loss_of_their_logits(ctx, architecture, monkeypatch):
    """Tied embeddings, BERT's transform and bias before the words: loss, accuracy and every gradient."""
    torch.manual_seed(1)
    model = architecture.build(VOCAB, ctx)
    inputs, labels = batch()
    loss, metrics = token_loss(model, inputs, labels)
    assert losses._last_layers[model]
    found = gradients(model, loss)
    plain, plain_metrics = logits_loss(model(**inputs).logits, labels)
    assert loss.item() == pytest.approx(plain.item(), abs=1e-5)
    assert metrics == pytest.approx(plain_metrics)
    for one, other in zip(found, gradients(model, plain), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_model_that_changes_its_logits_goes_the_plain_way(ctx, monkeypatch):
    """A soft cap behind the output layer (Gemma 2): what is cut off before it would be another loss."""
    model = Llama(layers=1, width=16).build(VOCAB, ctx)
    right = model.forward

    def capped(*given, **named):
        output = right(*given, **named)
        output.logits = 5 * torch.tanh(output.logits / 5)
        return output

    monkeypatch.setattr(model, "forward", capped)
    inputs, labels = batch()
    loss, _ = token_loss(model, inputs, labels)
    assert not losses._last_layers[model]
    assert loss.item() == logits_loss(model(**inputs).logits, labels)[0].item()


def test_trying_a_model_changes_nothing(ctx):
    """The first loss of a process and the second are the same bits, dropout included: a resume depends on it."""
    model = Llama(layers=1, width=16, dropout=0.5).build(VOCAB, ctx).train()
    inputs, labels = batch()
    torch.manual_seed(7)
    first, _ = token_loss(model, inputs, labels)
    torch.manual_seed(7)
    second, _ = token_loss(model, inputs, labels)
    assert model.training
    assert first.item() == second.item()
    assert model.lm_head(torch.zeros(16)).shape == (50,)


def test_a_batch_without_labels_is_connected_to_the_weights(ctx):
    model = Llama(layers=1, width=16).build(VOCAB, ctx)
    inputs, labels = batch()
    loss, metrics = token_loss(model, inputs, torch.full_like(labels, IGNORED))
    loss.backward()
    assert (loss.item(), metrics) == (0.0, {"accuracy": 0.0})
    assert not model.model.layers[0].mlp.up_proj.weight.grad.any()


def test_bfloat16_is_near(ctx):
    """Matrix products in bfloat16, sums in float32; gradients in the dtype of the weights."""
    model = Llama(layers=1, width=16).build(VOCAB, ctx)
    inputs, labels = batch()
    exact, _ = token_loss(model, inputs, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, _ = token_loss(model, inputs, labels)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), abs=0.02)
    assert all(grad.dtype == torch.float32 for grad in gradients(model, rough))
