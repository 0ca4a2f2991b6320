"""Byte-pair encoding over characters (Sennrich et al. 2016), with bytes for rare ones (Kudo and Richardson 2018)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.alphabet import copied, count_characters, frequent, known_parts, read_again
from workbench_plugins.tokenizers.cuts import Cut
from workbench_plugins.tokenizers.spaces import as_space, assembled
from workbench_plugins.tokenizers.special import BYTES

from workbench.api import Context, Field

if TYPE_CHECKING:
    import tokenizers


class Bpe(Cut):
    """Learn merges of characters: the pair that stands most often becomes a token, again and again.

    Characters outside the alphabet become the tokens of their UTF-8 bytes, or `<unk>` without `byte_fallback`. Ties
    between pairs are broken by token id, and characters are numbered by code point, so the result is repeatable.
    """

    version: ClassVar[int] = 1
    vocab_size: int = Field(16_000, ge=64, le=1_000_000, description="tokens, special ones and bytes included")
    min_frequency: int = Field(2, ge=1, description="how often a pair must occur to be merged")
    coverage: float = Field(
        0.9995, gt=0, le=1, description="share of the text its alphabet covers, of at most half of vocab_size"
    )
    byte_fallback: bool = Field(True, description="write unknown characters as bytes, so that nothing is lost")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        needed = len(BYTES) * self.byte_fallback + 2
        self.check_room(self.vocab_size, needed, "its bytes" if self.byte_fallback else "two characters")
        return self

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer; special tokens have the lowest ids, then come bytes, characters, merges."""
        from tokenizers import trainers

        copy = ctx.scratch / "texts.jsonl"
        counts = count_characters(copied(texts, copy))
        first = [*self.specials(), *(BYTES if self.byte_fallback else ())]
        letters = frequent(counts, min(self.vocab_size // 2, self.vocab_size - len(first)), self.coverage)
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=first,  # the one way to number them before training
            initial_alphabet=[as_space(letter) for letter in letters],
            limit_alphabet=len(letters),
            show_progress=False,
        )
        learned = assembled(self._model({}, []), self.split(), [])
        learned.train_from_iterator(known_parts(read_again(copy), counts, letters), trainer)
        copy.unlink()
        model = json.loads(learned.to_str())["model"]
        return assembled(self._model(model["vocab"], model["merges"]), self.split(), self.specials())

    def _model(self, vocab: dict[str, int], merges: list[list[str]]) -> tokenizers.models.BPE:
        from tokenizers import models

        return models.BPE(
            vocab=vocab,
            merges=[(left, right) for left, right in merges],
            unk_token=self.special_tokens["unk_token"],
            byte_fallback=self.byte_fallback,
        )
