"""Prefix language model: one stack that reads the beginning of a text from both sides and writes the rest.

Source: Dong et al. 2019 (UniLM, sequence-to-sequence masks on one stack); Raffel et al. 2020, section 3.2.1, call it a
prefix LM. The blocks are Llama's, on transformers' class, so the folder loads anywhere; `attention_pattern` in its
configuration says how the masks are to be laid. transformers' own `generate` does not read it and would take the
prompt as if it were written, so texts are continued through the workbench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.architectures.llama import Llama

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class PrefixLm(Llama):
    """Read a prefix from both sides and predict the rest, Dong et al. 2019."""

    family: ClassVar = "prefix-decoder"  # type: ignore[assignment]  # all else is Llama's

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `LlamaForCausalLM` with fresh weights that is marked as a prefix decoder."""
        model = super().build(vocab, ctx)
        model.config.attention_pattern = "prefix"
        return model
