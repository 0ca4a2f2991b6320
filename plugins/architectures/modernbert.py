"""ModernBERT: an encoder with rotary positions, gated layers, and windows of attention in two of three layers.

Source: Warner et al. 2024, on transformers' class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab

FFN_SHARE = 1.5  # 1152 for a width of 768, Warner et al. 2024, table 3


class ModernBert(Architecture):
    """Predict hidden tokens from both sides, with windows of attention, Warner et al. 2024."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder"
    head: ClassVar = "masked-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the gated layers; default: 3/2 of the width")
    window: int = Field(128, ge=2, multiple_of=2, description="tokens that a layer with a window sees, half each side")
    global_every: int = Field(3, ge=1, description="each how manieth layer sees everything, the first included")
    rope_base: float = Field(160_000.0, gt=1, description="base of the rotary wave lengths where everything is seen")
    window_rope_base: float = Field(10_000.0, gt=1, description="base of the rotary wave lengths in windows")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads, rotary=True)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `ModernBertForMaskedLM` with fresh weights; `dropout` falls on embeddings, attention, gated layers."""
        from transformers import ModernBertConfig, ModernBertForMaskedLM

        config = ModernBertConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.ffn_width or int(FFN_SHARE * self.width),
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            max_position_embeddings=vocab.max_length,
            local_attention=self.window,
            global_attn_every_n_layers=self.global_every,
            rope_parameters={
                "full_attention": {"rope_type": "default", "rope_theta": self.rope_base},
                "sliding_attention": {"rope_type": "default", "rope_theta": self.window_rope_base},
            },
            embedding_dropout=self.dropout,
            attention_dropout=self.dropout,
            mlp_dropout=self.dropout,
            classifier_dropout=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.cls,
            cls_token_id=vocab.cls,
            eos_token_id=vocab.sep,
            sep_token_id=vocab.sep,
        )
        return ModernBertForMaskedLM(config)
