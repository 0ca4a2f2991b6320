"""GPT-NeoX: attention and feed-forward side by side in each block, rotary positions on a part of each head.

Source: Black et al. 2022; the parallel residual x + attention(norm₁(x)) + feed-forward(norm₂(x)) has two norms here,
unlike GPT-J's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class GptNeox(Architecture):
    """Predict the next token with parallel residuals and partly rotary heads, Black et al. 2022."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    parallel: bool = Field(True, description="attention and feed-forward side by side, not one behind the other")
    rotary_share: float = Field(0.25, gt=0, le=1, description="share of each head that positions turn")
    rope_base: float = Field(10_000.0, gt=1, description="base of the rotary wave lengths")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        turned = int(self.width // self.num_heads * self.rotary_share)
        if turned < 2 or turned % 2:  # noqa: PLR2004  # positions turn pairs
            raise ValueError(
                f"rotary_share {self.rotary_share} of heads of {self.width // self.num_heads} is {turned}; "
                f"rotary positions need an even size of at least 2"
            )
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `GPTNeoXForCausalLM` with fresh weights; `dropout` falls on attention weights and residuals."""
        from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

        config = GPTNeoXConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.ffn_width or FFN_FACTOR * self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            max_position_embeddings=vocab.max_length,
            attention_dropout=self.dropout,
            hidden_dropout=self.dropout,
            use_parallel_residual=self.parallel,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": self.rope_base,
                "partial_rotary_factor": self.rotary_share,
            },
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        return GPTNeoXForCausalLM(config)
