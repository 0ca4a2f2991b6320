"""Mixtral: Llama's block with several feed-forward layers, of which a router picks a few for each token.

Source: Jiang et al. 2024, on transformers' class; the loss that spreads tokens evenly over the experts is that of
Fedus et al. 2022, equation 4, and is added by the objectives while training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import check_heads, check_shared, gated_width

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Mixtral(Architecture):
    """Predict the next token with a few of many feed-forward layers for each, Jiang et al. 2024."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    experts: int = Field(8, ge=1, description="feed-forward layers in each block")
    active: int = Field(2, ge=1, description="how many of them see a token")
    balance: float = Field(0.01, ge=0, description="weight of the loss that spreads tokens over the experts")
    kv_heads: int | None = Field(None, ge=1, description="heads that share keys and values; default: all")
    ffn_width: int | None = Field(None, ge=1, description="width of one feed-forward layer; default: 8/3 of the width")
    rope_base: float = Field(10_000.0, gt=1, description="base of the rotary wave lengths")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads, rotary=True)
        check_shared(self.num_heads, self.kv_heads or self.num_heads)
        if self.active > self.experts:
            raise ValueError(f"{self.active} active experts of {self.experts}")
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `MixtralForCausalLM` with fresh weights; `dropout` falls on the attention weights only."""
        from transformers import MixtralConfig, MixtralForCausalLM

        config = MixtralConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.ffn_width or gated_width(self.width),
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            num_key_value_heads=self.kv_heads or self.num_heads,
            num_local_experts=self.experts,
            num_experts_per_tok=self.active,
            router_aux_loss_coef=self.balance,
            max_position_embeddings=vocab.max_length,
            attention_dropout=self.dropout,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_base},
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        return MixtralForCausalLM(config)
