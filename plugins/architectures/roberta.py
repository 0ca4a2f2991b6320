"""RoBERTa: BERT's encoder without segments, on transformers' class.

Source: Liu et al. 2019. Its positions begin behind the padding token's id, a habit of the original code that the class
keeps; the table of positions is longer by as many rows.
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


class Roberta(Architecture):
    """Predict hidden tokens from both sides, without segments, Liu et al. 2019."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder"
    head: ClassVar = "masked-lm"

    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    positions: Positions = Field("learned", description="how places are told; sinusoidal ones are fixed")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `RobertaForMaskedLM` with fresh weights; `dropout` falls on hidden states and attention weights."""
        from transformers import RobertaConfig, RobertaForMaskedLM

        config = RobertaConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.ffn_width or FFN_FACTOR * self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            max_position_embeddings=vocab.pad + 1 + vocab.max_length,
            type_vocab_size=1,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.cls,
            eos_token_id=vocab.sep,
        )
        model = RobertaForMaskedLM(config)
        if self.positions == "sinusoidal":
            places = model.roberta.embeddings.position_embeddings
            fix_places(places, first=vocab.pad + 1, scale=config.initializer_range)
        return model
