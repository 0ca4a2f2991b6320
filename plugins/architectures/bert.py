"""BERT: a bidirectional encoder with learned positions, on transformers' class.

Source: Devlin et al. 2019. The next-sentence head is left out; the second segment embedding is kept, so that
tasks on pairs of sentences can use it.
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


class Bert(Architecture):
    """Predict hidden tokens from both sides, Devlin et al. 2019."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder"
    head: ClassVar = "masked-lm"
    more_heads: ClassVar = ("pretraining",)

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    positions: Positions = Field("learned", description="how places are told; sinusoidal ones are fixed")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    @property
    def num_ffn(self) -> int:
        """Width of the feed-forward layers: `ffn_width`, else four times the width."""
        return self.ffn_width or FFN_FACTOR * self.width

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `BertForMaskedLM` with fresh weights; `dropout` falls on hidden states and attention weights."""
        from transformers import BertConfig, BertForMaskedLM

        config = BertConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.num_ffn,
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            max_position_embeddings=vocab.max_length,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.cls,
            eos_token_id=vocab.sep,
        )
        model = BertForMaskedLM(config)
        if self.positions == "sinusoidal":
            fix_places(model.bert.embeddings.position_embeddings, scale=config.initializer_range)
        return model
