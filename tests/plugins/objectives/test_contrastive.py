"""Contrastive learning: the loss by hand, and pairs that are not held against each other."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.contrastive import Contrastive, matching_loss

from workbench.api import Examples, StepError, Vocab
from workbench.testing.artifacts import small_tokenizer
from workbench.training.models import with_head

VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)


class Fixed(torch.nn.Module):
    """Gives each token its own vector."""

    is_causal = False
    config = SimpleNamespace(is_encoder_decoder=False, model_type="fixed", _attn_implementation="eager")

    def __init__(self, vectors):
        super().__init__()
        self.vectors = torch.tensor(vectors)

    def forward(self, input_ids, **_):
        return SimpleNamespace(last_hidden_state=self.vectors[input_ids])


def collate(*pairs):
    rows = [{"input_ids": first, "other_ids": second} for first, second in pairs]
    return Contrastive().collate(Examples(rows, VOCAB), np.random.default_rng(1))


def test_loss_by_hand():
    """Two pairs at right angles: similarity 1 within and 0 across, so ln(1 + e^(-1/τ)) in both directions."""
    model = Fixed([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    loss, metrics = Contrastive(temperature=0.5).loss(model, collate(([1], [1]), ([2], [2, 2])))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)), rel=1e-6)
    assert metrics == {"accuracy": 1.0}


def test_vectors_are_means_without_padding():
    """A text of tokens at right angles has the unit vector between them."""
    model = Fixed([[9.0, 9.0], [1.0, 0.0], [0.0, 1.0]])
    batch = collate(([1, 2], [1]), ([1], [2]))
    expected = torch.tensor([[0.5**0.5, 0.5**0.5], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert torch.allclose(Contrastive.vectors(model, batch), expected)


def test_repeats_are_no_opposites():
    """Two pairs with the same text cost nothing."""
    model = Fixed([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    assert Contrastive().loss(model, collate(([1], [1]), ([1], [2])))[0].item() == pytest.approx(0, abs=1e-6)


def test_records_are_encoded_with_their_other_text(tmp_path):
    """By default the text itself; a missing column is said."""
    tokenizer = small_tokenizer(tmp_path).load()
    record = {"id": "1", "text": "the river", "title": "water"}
    same = Contrastive().encode(record, tokenizer, None, 16)
    assert same["input_ids"] == same["other_ids"]
    titled = Contrastive(other="title").encode(record, tokenizer, None, 16)
    assert tokenizer.decode(titled["other_ids"], skip_special_tokens=True) == "water"
    with pytest.raises(StepError, match=r"no text in the column 'name'\n.*expected: one of: id, text, title"):
        Contrastive(other="name").encode(record, tokenizer, None, 16)


def test_pairs_are_learned(ctx):
    """Texts that have nothing in common but their number come together."""
    torch.manual_seed(1)
    model = with_head(Llama(layers=1, width=16, heads=2).build(VOCAB, ctx), "body")
    batch = collate(*(([5 + n, 6], [25 + n, 7, 8]) for n in range(8)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss, _ = Contrastive(temperature=0.2).loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_cosines_keep_their_digits_in_bfloat16():
    """Vectors as near to each other as those of texts: the loss is that of float32."""
    torch.manual_seed(1)
    left, right = (torch.nn.functional.normalize(1 + 0.15 * torch.randn(16, 64), dim=1) for _ in range(2))
    repeats = torch.zeros(16, 16, dtype=torch.bool)
    exact, _ = matching_loss(left, right, 20.0, repeats)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = matching_loss(left, right, 20.0, repeats)
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6)
