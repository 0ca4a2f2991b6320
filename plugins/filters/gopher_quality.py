"""The quality rules of Gopher. Source: Rae et al. 2021 (arXiv:2112.11446), appendix A1.1, "Quality filtering".

What the paper leaves open is settled so: a word as in `words` (with spaces: what stands between them); a line is one
that is not blank; a bullet is one of `BULLETS`, blanks before it ignored; `...` and `…` are ellipses, the Chinese
`……` is one.

The paper is about English. Where text has no spaces, two rules take another form: no word has a mean length, so
that rule does not apply when at least half of the words are single characters of such a script; and for the stop
words Chinese and Japanese have function characters, as frequent there as `the` is in English (的 alone is 4 % of
modern Chinese text; 之 and 也 stand for the classical language). For Thai, Lao, Khmer, Burmese and Tibetan no list is
given, and the stop-word rule does not apply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import Field, Kernel, KernelColumn, RowFilter, Threshold

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
FUNCTION_CHARACTERS = "的了是在和有不这這我他们們为為就也之其以而于於者のにはをたがでてと"
BULLETS = r"•‣▶◀◦■□▪▫●○–\-*·"
HALF = 0.5

SIGNALS = (
    "num_words",
    "mean_word_length",
    "hash_to_word_ratio",
    "ellipsis_to_word_ratio",
    "bullet_line_share",
    "ellipsis_line_share",
    "alphabetic_word_share",
    "num_stop_words",
)

_BULLET_LINE = rf"(?m)^[^\S\n]*[{BULLETS}]"
_LINE = r"\S[^\n]*"
_ELLIPSIS = r"……|…|\.\.\."
_ELLIPSIS_LINE = r"(?m)(?:…|\.\.\.)[^\S\n]*$"
_WITHOUT_LIST = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]\p{M}*"


class GopherQuality(RowFilter):
    """Keep documents that read like running text: the eight quality rules of Rae et al. 2021, appendix A1."""

    min_words: Annotated[int, Threshold] = Field(50, ge=0, description="fewest words")
    max_words: Annotated[int, Threshold] = Field(100_000, ge=1, description="most words")
    min_mean_word_length: Annotated[float, Threshold] = Field(3, ge=0, description="shortest mean word, characters")
    max_mean_word_length: Annotated[float, Threshold] = Field(10, ge=0, description="longest mean word, characters")
    max_symbol_to_word_ratio: Annotated[float, Threshold] = Field(
        0.1, ge=0, description="most hash signs, and most ellipses, for each word"
    )
    max_bullet_line_share: Annotated[float, Threshold] = Field(
        0.9, ge=0, le=1, description="largest share of lines that start with a bullet"
    )
    max_ellipsis_line_share: Annotated[float, Threshold] = Field(
        0.3, ge=0, le=1, description="largest share of lines that end with an ellipsis"
    )
    min_alphabetic_word_share: Annotated[float, Threshold] = Field(
        0.8, ge=0, le=1, description="smallest share of words with a letter"
    )
    min_stop_words: Annotated[int, Threshold] = Field(2, ge=0, description="fewest different stop words")
    stop_words: tuple[str, ...] = Field(STOP_WORDS, description="stop words of scripts with spaces, any case")
    function_characters: str = Field(FUNCTION_CHARACTERS, description="what counts as a stop word without spaces")

    def signals(self) -> dict[str, KernelColumn]:
        """Measure counts, ratios to words, and shares of lines; null where there are no words or lines."""
        kernel = QualityStatistics(self.stop_words, self.function_characters)
        return {name: kernel.column(name) for name in SIGNALS}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what lies outside the ranges of the paper."""
        num_words, mean_word_length = pl.col("num_words"), pl.col("mean_word_length")
        return {
            "too-few-words": num_words < self.min_words,
            "too-many-words": num_words > self.max_words,
            "words-too-short": mean_word_length < self.min_mean_word_length,
            "words-too-long": mean_word_length > self.max_mean_word_length,
            "too-many-hash-signs": pl.col("hash_to_word_ratio") > self.max_symbol_to_word_ratio,
            "too-many-ellipses": pl.col("ellipsis_to_word_ratio") > self.max_symbol_to_word_ratio,
            "too-many-bullet-lines": pl.col("bullet_line_share") > self.max_bullet_line_share,
            "too-many-ellipsis-lines": pl.col("ellipsis_line_share") > self.max_ellipsis_line_share,
            "too-few-alphabetic-words": pl.col("alphabetic_word_share") < self.min_alphabetic_word_share,
            "too-few-stop-words": pl.col("num_stop_words") < self.min_stop_words,
        }


@dataclass(frozen=True)
class QualityStatistics(Kernel):
    """What the rules look at: words counted by a compiled pass, signs and lines by patterns."""

    stop_words: tuple[str, ...] = STOP_WORDS
    function_characters: str = FUNCTION_CHARACTERS

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the columns of `SIGNALS`."""
        text = pl.col("text")
        words, unspaced = pl.col("num_words"), pl.col("num_unspaced")
        counted = batch.select("text").with_columns(word_counts(batch["text"]))
        return counted.select(
            words,
            mean_word_length=pl.when(unspaced / words < HALF).then(
                pl.col("num_spaced_characters") / (words - unspaced)
            ),
            hash_to_word_ratio=text.str.count_matches("#", literal=True) / words,
            ellipsis_to_word_ratio=text.str.count_matches(_ELLIPSIS) / words,
            bullet_line_share=text.str.count_matches(_BULLET_LINE) / text.str.count_matches(_LINE),
            ellipsis_line_share=text.str.count_matches(_ELLIPSIS_LINE) / text.str.count_matches(_LINE),
            alphabetic_word_share=pl.col("num_lettered") / words,
            num_stop_words=self._num_stop_words(text),
        )

    def _num_stop_words(self, text: pl.Expr) -> pl.Expr:
        """Return how many different stop words occur; null where half of the words are of a script without a list."""
        found = [text.str.contains(_whole_word(word)).cast(pl.UInt32) for word in self.stop_words]
        if self.function_characters:
            characters = rf"[{re.escape(self.function_characters)}]"
            found.append(text.str.extract_all(characters).list.n_unique())
        without_list = text.str.count_matches(_WITHOUT_LIST)
        return pl.when((without_list == 0) | (without_list / pl.col("num_words") < HALF)).then(
            pl.sum_horizontal(pl.lit(0, pl.UInt32), *found)
        )


def word_counts(texts: pl.Series) -> list[pl.Series]:
    """Return `num_words`, `num_lettered`, `num_unspaced` and `num_spaced_characters` of each text, uint32."""
    from workbench_plugins.filters.words_kernel import NUM_COUNTS, count_words, word_classes

    offsets, content = text_buffers(texts)
    counts = np.zeros((len(texts), NUM_COUNTS), dtype=np.int64)
    count_words(offsets, content, word_classes(), counts)
    names = ("num_words", "num_lettered", "num_unspaced", "num_spaced_characters")
    return [pl.Series(name, column, dtype=pl.UInt32) for name, column in zip(names, counts.T, strict=True)]


def _whole_word(word: str) -> str:
    """Return a pattern for the word between characters that are no ASCII letters, digits or underscores.

    The boundary is the ASCII one because the engine stays on its fast path with it, whatever the text.
    """
    return rf"(?i)(?-u:\b){re.escape(word)}(?-u:\b)"
