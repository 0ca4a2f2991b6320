"""WordPiece (Schuster and Nakajima 2012; Devlin et al. 2019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.tokenizers.alphabet import copied, read_again

from workbench.api import Context, Field, Tokenizer

if TYPE_CHECKING:
    import tokenizers

INSIDE = "##"  # marks a piece that does not begin its word


class WordPiece(Tokenizer):
    """Learn pieces of words, `##` marking those inside a word; every Chinese character is a word, as in BERT.

    The trainer of `tokenizers` leaves to hash order which of the equally rare characters belong and how the pieces
    are numbered, and with that how ties end. Both are settled here, by count and then code point, which takes a first
    pass over the texts; they wait for the second in a file of the scratch folder.
    """

    special_tokens: ClassVar[Mapping[str, str]] = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }

    vocab_size: int = Field(16_000, ge=128, le=1_000_000, description="tokens, special ones included")
    min_frequency: int = Field(2, ge=1, description="how often a pair must occur to be merged")
    lowercase: bool = Field(True, description="fold case and strip accents, as the uncased BERT does")
    alphabet: int | None = Field(
        None, ge=26, description="characters to know, the most frequent ones; default: half of vocab_size"
    )

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer, which puts `[CLS]` before and `[SEP]` after each text."""
        from tokenizers import models, trainers

        tokenizer = _untrained(lowercase=self.lowercase)
        copy = ctx.scratch / "texts.jsonl"
        letters, pieces = self._alphabet(copied(texts, copy), tokenizer)
        specials = self.specials()
        trainer = trainers.WordPieceTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=[*specials, *pieces],  # the one way to number them before training
            initial_alphabet=letters,
            limit_alphabet=len(letters),
            continuing_subword_prefix=INSIDE,
            show_progress=False,
        )
        tokenizer.train_from_iterator(read_again(copy), trainer)
        copy.unlink()
        trained = _untrained(lowercase=self.lowercase)
        trained.model = models.WordPiece(tokenizer.get_vocab(), unk_token=self.special_tokens["unk_token"])
        trained.add_special_tokens(specials)
        _frame_texts(trained, self.special_tokens)
        return trained

    def _alphabet(self, texts: Iterable[str], tokenizer: tokenizers.Tokenizer) -> tuple[list[str], list[str]]:
        """Return the characters to know and the `##` pieces of those that can stand inside a word."""
        counts = _letter_counts(texts, tokenizer)
        letters: list[str] = []
        pieces: list[str] = []
        room = self.vocab_size - len(self.specials())
        for letter in sorted(counts, key=lambda letter: (-counts[letter], letter)):
            piece = [INSIDE + letter] if _stands_inside(letter, tokenizer) else []
            if len(letters) == (self.alphabet or self.vocab_size // 2) or len(letters) + len(pieces + piece) >= room:
                break
            letters.append(letter)
            pieces += piece
        return sorted(letters), sorted(pieces)


def _letter_counts(texts: Iterable[str], tokenizer: tokenizers.Tokenizer) -> Counter[str]:
    raw: Counter[str] = Counter()
    for text in texts:
        raw.update(text)
    counts: Counter[str] = Counter()
    for character, count in raw.items():
        for letter in "".join(tokenizer.normalizer.normalize_str(character).split()):
            counts[letter] += count
    return counts


def _stands_inside(letter: str, tokenizer: tokenizers.Tokenizer) -> bool:
    """Return whether a word can go on with `letter`: punctuation and Chinese characters are words by themselves."""
    return len(tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(f"a{letter}"))) == 1


def _untrained(*, lowercase: bool) -> tokenizers.Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece())
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=INSIDE)
    return tokenizer


def _frame_texts(tokenizer: tokenizers.Tokenizer, special_tokens: Mapping[str, str]) -> None:
    from tokenizers import processors

    first, last = special_tokens["cls_token"], special_tokens["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
