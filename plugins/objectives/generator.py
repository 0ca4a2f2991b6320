"""The generator of replaced token detection: a small masked language model, whose guesses are put into the text.

Source: Clark et al. 2020 (ELECTRA), sections 2 and 3.2. It reads and writes with the token embeddings of the model that is
kept, narrowed on the way in and widened on the way out, so what it has of its own does not grow with the vocabulary; its
positions are its own, as models tell places in different ways. The blocks are transformers' BERT. All its weights are
handed in, under their names with `-` for `.`: they hang on the model as weights beside it.

Shapes: B rows, T tokens of a row, N hidden tokens, V vocabulary, D width of the embeddings, G width of the generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertEncoder

DEVIATION = 0.02  # of fresh weights, as in BERT
HEAD = 64  # numbers of an attention head, Clark et al. 2020, table 6


class Generator(nn.Module):
    """A masked language model of `layers` blocks over the embeddings of another model.

    Args:
        outer: D, the width of those embeddings.
        inner: G.
        layers: Blocks.
        length: Positions it knows.
    """

    def __init__(self, outer: int, inner: int, layers: int, length: int) -> None:
        super().__init__()
        heads = next(number for number in range(max(1, inner // HEAD), 0, -1) if inner % number == 0)
        config = BertConfig(
            hidden_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * inner,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="sdpa",
        )
        self.narrow = nn.Linear(outer, inner)
        self.places = nn.Embedding(length, inner)
        self.norm = nn.LayerNorm(inner)
        self.blocks = BertEncoder(config)
        self.widen = nn.Linear(inner, outer)
        self.last_norm = nn.LayerNorm(outer)

    def forward(
        self,
        embeddings_vd: torch.Tensor,
        ids_bt: torch.Tensor,
        segments_bt: torch.Tensor,
        places_bt: torch.Tensor,
        hidden_bt: torch.Tensor,
    ) -> torch.Tensor:
        """Return float32[N, V]: what is said of each hidden token, where tokens see those of their document."""
        apart_btt = segments_bt[:, :, None] != segments_bt[:, None, :]
        mask_btt = torch.zeros(apart_btt.shape, device=ids_bt.device)
        mask_btt = mask_btt.masked_fill_(apart_btt, torch.finfo(torch.bfloat16).min)
        states_btg = self.norm(self.narrow(nn.functional.embedding(ids_bt, embeddings_vd)) + self.places(places_bt))
        states_btg = self.blocks(states_btg, mask_btt[:, None]).last_hidden_state
        wide_nd = self.last_norm(nn.functional.gelu(self.widen(states_btg[hidden_bt])))
        logits_nv: torch.Tensor = (wide_nd @ embeddings_vd.T).float()
        return logits_nv


def fresh(outer: int, inner: int, layers: int, length: int) -> dict[str, torch.Tensor]:
    """Return the weights of a new generator by name, drawn from torch's generator."""
    made = Generator(outer, inner, layers, length)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if weight.ndim > 1:
                weight.normal_(std=DEVIATION)
            elif name.endswith("bias"):
                weight.zero_()
    return {_outside(name): weight.detach() for name, weight in made.named_parameters()}


def said(weights: Mapping[str, torch.Tensor], layers: int, *given: torch.Tensor) -> torch.Tensor:
    """Return what a generator with these weights says of the hidden tokens; `given` is what its `forward` takes."""
    inner, outer = weights["narrow-weight"].shape
    empty = _empty(outer, inner, layers, len(weights["places-weight"]))
    named = {name: weights[_outside(name)] for name, _ in empty.named_parameters()}
    found: torch.Tensor = torch.func.functional_call(empty, named, given)
    return found


def drawn(logits_nv: torch.Tensor, draws_n: torch.Tensor) -> torch.Tensor:
    """Return int64[N]: a token for each row, where its evenly drawn number falls in the sum of probabilities.

    >>> drawn(torch.tensor([[0.0, 0.0, 0.0]] * 3), torch.tensor([0.0, 0.5, 0.99])).tolist()
    [0, 1, 2]
    """
    sums_nv = logits_nv.softmax(-1).cumsum(-1)
    wanted_n1 = draws_n[:, None] * sums_nv[:, -1:]
    return torch.searchsorted(sums_nv, wanted_n1, right=True)[:, 0].clamp(max=logits_nv.shape[1] - 1)


@lru_cache(maxsize=4)
def _empty(outer: int, inner: int, layers: int, length: int) -> Generator:
    """Return a generator without weights; making it leaves torch's generator as it was."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return Generator(outer, inner, layers, length)


def _outside(name: str) -> str:
    return name.replace(".", "-")
