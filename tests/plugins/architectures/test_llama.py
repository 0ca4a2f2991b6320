"""The Llama architecture: sizes that follow from each other, and a model that looks back only."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.llama import Llama

from workbench.api import Context, Vocab, model_inputs

HERE = Path()
CTX = Context("step", "architecture/llama", 1, HERE, HERE, HERE, HERE)
VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)


def test_parameters_by_hand():
    """A block has 4·w² for attention, 3·w·f for SwiGLU and two norms of w; embeddings are shared with the head."""
    model = Llama(layers=2, width=32, heads=2).build(VOCAB, CTX)
    width, ffn = 32, 96  # 8/3 · 32 = 85.3, rounded up to a multiple of 32
    block = 4 * width**2 + 3 * width * ffn + 2 * width
    assert sum(weight.numel() for weight in model.parameters()) == 50 * width + 2 * block + width


def test_shared_keys_and_values_take_fewer_weights():
    """With half as many key and value heads, their matrices are half as wide."""
    model = Llama(layers=1, width=32, heads=4, kv_heads=2).build(VOCAB, CTX)
    assert model.model.layers[0].self_attn.k_proj.weight.shape == (16, 32)


def test_heads_follow_from_the_width():
    """By default there is one head for each 64 of the width."""
    assert (Llama().num_heads, Llama(width=768).num_heads, Llama(width=32).num_heads) == (6, 12, 1)


@pytest.mark.parametrize(
    "settings,message",
    [
        ({"width": 30, "heads": 4}, "width 30 cannot be divided among 4 heads"),
        ({"width": 12, "heads": 4}, "gives heads of 3; rotary positions need an even size"),
        ({"width": 32, "heads": 4, "kv_heads": 3}, "4 heads cannot share 3 kv_heads evenly"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(settings, message):
    """A wrong size is refused with the sizes and what is wrong with them."""
    with pytest.raises(ValidationError, match=message):
        Llama(**settings)


def test_nothing_is_seen_of_later_tokens():
    """Changing the last token changes no earlier output."""
    torch.manual_seed(1)
    model = Llama(layers=2, width=32, heads=2).build(VOCAB, CTX).eval()
    ids = torch.arange(3, 13)[None]
    changed = ids.clone()
    changed[0, -1] = 40
    outputs = [
        model(**model_inputs(model, {"input_ids": given, "segment_ids": torch.ones_like(given)})).logits
        for given in (ids, changed)
    ]
    assert torch.equal(outputs[0][:, :-1], outputs[1][:, :-1])
    assert not torch.equal(outputs[0][:, -1], outputs[1][:, -1])
