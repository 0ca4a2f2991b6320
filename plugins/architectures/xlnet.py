"""XLNet: two streams of attention, so that a token can be predicted in any order without seeing itself.

Source: Yang et al. 2019, on transformers' class, with relative positions after Dai et al. 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class XlNet(Architecture):
    """Predict tokens in any order from those that came earlier in it, Yang et al. 2019."""

    version: ClassVar[int] = 1
    family: ClassVar = "permutation"
    head: ClassVar = "permutation-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        if self.width % 2:
            raise ValueError(f"width {self.width} is odd; its sinusoids come in pairs")
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return an `XLNetLMHeadModel` with fresh weights, which keeps no memory of earlier rows."""
        from transformers import XLNetConfig, XLNetLMHeadModel

        config = XLNetConfig(
            vocab_size=vocab.size,
            d_model=self.width,
            d_inner=self.ffn_width or FFN_FACTOR * self.width,
            n_layer=self.layers,
            n_head=self.num_heads,
            dropout=self.dropout,
            summary_last_dropout=self.dropout,
            mem_len=None,
            use_mems_eval=False,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos if vocab.eos is not None else vocab.sep,
        )
        return XLNetLMHeadModel(config)
