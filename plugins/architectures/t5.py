"""T5: an encoder-decoder with relative positions, on transformers' class.

Source: Raffel et al. 2020 (ReLU, version 1.0) and Shazeer 2020 (gated GELU, version 1.1). Distances fall into 32
buckets, one bias for each and each head, shared by all layers; nothing else tells places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads, gated_width

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class T5(Architecture):
    """Write a text after reading another, with relative positions, Raffel et al. 2020."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder-decoder"
    head: ClassVar = "seq2seq-lm"

    decoder_layers: int | None = Field(None, ge=1, description="blocks of the decoder; default: as many as the encoder")
    feed_forward: Literal["relu", "gated-gelu"] = Field("gated-gelu", description="relu is T5's first version")
    ffn_width: int | None = Field(
        None, ge=1, description="width of the feed-forward layers; default: 8/3 of the width if gated, else 4 ×"
    )
    tie_embeddings: bool = Field(True, description="use the input embeddings as prediction head, scaled by 1/√width")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    @property
    def num_ffn(self) -> int:
        """Width of the feed-forward layers: `ffn_width`, else 8/3 of the width if they are gated, else four times."""
        gated = self.feed_forward.startswith("gated")
        return self.ffn_width or (gated_width(self.width) if gated else FFN_FACTOR * self.width)

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `T5ForConditionalGeneration` with fresh weights; `layers` counts the encoder's blocks.

        Its decoder begins with the padding token, as in the paper.
        """
        from transformers import T5Config, T5ForConditionalGeneration

        config = T5Config(
            vocab_size=vocab.size,
            d_model=self.width,
            d_kv=self.width // self.num_heads,
            d_ff=self.num_ffn,
            num_layers=self.layers,
            num_decoder_layers=self.decoder_layers or self.layers,
            num_heads=self.num_heads,
            feed_forward_proj=self.feed_forward,
            dropout_rate=self.dropout,
            classifier_dropout=self.dropout,
            tie_word_embeddings=self.tie_embeddings,
            pad_token_id=vocab.pad,
            decoder_start_token_id=vocab.pad,
            eos_token_id=vocab.eos if vocab.eos is not None else vocab.sep,
        )
        return T5ForConditionalGeneration(config)
