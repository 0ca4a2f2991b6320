"""Characters as tokens, with bytes for rare ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.alphabet import count_characters, frequent
from workbench_plugins.tokenizers.spaces import as_space, assembled
from workbench_plugins.tokenizers.special import BYTES, Special

from workbench.api import Context, Field

if TYPE_CHECKING:
    import tokenizers


class Character(Special):
    """Know the most frequent characters, ties by code point; a space is written `▁`.

    Others become the tokens of their UTF-8 bytes, or `<unk>` without `byte_fallback`.
    """

    version: ClassVar[int] = 1
    vocab_size: int = Field(16_000, ge=16, le=1_000_000, description="tokens at most, special ones and bytes included")
    coverage: float = Field(1.0, gt=0, le=1, description="share of the text that known characters cover")
    byte_fallback: bool = Field(True, description="write unknown characters as bytes, so that nothing is lost")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        self.check_room(
            self.vocab_size, len(BYTES) * self.byte_fallback + 1, "its bytes" if self.byte_fallback else "one"
        )
        return self

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the tokenizer; special tokens have the lowest ids, then come bytes, then characters by code point."""
        from tokenizers import models

        del ctx
        counts = count_characters(texts)
        first = [*self.specials(), *(BYTES if self.byte_fallback else ())]
        letters = frequent(counts, self.vocab_size - len(first), self.coverage)
        vocab = {token: number for number, token in enumerate([*first, *map(as_space, letters)])}
        model = models.BPE(
            vocab=vocab, merges=[], unk_token=self.special_tokens["unk_token"], byte_fallback=self.byte_fallback
        )
        return assembled(model, None, self.specials())
