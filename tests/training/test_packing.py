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
from workbench.errors import PluginError
from workbench.registry import shared_registry
from workbench.training.losses import token_loss
from workbench.training.masks import model_inputs, positions
from workbench.training.models import with_head
from workbench.training.visibility import Visibility

VOCAB = Vocab(size=60, max_length=32, pad=0, eos=1, bos=None, unk=2, mask=3, cls=4, sep=5)
LENGTHS, WRITTEN = (5, 1, 9, 3), (3, 4, 6, 2)
PADDING = 2
DEVIATION = 0.2
SETTINGS = {"modernbert": {"window": 4, "global_every": 2}}  # a window shorter than documents, in every other layer
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
    model = NEURAL[name](layers=2, width=32, heads=4, **SETTINGS.get(name, {})).build(VOCAB, CTX)
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
        row["order"] = positions(row["segment_ids"])
        row["target_positions"] = row["order"].nonzero()[None, :, 1]
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


@pytest.mark.parametrize("attention", BACKENDS[:2])
@torch.no_grad()
def test_a_prefix_is_read_from_both_sides(attention):
    """Every token sees the whole prefix of its document, and of what follows only what stands before itself."""
    model = on("prefix-lm", attention)
    row = packed_row(model)
    row["prefix_mask"] = torch.zeros_like(row["segment_ids"], dtype=torch.bool)
    row["prefix_mask"][0, :3] = True  # three of the first document's five tokens
    seen = []
    for place in (2, 3):
        changed = {**row, "input_ids": row["input_ids"].clone()}
        changed["input_ids"][0, place] = 6 + (row["input_ids"][0, place] - 5) % (VOCAB.size - 6)
        seen.append((logits(model, row) - logits(model, changed)).abs().amax(-1).gt(1e-6).nonzero().flatten().tolist())
    assert seen == [[0, 1, 2, 3, 4], [3, 4]]
    alone = {name: value[:, :5] for name, value in row.items()}
    assert (logits(model, row)[:5] - logits(model, alone)).abs().max() <= 1e-5


@torch.no_grad()
def test_xlnet_predicts_in_the_given_order():
    """A token is predicted from those of a lower rank and those that are given (rank 0), and never from itself."""
    model = on("xlnet", "eager")
    ids = torch.arange(6, 11)[None]
    row = {"input_ids": ids, "segment_ids": torch.ones_like(ids), "order": torch.tensor([[0, 3, 0, 1, 2]])}
    row["target_positions"] = torch.tensor([[3, 4, 1]])
    before = logits(model, row)
    seen = {}
    for place in range(5):
        changed = {**row, "input_ids": ids.clone()}
        changed["input_ids"][0, place] = 40
        seen[place] = (before - logits(model, changed)).abs().amax(-1).gt(1e-6).tolist()
    assert seen == {0: [True] * 3, 1: [False] * 3, 2: [True] * 3, 3: [False, True, True], 4: [False, False, True]}
    with pytest.raises(PluginError, match="sees no other one"):
        model_inputs(model, {**row, "order": torch.tensor([[4, 3, 5, 1, 2]])})


def test_rules_by_hand():
    """What a window, a prefix and an order leave of a document of four tokens."""
    one = torch.ones(1, 4, dtype=torch.int64)
    near = Visibility(one, one, "bidirectional", window=1).dense()[0].int().tolist()
    assert near == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    near = Visibility(one, one, "causal", window=2).dense()[0].int().tolist()
    assert near == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    prefix = Visibility(one, one, "prefix", prefix=torch.tensor([[1, 1, 0, 0]]).bool()).dense()[0].int().tolist()
    assert prefix == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    order = Visibility(one, one, "permutation", order=torch.tensor([[0, 2, 1, 0]])).dense()[0].int().tolist()
    assert order == [[1, 0, 0, 1], [1, 0, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1]]


def test_flash_attention_gets_the_ends_of_documents():
    """Rows are laid one behind the other; a prefix cannot be said that way."""
    model = build("llama")
    config = model.config
    before = config._attn_implementation
    config._attn_implementation_internal = "flash_attention_2"
    try:
        row = {"input_ids": torch.arange(6, 14).view(2, 4), "segment_ids": torch.tensor([[1, 1, 2, 2], [1, 1, 1, 0]])}
        inputs = model_inputs(model, row)
        assert inputs["input_ids"].tolist() == [list(range(6, 14))]
        assert inputs["position_ids"].tolist() == [[0, 1, 0, 1, 0, 1, 2, 0]]
        assert inputs["cu_seq_lens_q"].tolist() == [0, 2, 4, 7, 8]
        assert (inputs["max_length_k"], inputs["use_cache"], "attention_mask" in inputs) == (3, False, False)
        config.attention_pattern = "prefix"
        with pytest.raises(PluginError, match="knows no prefix masks"):
            model_inputs(model, row)
    finally:
        config._attn_implementation_internal = before
        config.attention_pattern = ""


@torch.no_grad()
def test_texts_of_different_length_are_told_by_their_own_tokens():
    """XLNet's head for texts looks at the last token: padding behind a text changes nothing."""
    torch.manual_seed(1)
    model = with_head(build("xlnet"), "sequence-classification", ["a", "b"]).eval()
    ids = torch.arange(6, 12)[None]
    padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.int64)], 1)
    alone = model(**model_inputs(model, {"input_ids": ids, "segment_ids": torch.ones_like(ids)})).logits
    together = model(**model_inputs(model, {"input_ids": padded, "segment_ids": (padded > 0).long()})).logits
    assert (alone - together).abs().max() <= 1e-5
