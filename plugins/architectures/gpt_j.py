"""GPT-J: attention and feed-forward side by side behind one norm, rotary positions on a part of each head.

Source: Wang and Komatsuzaki 2021, GPT-J-6B. transformers' class has eager attention only (5.23).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class GptJ(Architecture):
    """Predict the next token with a parallel block behind one norm, Wang and Komatsuzaki 2021."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    rotary_size: int | None = Field(
        None,
        ge=2,
        multiple_of=2,
        description="numbers of each head that positions turn; default: a quarter, at least 2",
    )

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        head = self.width // self.num_heads
        if self.num_rotary > head:
            raise ValueError(f"rotary_size {self.num_rotary} exceeds the size of a head, {head}")
        return self

    @property
    def num_rotary(self) -> int:
        """Numbers of each head that positions turn: `rotary_size`, else a quarter (64 of 256 in GPT-J-6B), and even."""
        return self.rotary_size or max(2, self.width // self.num_heads // 8 * 2)

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `GPTJForCausalLM` with fresh weights; its head has a bias and weights of its own."""
        from transformers import GPTJConfig, GPTJForCausalLM

        config = GPTJConfig(
            vocab_size=vocab.size,
            n_embd=self.width,
            n_inner=self.ffn_width or FFN_FACTOR * self.width,
            n_layer=self.layers,
            n_head=self.num_heads,
            n_positions=vocab.max_length,
            rotary_dim=self.num_rotary,
            resid_pdrop=self.dropout,
            embd_pdrop=self.dropout,
            attn_pdrop=self.dropout,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        return GPTJForCausalLM(config)
