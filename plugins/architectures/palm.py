"""PaLM: a parallel block, one key and value head for all, SwiGLU, rotary positions, no biases.

Source: Chowdhery et al. 2022, section 2 and appendix B. transformers has no class of that name, but Cohere's is the
same to the letter: y = x + attention(norm(x)) + SwiGLU(norm(x)) with one norm without bias, shared embeddings, and
logits scaled, here by 1/√width. So the folder loads anywhere. What differs are the norms' scales, which start at 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.architectures.sizes import check_heads, check_shared, gated_width

from workbench.api import Architecture, Field

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab


class Palm(Architecture):
    """Predict the next token with parallel blocks and multi-query attention, Chowdhery et al. 2022."""

    version: ClassVar[int] = 1
    family: ClassVar = "decoder"
    head: ClassVar = "causal-lm"

    kv_heads: int = Field(1, ge=1, description="heads that share keys and values; 1 is multi-query attention")
    ffn_width: int | None = Field(None, ge=1, description="width of the feed-forward layers; default: 8/3 of the width")
    rope_base: float = Field(10_000.0, gt=1, description="base of the rotary wave lengths")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.width, self.num_heads, rotary=True)
        check_shared(self.num_heads, self.kv_heads)
        return self

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a `CohereForCausalLM` with weights as in the paper's appendix B.

        Matrices have the deviation 1/√(their inputs), embeddings 1, as they are not normed on their way in. `dropout`
        falls on the attention weights only; PaLM was trained without.
        """
        import torch
        from transformers import CohereConfig, CohereForCausalLM

        config = CohereConfig(
            vocab_size=vocab.size,
            hidden_size=self.width,
            intermediate_size=self.ffn_width or gated_width(self.width),
            num_hidden_layers=self.layers,
            num_attention_heads=self.num_heads,
            num_key_value_heads=self.kv_heads,
            max_position_embeddings=vocab.max_length,
            attention_dropout=self.dropout,
            logit_scale=self.width**-0.5,
            rope_parameters={"rope_type": "default", "rope_theta": self.rope_base},
            tie_word_embeddings=True,
            pad_token_id=vocab.pad,
            bos_token_id=vocab.bos,
            eos_token_id=vocab.eos,
        )
        model = CohereForCausalLM(config)
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not model.lm_head:
                torch.nn.init.normal_(module.weight, std=module.in_features**-0.5)
        torch.nn.init.normal_(model.get_input_embeddings().weight)
        return model
