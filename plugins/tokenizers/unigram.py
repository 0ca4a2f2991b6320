"""The unigram language model over pieces (Kudo 2018), learned by SentencePiece.

The trainer of `tokenizers` adds up in hash order and gives another vocabulary on every run; SentencePiece, the paper's
own program, does not. It is given what stands between our cuts, each once with its number, so that both agree on where
pieces may lie.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.tokenizers.alphabet import copied, count_characters, frequent, known_parts, read_again
from workbench_plugins.tokenizers.cuts import Cut
from workbench_plugins.tokenizers.sentencepiece_model import Kind, read_model
from workbench_plugins.tokenizers.spaces import assembled
from workbench_plugins.tokenizers.special import BYTES

from workbench.api import Context, Field, StepError

if TYPE_CHECKING:
    import tokenizers

# SentencePiece keeps some characters to itself (tab, NUL, U+2585) and loses line ends where a line ends; these are
# learned under other names, from the private plane 16, which is left out of every alphabet.
STAND_INS = str.maketrans({"\t": "\U0010fffa", "\n": "\U0010fffb", "\r": "\U0010fffc", "\u2585": "\U0010fffd"})
BACK = {number: chr(letter) for letter, number in ((key, ord(value)) for key, value in STAND_INS.items())}
THREADS = 4  # sums are added thread by thread, so another number would give other last digits


class Unigram(Cut):
    """Learn the pieces with which the text is most probable, each piece independent of the others.

    A text is cut into the pieces with the highest product of probabilities. Pieces are found by expectation
    maximisation from all frequent substrings, dropping those that matter least, a quarter at a time. Only substrings of
    two different words are candidates, so a small text can give fewer pieces than `vocab_size`.
    """

    version: ClassVar[int] = 1
    vocab_size: int = Field(16_000, ge=64, le=1_000_000, description="tokens, special ones and bytes included")
    coverage: float = Field(
        0.9995, gt=0, le=1, description="share of the text its alphabet covers, of at most half of vocab_size"
    )
    longest: int = Field(16, ge=1, le=64, description="characters of the longest piece")
    byte_fallback: bool = Field(True, description="write unknown characters as bytes, so that nothing is lost")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        needed = len(BYTES) * self.byte_fallback + 2
        self.check_room(self.vocab_size, needed, "its bytes" if self.byte_fallback else "two characters")
        return self

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer; special tokens have the lowest ids, then come bytes, then pieces.

        Raises `StepError` when there is nothing to learn from.
        """
        from tokenizers import models

        copy = ctx.scratch / "texts.jsonl"
        counts = count_characters(copied(texts, copy))
        for letter in ("\0", *map(chr, BACK)):
            counts[letter] = 0  # known to be unknown
        first = [*self.specials(), *(BYTES if self.byte_fallback else ())]
        letters = frequent(+counts, min(self.vocab_size // 2, self.vocab_size - len(first)), self.coverage)
        words = self._words(known_parts(read_again(copy), counts, letters))
        copy.unlink()
        pieces = learned_pieces(words, self.vocab_size - len(first), self.longest, ctx.step)
        vocab = [*((token, 0.0) for token in first), *pieces]
        unknown = first.index(self.special_tokens["unk_token"])
        model = models.Unigram(vocab, unk_id=unknown, byte_fallback=self.byte_fallback)
        return assembled(model, self.split(), self.specials())

    def _words(self, texts: Iterable[str]) -> Counter[str]:
        """Return how often each stretch between two cuts stands in the texts."""
        split = self.split()
        words: Counter[str] = Counter()
        for text in texts:
            words.update(word for word, _ in split.pre_tokenize_str(text))
        return words


def learned_pieces(words: Counter[str], size: int, longest: int, where: str) -> list[tuple[str, float]]:
    """Return at most `size` pieces with the natural logarithm of their probability, the most probable first.

    Args:
        words: What to learn from: word → how often.
        size: How many pieces at most; fewer when there are no more.
        longest: Characters of a piece at most.
        where: The step, for messages.
    """
    import sentencepiece

    ordered = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    rows = (f"{word.translate(STAND_INS)}\t{number}" for word, number in ordered)
    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=rows,
            model_writer=written,
            input_format="tsv",
            model_type="unigram",
            vocab_size=size + 1,  # its unknown piece
            hard_vocab_limit=False,
            character_coverage=1.0,
            max_sentencepiece_length=longest,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True,
            split_by_unicode_script=False,
            split_by_number=False,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            num_threads=THREADS,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as fault:
        raise StepError(
            f"SentencePiece could not learn {size} pieces from {len(ordered)} different words: {str(fault)[-120:]}",
            where=where,
            advice="give it more text, or a smaller vocab_size",
        ) from fault
    model = read_model(written.getvalue(), where)
    return [(piece.text.translate(BACK), piece.score) for piece in model.pieces if piece.kind == Kind.NORMAL]
