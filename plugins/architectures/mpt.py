"""MPT: a decoder that knows places by ALiBi alone, a penalty on attention that grows with the distance.

Source: Press et al. 2022 for ALiBi; the class is transformers' MPT (MosaicML 2023), which has eager attention only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import FFN_FACTOR, check_heads

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Mpt(Architecture):
    """Predict the next token with ALiBi positions, Press et al. 2022."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    ffn_factor: int = Field(FFN_FACTOR, ge=1, description="width of the feed-forward layers over the width")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return an `MptForCausalLM` with fresh weights; `dropout` falls on embeddings and residuals.

        transformers 5.23 takes whole numbers only for MPT's dropout on attention weights, so there is none.
        """
        from transformers import MptConfig, MptForCausalLM

        config = MptConfig(
            vocab_size=vocab.size,
            d_model=self.width,
            expansion_ratio=self.ffn_factor,
            n_layers=self.layers,
            n_heads=self.num_heads,
            max_seq_len=vocab.max_length,
            attn_config={"alibi": True},
            resid_pdrop=self.dropout,
            emb_pdrop=self.dropout,
            tie_word_embeddings=True,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        return MptForCausalLM(config)
