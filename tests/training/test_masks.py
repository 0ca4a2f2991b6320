"""Documents in one row never see each other, and causal models never see what comes."""

from itertools import pairwise

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5EncoderModel,
    XLNetConfig,
    XLNetModel,
)

from workbench.errors import PluginError
from workbench.training.masks import known_positions, looks_back_only, model_inputs, positions
from workbench.training.visibility import Visibility

LENGTHS = (5, 1, 9, 3)
SIZES = {"num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 32, "intermediate_size": 64}


def llama(attention: str) -> LlamaForCausalLM:
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=50, num_key_value_heads=2, max_position_embeddings=32, **SIZES)
    config._attn_implementation = attention
    return LlamaForCausalLM(config).eval()


def bert(attention: str) -> BertForMaskedLM:
    torch.manual_seed(1)
    config = BertConfig(vocab_size=50, max_position_embeddings=32, **SIZES)
    config._attn_implementation = attention
    return BertForMaskedLM(config).eval()


def packed_row(padding: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(5, 50, (1, sum(LENGTHS) + padding), generator=generator)
    segments = [number for number, length in enumerate(LENGTHS, start=1) for _ in range(length)] + [0] * padding
    return {"input_ids": ids, "segment_ids": torch.tensor([segments])}


def documents(row: dict[str, torch.Tensor]) -> list[slice]:
    ends = torch.tensor((0, *LENGTHS)).cumsum(0).tolist()
    assert row["input_ids"].shape[1] >= ends[-1]
    return [slice(start, end) for start, end in pairwise(ends)]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("build", [llama, bert])
@torch.no_grad()
def test_packed_documents_get_the_logits_they_get_alone(build, attention):
    model, row = build(attention), packed_row()
    together = model(**model_inputs(model, row)).logits[0]
    for place in documents(row):
        alone = model(input_ids=row["input_ids"][:, place]).logits[0]
        assert torch.allclose(together[place], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("build", [llama, bert])
@torch.no_grad()
def test_the_models_mix_documents_when_left_alone(build):
    """The reason for the mask: with nothing but position ids, or with a 2D mask of ones, documents leak."""
    model, row = build("sdpa"), packed_row(padding=0)
    leaking = {"position_ids": positions(row["segment_ids"]), "attention_mask": torch.ones_like(row["input_ids"])}
    mixed = model(row["input_ids"], **leaking).logits[0]
    last = documents(row)[-1]
    alone = model(input_ids=row["input_ids"][:, last]).logits[0]
    assert (mixed[last] - alone).abs().max() > 1e-3


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@torch.no_grad()
def test_a_causal_model_sees_nothing_that_comes(attention):
    model, row = llama(attention), packed_row()
    before = model(**model_inputs(model, row)).logits[0]
    changed = {**row, "input_ids": row["input_ids"].clone()}
    changed["input_ids"][0, 10:] = 7
    after = model(**model_inputs(model, changed)).logits[0]
    assert torch.equal(before[:10], after[:10])
    assert not torch.equal(before[10:], after[10:])


@torch.no_grad()
def test_an_encoder_sees_the_whole_document():
    model, row = bert("sdpa"), packed_row()
    before = model(**model_inputs(model, row)).logits[0]
    changed = {**row, "input_ids": row["input_ids"].clone()}
    changed["input_ids"][0, 4] = 7  # the last token of the first document
    after = model(**model_inputs(model, changed)).logits[0]
    assert (before[0] - after[0]).abs().max() > 1e-4
    assert torch.equal(before[5:18], after[5:18])


def test_gradients_are_finite_beside_padding():
    """A row of nothing but padding must not give nan."""
    model = llama("eager").train()
    row = {"input_ids": torch.zeros(1, 6, dtype=torch.int64), "segment_ids": torch.zeros(1, 6, dtype=torch.int64)}
    model(**model_inputs(model, row)).logits.sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_the_mask_is_a_block_for_each_document():
    """Documents of 2 and 1 tokens and one of padding, worked out by hand."""
    segments = torch.tensor([[1, 1, 2, 0]])
    forwards, both = (Visibility(segments, segments, how).additive() for how in ("causal", "bidirectional"))
    causal = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    full = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert (forwards[0, 0] == 0).int().tolist() == causal
    assert (both[0, 0] == 0).int().tolist() == full
    assert torch.isfinite(forwards.bfloat16()).all()


def test_positions_count_within_each_document():
    assert positions(torch.tensor([[3, 3, 1, 1, 1, 0], [1, 2, 2, 2, 3, 3]])).tolist() == [
        [0, 1, 0, 1, 2, 0],
        [0, 0, 1, 2, 0, 1],
    ]


def test_direction_is_read_from_the_attention():
    assert looks_back_only(llama("sdpa"))
    assert not looks_back_only(bert("sdpa"))
    with pytest.raises(PluginError, match="cannot tell whether Linear looks ahead"):
        looks_back_only(torch.nn.Linear(2, 2))


def test_the_longest_row_is_that_of_the_table_of_positions():
    """RoBERTa's table of 34 rows begins two rows late with padding 1; XLNet says -1 and T5 nothing: no limit."""
    roberta = RobertaModel(RobertaConfig(vocab_size=50, max_position_embeddings=34, pad_token_id=1, **SIZES))
    xlnet = XLNetModel(XLNetConfig(vocab_size=50, d_model=16, n_layer=1, n_head=2, d_inner=16))
    t5 = T5EncoderModel(T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
    assert [known_positions(model) for model in (roberta, llama("sdpa"), xlnet, t5)] == [32, 32, None, None]
