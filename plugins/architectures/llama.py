"""Llama: a decoder with rotary positions, RMSNorm, SwiGLU and grouped-query attention, on transformers' class.

Source: Touvron et al. 2023, LLaMA; grouped-query attention from Ainslie et al. 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import check_heads, check_shared, gated_width

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Llama(Architecture):
    """Predict the next token with rotary positions, RMSNorm and SwiGLU, Touvron et al. 2023."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    kv_heads: int | None = Field(None, ge=1, description="heads that share keys and values; default: all")
    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 8/3 of the width")
    rope_base: float = Field(10_000.0, gt=1, description="base of the rotary wave lengths")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads, rotary=True)
        check_shared(self.num_heads, self.num_kv_heads)
        return self

    @property
    def num_kv_heads(self) -> int:
        """Key and value heads: `kv_heads`, else as many as attention heads."""
        return self.kv_heads or self.num_heads

    @property
    def num_ffn(self) -> int:
        """Width of the feed-forward layers: `ffn_width`, else 8/3 of the width, rounded up to a multiple of 32."""
        return self.ffn_width or gated_width(self.width)

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `LlamaForCausalLM` with fresh weights.

        `dropout` falls on the attention weights: the one place where transformers' Llama has any.
        """
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.num_ffn,
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            num_key_value_heads=self.num_kv_heads,
            max_position_embeddings=vocab.max_length,
            attention_dropout=self.dropout,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_base},
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        return LlamaForCausalLM(config)
