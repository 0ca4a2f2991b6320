"""WordPiece (Schuster and Nakajima 2012; Devlin et al. 2019)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.api import Context, Field, Tokenizer

if TYPE_CHECKING:
    import tokenizers


class WordPiece(Tokenizer):
    """Learn pieces of words, `##` marking those inside a word; every Chinese character is a word, as in BERT.

    Texts are read twice, through a file in the scratch folder: the trainer of `tokenizers` breaks ties between equally
    rare characters by hash order, so which characters belong is decided here, by count and then code point.
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
        None, ge=26, description="characters to know; default: half of vocab_size, the most frequent ones"
    )

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the trained tokenizer, which puts `[CLS]` before and `[SEP]` after each text."""
        from tokenizers import trainers

        tokenizer = _untrained(self.special_tokens["unk_token"], lowercase=self.lowercase)
        copy = ctx.scratch / "texts.jsonl"
        letters = self._letters(_copied(texts, copy), tokenizer)
        trainer = trainers.WordPieceTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(self.special_tokens.values()),
            initial_alphabet=letters,
            limit_alphabet=len(letters),
            continuing_subword_prefix="##",
            show_progress=False,
        )
        with copy.open(encoding="utf-8") as lines:
            tokenizer.train_from_iterator((json.loads(line) for line in lines), trainer)
        copy.unlink()
        _frame_texts(tokenizer, self.special_tokens)
        return tokenizer

    def _letters(self, texts: Iterable[str], tokenizer: tokenizers.Tokenizer) -> list[str]:
        raw: Counter[str] = Counter()
        for text in texts:
            raw.update(text)
        counts: Counter[str] = Counter()
        for character, count in raw.items():
            for letter in tokenizer.normalizer.normalize_str(character):
                counts[letter] += 0 if letter.isspace() else count
        known = sorted((letter for letter in counts if counts[letter]), key=lambda letter: (-counts[letter], letter))
        return known[: self.alphabet or self.vocab_size // 2]


def _copied(texts: Iterator[str], copy: Path) -> Iterator[str]:
    with copy.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps(text) + "\n")
            yield text


def _untrained(unknown: str, *, lowercase: bool) -> tokenizers.Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer


def _frame_texts(tokenizer: tokenizers.Tokenizer, special_tokens: Mapping[str, str]) -> None:
    from tokenizers import processors

    first, last = special_tokens["cls_token"], special_tokens["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
