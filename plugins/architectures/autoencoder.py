"""Autoencoder: a text is pressed into one vector and written out again from it.

Source: the bottleneck is that of Hinton and Salakhutdinov 2006, the blocks are BERT's (Devlin et al. 2019), the text is
written all tokens at once as by Gu et al. 2018. The vector is the mean of the encoder's states, so that its size does
not follow from the text's length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Autoencoder(Architecture):
    """Press a text into one vector and write it out again, after Hinton and Salakhutdinov 2006."""

    version: ClassVar[int] = 1
    family: ClassVar = "encoder"
    head: ClassVar = "reconstruction"
    model_types: ClassVar = ("workbench-autoencoder",)

    bottleneck: int | None = Field(None, ge=1, description="size of the vector; default: the width")
    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 4 × the width")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    @classmethod
    def register(cls) -> None:
        """Make transformers know the classes of `autoencoder_model`."""
        from workbench_plugins.architectures import autoencoder_model

        del autoencoder_model

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return an `AutoencoderForReconstruction` with fresh weights; `layers` counts the blocks on either side."""
        from workbench_plugins.architectures.autoencoder_model import AutoencoderConfig, AutoencoderForReconstruction

        config = AutoencoderConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            bottleneck=self.bottleneck or self.width,
            intermediate_size=self.ffn_width or FFN_FACTOR * self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            max_position_embeddings=vocab.max_length,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.cls,
            eos_token_id=vocab.sep,
        )
        return AutoencoderForReconstruction(config)
