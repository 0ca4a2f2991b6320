"""GPT-2: a decoder with learned positions, layer norms before each part and GELU, on transformers' class.

Source: Radford et al. 2019; the shape of a block is that of Radford et al. 2018 with its norms moved to the front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.places import Positions, fix_places
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Gpt2(Architecture):
    """Predict the next token with learned positions and GELU, Radford et al. 2019."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    positions: Positions = Field("learned", description="how places are told; sinusoidal ones are fixed")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `GPT2LMHeadModel` with fresh weights; `dropout` falls on embeddings, attention and residuals."""
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(
            vocab_size=vocab.size,
            n_embd=self.width,
            n_inner=self.ffn_width or FFN_FACTOR * self.width,
            n_layer=self.layers,
            n_head=self.num_heads,
            n_positions=vocab.max_length,
            resid_pdrop=self.dropout,
            embd_pdrop=self.dropout,
            attn_pdrop=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        model = GPT2LMHeadModel(config)
        if self.positions == "sinusoidal":
            fix_places(model.transformer.wpe, scale=config.initializer_range)
        return model
