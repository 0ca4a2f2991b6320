"""Every architecture on every attention it has: packed documents are read as if each stood alone, nothing looks ahead.

Weights are drawn with a deviation ten times the usual one, so that a leak shows in the logits.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from workbench.contracts.context import Context
from workbench.contracts.model import Architecture
from workbench.contracts.tokenizer import Vocab
from workbench.registry import shared_registry
from workbench.training.losses import token_loss
from workbench.training.masks import model_inputs

VOCAB = Vocab(size=60, max_length=32, pad=0, eos=1, bos=None, unk=2, mask=3, cls=4, sep=5)
LENGTHS, WRITTEN = (5, 1, 9, 3), (3, 4, 6, 2)
PADDING = 2
DEVIATION = 0.2
BACKENDS = ("eager", "sdpa", "flex_attention")
CTX = Context("step", "architecture/any", 1, *(Path() for _ in range(4)))


def _neural():
    registry = shared_registry()
    classes = {ref.name: registry.load(ref.id) for ref in registry.refs("architecture") if ref.name != "pretrained"}
    return {name: cls for name, cls in classes.items() if issubclass(cls, Architecture)}


NEURAL = _neural()


@cache
def build(name):
    torch.manual_seed(1)
    model = NEURAL[name](layers=2, width=32, heads=4).build(VOCAB, CTX)
    for weight in model.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=DEVIATION)
    return model.eval()


def on(name, attention):
    """Return the model with this attention, or skip where its class has none of that name."""
    model = build(name)
    family = type(model)
    has = {"sdpa": family._supports_sdpa, "flex_attention": family._supports_flex_attn, "eager": True}
    if not has[attention]:
        pytest.skip(f"{family.__name__} has no {attention}")
    model.set_attn_implementation(attention)
    return model


def segments(lengths, padding=PADDING):
    return torch.tensor([[n for n, length in enumerate(lengths, 1) for _ in range(length)] + [0] * padding])


def places(lengths):
    return [slice(start, end) for start, end in pairwise(torch.tensor((0, *lengths)).cumsum(0).tolist())]


def packed_row(model):
    torch.manual_seed(2)
    given = segments(LENGTHS)
    row = {"input_ids": torch.randint(6, VOCAB.size, given.shape), "segment_ids": given}
    if model.config.is_encoder_decoder:
        written = segments(WRITTEN)
        row |= {"decoder_input_ids": torch.randint(6, VOCAB.size, written.shape), "decoder_segment_ids": written}
    return row


def logits(model, row):
    return model(**model_inputs(model, row)).logits[0]


def documents(model, row):
    """Yield each document as a row of its own, and where its outputs lie in the packed row."""
    for read, written in zip(places(LENGTHS), places(WRITTEN), strict=True):
        alone = {name: value[:, written if name.startswith("decoder") else read] for name, value in row.items()}
        yield alone, written if model.config.is_encoder_decoder else read


@pytest.fixture(autouse=True)
def uncompiled():
    """Run FlexAttention as it is written: compiling it takes minutes on a CPU and changes no mask."""
    torch.compiler.set_stance("force_eager")
    yield
    torch.compiler.set_stance("default")


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile", "ignore:`torch.jit")
@pytest.mark.parametrize("attention", BACKENDS)
@pytest.mark.parametrize("name", NEURAL)
@torch.no_grad()
def test_packed_documents_get_the_logits_they_get_alone(name, attention):
    """The largest difference between packed and separate documents is 1e-5."""
    model = on(name, attention)
    row = packed_row(model)
    together = logits(model, row)
    for alone, place in documents(model, row):
        assert (together[place] - logits(model, alone)).abs().max() <= 1e-5


@pytest.mark.parametrize("name", NEURAL)
@torch.no_grad()
def test_a_document_alone_gets_what_transformers_gives_it(name):
    """For one document the compiled inputs are no more than what the model does by itself."""
    model = on(name, "eager")
    row = packed_row(model)
    for alone, _ in documents(model, row):
        plain = {key: value for key, value in alone.items() if key in ("input_ids", "decoder_input_ids")}
        assert (logits(model, alone) - model(**plain).logits[0]).abs().max() <= 1e-5


@pytest.mark.parametrize("attention", BACKENDS[:2])
@pytest.mark.parametrize("name", [name for name, cls in NEURAL.items() if cls.family != "encoder"])
@torch.no_grad()
def test_nothing_is_seen_of_later_tokens(name, attention):
    """Changing a token changes its own output and later ones of its document only (permutation: in order)."""
    model = on(name, attention)
    row = packed_row(model)
    if NEURAL[name].family == "permutation":
        row |= {"order": torch.arange(1, row["input_ids"].shape[1] + 1)[None]}
        row |= {"target_positions": row["order"] - 1}
    key = "decoder_input_ids" if model.config.is_encoder_decoder else "input_ids"
    lengths = WRITTEN if model.config.is_encoder_decoder else LENGTHS
    before = logits(model, row)
    last = places(lengths)[2].stop - 1
    changed = {**row, key: row[key].clone()}
    changed[key][0, last] = 6 + (row[key][0, last] - 5) % (VOCAB.size - 6)
    different = (before - logits(model, changed)).abs().amax(
        -1
    ) > 1e-5  # experts compute in other groups, so last digits may move
    own = NEURAL[name].family != "permutation"  # there a token is predicted without being seen
    assert different.nonzero().flatten().tolist() == ([last] if own else [])


@pytest.mark.parametrize("name", [name for name, cls in NEURAL.items() if cls.family == "encoder"])
@torch.no_grad()
def test_encoders_see_both_sides(name):
    """Changing the last token of a document changes its first output."""
    model = on(name, "sdpa")
    row = packed_row(model)
    changed = {**row, "input_ids": row["input_ids"].clone()}
    changed["input_ids"][0, LENGTHS[0] - 1] = 7 if row["input_ids"][0, LENGTHS[0] - 1] != 7 else 8
    different = (logits(model, row) - logits(model, changed)).abs().amax(-1) > 1e-6
    assert different.tolist() == [True] * LENGTHS[0] + [False] * (len(different) - LENGTHS[0])


def test_training_mixtures_of_experts_keep_documents_apart():
    """While training they are masked by another way, as their routers are asked for."""
    model = on("mixtral", "sdpa").train()
    row = packed_row(model)
    inputs = model_inputs(model, row)
    assert inputs["output_router_logits"]
    together = logits(model, row)
    for alone, place in documents(model, row):
        assert (together[place] - logits(model, alone)).abs().max() <= 1e-5
    balance = model(**inputs).aux_loss.item()
    assert balance > 0
    loss, metrics = token_loss(model, inputs, row["input_ids"])
    assert metrics["balance"] == pytest.approx(balance, rel=1e-5)
    assert loss.item() == pytest.approx(metrics["token_loss"] + 0.01 * balance, rel=1e-5)
    model.eval()
