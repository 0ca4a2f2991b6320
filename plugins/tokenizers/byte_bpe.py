"""Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from workbench.api import Context, Field, Tokenizer

if TYPE_CHECKING:
    import tokenizers

# Where text may be cut before merging; a merge never crosses a cut. In order: English contractions; a run of letters
# other than Han, with the one sign before it (the space of " word"); a run of Han characters by itself, so that
# "用Python写" gives three pieces and Chinese words need not be learned once with and once without a Latin neighbour;
# up to three digits, so that numbers share tokens; other signs; line ends; spaces. Runs are cut at 64 characters:
# no word is that long, and a hostile text of one endless run stays linear.
CUTS = (
    r"'(?:[sdmtSDMT]|ll|LL|ve|VE|re|RE)"
    r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}&&[^\p{Han}]]{1,64}"
    r"|\p{Han}{1,64}"
    r"|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]{1,64}[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)


class ByteBpe(Tokenizer):
    """Learn merges over UTF-8 bytes: no text is unknown, in any language.

    The first 256 tokens after the special ones are the bytes, so `vocab_size` is at least 256 and the special ones.
    """

    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "eos_token": "<eos>"}

    vocab_size: int = Field(16_000, ge=258, le=1_000_000, description="tokens, special ones and 256 bytes included")
    min_frequency: int = Field(2, ge=1, description="how often a pair must occur to be merged")

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer; ties between pairs are broken by token id, so the result is repeatable."""
        del ctx
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(CUTS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(self.special_tokens.values()),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return tokenizer
