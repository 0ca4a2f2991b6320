"""Words as tokens: the most frequent ones, and `<unk>` for all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.cuts import LONGEST, ONLY_A_SPACE, Cut, Han
from workbench_plugins.tokenizers.spaces import assembled

from workbench.api import Context, Field

if TYPE_CHECKING:
    import tokenizers


class Word(Cut):
    """Know the most frequent words, ties by their characters; the space before a word is part of it, as `▁`.

    A word is a run of letters; numbers, signs and white space stand by themselves, and so does every Chinese character,
    since words are not told apart in Chinese writing. Known words come back as they were.
    """

    version: ClassVar[int] = 1
    vocab_size: int = Field(30_000, ge=16, le=5_000_000, description="words at most, special tokens included")
    min_frequency: int = Field(1, ge=1, description="how often a word must occur to be known")
    lowercase: bool = Field(False, description="fold case")
    han: Han = Field("characters", description="whether each Chinese character is a word, or a whole run of them")
    digits: int = Field(LONGEST, ge=1, le=LONGEST, description="digits that may stand in one word")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        self.check_room(self.vocab_size, 1, "a word")
        return self

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer; special tokens have the lowest ids, then come words by frequency."""
        from tokenizers import trainers

        del ctx
        trainer = trainers.WordLevelTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=self.specials(),
            show_progress=False,
        )
        learned = self._assembled({})
        learned.train_from_iterator(texts, trainer)
        return self._assembled(learned.get_vocab(with_added_tokens=False))

    def _assembled(self, vocab: dict[str, int]) -> tokenizers.Tokenizer:
        from tokenizers import models, normalizers

        model = models.WordLevel(vocab, unk_token=self.special_tokens["unk_token"])
        tokenizer = assembled(model, self.split(ONLY_A_SPACE), self.specials() if vocab else [])
        if self.lowercase:
            tokenizer.normalizer = normalizers.Lowercase()
        return tokenizer
