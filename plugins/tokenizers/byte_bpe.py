"""Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.cuts import Cut

from workbench.api import Context, Field

if TYPE_CHECKING:
    import tokenizers


class ByteBpe(Cut):
    """Learn merges over UTF-8 bytes: no text is unknown, in any language.

    The first 256 tokens after the special ones are the bytes, so `vocab_size` is at least 256 and the special ones.
    """

    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "eos_token": "<eos>"}

    vocab_size: int = Field(16_000, ge=258, le=1_000_000, description="tokens, special ones and 256 bytes included")
    min_frequency: int = Field(2, ge=1, description="how often a pair must occur to be merged")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        self.check_room(self.vocab_size, 256, "256 bytes")
        return self

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer; ties between pairs are broken by token id, so the result is repeatable."""
        del ctx
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                self.split(),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=self.specials(),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return tokenizer
