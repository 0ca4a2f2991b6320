"""BART: an encoder-decoder with learned positions, on transformers' class.

Source: Lewis et al. 2020.
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

BEFORE = 2  # rows of BART's table of positions before the first one


class Bart(Architecture):
    """Write a text after reading another, with learned positions, Lewis et al. 2020."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder-decoder"
    head: ClassVar = "seq2seq-lm"

    decoder_layers: int | None = Field(None, ge=1, description="blocks of the decoder; default: as many as the encoder")
    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")
    positions: Positions = Field("learned", description="how places are told; sinusoidal ones are fixed")
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `BartForConditionalGeneration` with fresh weights; `layers` counts the encoder's blocks.

        Its decoder begins with the end token, as the original does. A text that is denoised may grow by its mask
        tokens, so there are positions for twice the longest row.
        """
        from transformers import BartConfig, BartForConditionalGeneration

        end = vocab.eos if vocab.eos is not None else vocab.sep
        config = BartConfig(
            vocab_size=vocab.size,
            d_model=self.width,
            encoder_layers=self.layers,
            decoder_layers=self.decoder_layers or self.layers,
            encoder_attention_heads=self.num_heads,
            decoder_attention_heads=self.num_heads,
            encoder_ffn_dim=self.ffn_width or FFN_FACTOR * self.width,
            decoder_ffn_dim=self.ffn_width or FFN_FACTOR * self.width,
            max_position_embeddings=2 * vocab.max_length,
            dropout=self.dropout,
            attention_dropout=self.dropout,
            classifier_dropout=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=end,
            decoder_start_token_id=end if end is not None else vocab.pad,
            forced_eos_token_id=None,
        )
        model = BartForConditionalGeneration(config)
        if self.positions == "sinusoidal":
            for stack in (model.model.encoder, model.model.decoder):
                fix_places(stack.embed_positions, first=BEFORE, scale=config.init_std)
        return model
