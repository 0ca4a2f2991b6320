"""The decoders beside Llama: their weights counted by hand, and what each is special for."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.gpt2 import Gpt2
from workbench_plugins.architectures.gpt_j import GptJ
from workbench_plugins.architectures.gpt_neox import GptNeox
from workbench_plugins.architectures.mixtral import Mixtral
from workbench_plugins.architectures.mpt import Mpt
from workbench_plugins.architectures.palm import Palm
from workbench_plugins.architectures.places import sinusoids
from workbench_plugins.architectures.qwen import Qwen

from workbench.api import Context, Vocab, model_inputs

CTX = Context("step", "architecture/any", 1, *(Path() for _ in range(4)))
VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)
V, T, W, F, G, HEAD = 50, 16, 32, 128, 96, 16  # vocabulary, positions, width, 4·W, 8/3·W rounded up to 32, W / 2 heads
SMALL = {"layers": 2, "width": W, "heads": 2}
ATTENTION, BIASES, NORM = 4 * W * W, 4 * W, 2 * W  # a norm has weights and biases


def build(component):
    torch.manual_seed(1)
    return component.build(VOCAB, CTX).eval()


def logits(model, ids):
    return model(**model_inputs(model, {"input_ids": ids, "segment_ids": torch.ones_like(ids)})).logits


@pytest.mark.parametrize(
    "component,expected",
    [
        (Gpt2(**SMALL), (V + T) * W + 2 * (ATTENTION + BIASES + 2 * W * F + F + W + 2 * NORM) + NORM),
        (GptNeox(**SMALL), V * W + 2 * (ATTENTION + BIASES + 2 * W * F + F + W + 2 * NORM) + NORM),
        (GptJ(**SMALL), V * W + 2 * (ATTENTION + 2 * W * F + F + W + NORM) + NORM + V * W + V),
        (Palm(**SMALL), V * W + 2 * (2 * W * W + 2 * W * HEAD + 3 * W * G + W) + W),
        (Qwen(**SMALL), V * W + 2 * (ATTENTION + 3 * W * G + 2 * W + 2 * HEAD) + W),
        (Mixtral(**SMALL, experts=4), V * W + 2 * (ATTENTION + 4 * 3 * W * G + 4 * W + 2 * W) + W),
        (Mpt(**SMALL), V * W + 2 * (ATTENTION + 2 * W * F + 2 * W) + W),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, int) else "",
)
def test_parameters_by_hand(component, expected):
    """Embeddings, blocks and the last norm; only GPT-J has a head of its own."""
    assert sum(weight.numel() for weight in build(component).parameters()) == expected


def test_palm_scales_its_logits_and_draws_weights_as_the_paper_says():
    """Logits are scaled by 1/√width; embeddings have deviation 1, matrices 1/√inputs (appendix B)."""
    model = build(Palm(layers=2, width=256, heads=4))
    assert model.logit_scale == pytest.approx(1 / 16)
    assert model.get_input_embeddings().weight.std().item() == pytest.approx(1, rel=0.02)
    assert model.model.layers[0].mlp.down_proj.weight.std().item() == pytest.approx(
        model.config.intermediate_size**-0.5, rel=0.02
    )
    assert model.model.layers[1].self_attn.k_proj.weight.shape == (64, 256)


@torch.no_grad()
def test_palm_blocks_are_parallel():
    """One block is x + attention(norm(x)) + SwiGLU(norm(x)), worked out from its parts."""
    model = build(Palm(layers=1, width=W, heads=2))
    ids = torch.arange(3, 10)[None]
    block = model.model.layers[0]
    seen = {}
    block.self_attn.register_forward_hook(lambda _module, _given, output: seen.update(attention=output[0]))
    block.register_forward_hook(lambda _module, _given, output: seen.update(block=output))
    logits(model, ids)
    x = model.get_input_embeddings()(ids)
    normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    gate, up, down = (part.weight for part in (block.mlp.gate_proj, block.mlp.up_proj, block.mlp.down_proj))
    gated = torch.nn.functional.silu(normed @ gate.T) * (normed @ up.T)
    assert torch.allclose(seen["block"], x + seen["attention"] + gated @ down.T, atol=1e-5)


@torch.no_grad()
def test_alibi_knows_distances_only():
    """MPT has no position but the distance: a text that is moved by padding of its own keeps its outputs."""
    model = build(Mpt(**SMALL))
    ids = torch.arange(3, 10)[None]
    moved = {"input_ids": torch.cat([ids[:, :4], ids], 1), "segment_ids": torch.tensor([[1] * 4 + [2] * 7])}
    together = model(**model_inputs(model, moved)).logits[:, 4:]
    assert torch.allclose(together, logits(model, ids), atol=1e-6)
    assert not torch.allclose(logits(model, ids[:, [0, 1, 2]])[:, -1], logits(model, ids[:, [1, 0, 2]])[:, -1])


def test_sinusoidal_positions_are_fixed():
    """They are those of Vaswani et al. 2017 at the size of fresh embeddings, and do not learn."""
    table = build(Gpt2(**SMALL, positions="sinusoidal")).transformer.wpe.weight
    assert not table.requires_grad
    assert torch.equal(table, 0.02 * sinusoids(T, W))


def test_sinusoids_by_hand():
    """Position 2 of width 4: sin 2, cos 2, sin 0.02, cos 0.02."""
    expected = torch.tensor([0.90929743, -0.41614684, 0.01999867, 0.99980001])
    assert torch.allclose(sinusoids(3, 4)[2], expected, atol=1e-7)


@pytest.mark.parametrize(
    "cls,settings,message",
    [
        (Gpt2, {"width": 30, "heads": 4}, "width 30 cannot be divided among 4 heads"),
        (GptNeox, {"width": 32, "heads": 8}, "rotary_share 0.25 of heads of 4 is 1; rotary positions need"),
        (GptJ, {"width": 32, "heads": 4, "rotary_size": 10}, "rotary_size 10 exceeds the size of a head, 8"),
        (Palm, {"width": 12, "heads": 4}, "gives heads of 3; rotary positions need an even size"),
        (Palm, {"width": 32, "heads": 4, "kv_heads": 3}, "4 heads cannot share 3 kv_heads evenly"),
        (Mixtral, {"experts": 2, "active": 3}, "3 active experts of 2"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(cls, settings, message):
    """A wrong size is refused with the sizes and what is wrong with them."""
    with pytest.raises(ValidationError, match=message):
        cls(**settings)
