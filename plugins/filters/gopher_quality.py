"""The quality rules of Gopher. Source: Rae et al. 2021 (arXiv:2112.11446), appendix A1.1, "Quality filtering".

What the paper leaves open is settled so: a word as in `words` (with spaces: what stands between them); a line is one
that is not blank; a bullet is one of `text_kinds.BULLETS`, blanks before it ignored; `...` and `…` are ellipses, the
Chinese `……` is one.

The paper is about English. Where text has no spaces, two rules take another form: no word has a mean length, so
that rule does not apply when at least half of the words are single characters of such a script; and for the stop
words Chinese and Japanese have function characters, as frequent there as `the` is in English (的 alone is 4 % of
modern Chinese text; 之 and 也 stand for the classical language). For Thai, Lao, Khmer, Burmese and Tibetan no list is
given, and the stop-word rule does not apply.

With `words="spaces"` everything is settled as datatrove does, for the same decisions from the same words: what
`str.split()` gives are words; those of punctuation alone (`text_kinds.SYMBOLS`) count in ratios, but neither as words
that must be there nor for the mean length; lines are those of `str.splitlines()`, blank ones too; only `•` and `-` are
bullets; every `…` is an ellipsis; a stop word is a whole word in small letters; function characters are not counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import polars as pl
from workbench_plugins.filters.text_kinds import SPACES, Segmentation, is_plain
from workbench_plugins.filters.text_statistics import Pass, TextKernel, measure

from workbench.api import Field, KernelColumn, RowFilter, Threshold

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
FUNCTION_CHARACTERS = "的了是在和有不这這我他们們为為就也之其以而于於者のにはをたがでてと"
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


class GopherQuality(RowFilter):
    """Keep documents that read like running text: the eight quality rules of Rae et al. 2021, appendix A1."""

    words: Segmentation = Field("unicode", description="`spaces`: words, signs and lines as datatrove counts them")
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
        kernel = QualityStatistics(self.words, self.stop_words, self.function_characters)
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
class QualityStatistics(TextKernel):
    """What the rules look at; not-a-number where there are no words or lines."""

    stop_words: tuple[str, ...] = STOP_WORDS
    function_characters: str = FUNCTION_CHARACTERS

    @property
    def lists(self) -> tuple[tuple[str, ...], str]:
        """The stop words that the pass finds by itself; patterns look for the others."""
        return tuple(word for word in self.stop_words if is_plain(word, self.segmentation)), self.function_characters

    def frame(self, batch: pl.DataFrame, measured: Pass) -> pl.DataFrame:
        """Return the columns of `SIGNALS`."""
        from workbench_plugins.filters import scan_kernel as of

        words, alone, judged, lines, listless = (
            measured.counts[:, column] for column in (of.WORDS, of.ALONE, of.JUDGED_WORDS, of.LINES, of.LISTLESS_WORDS)
        )
        counts = measured.counts.T
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(alone / words < HALF, counts[of.JUDGED_CHARACTERS] / (judged - alone), np.nan)
            has_list = (listless == 0) | (listless / words < HALF)
            columns = {
                "num_words": judged.astype(np.uint32),
                "mean_word_length": mean,
                "hash_to_word_ratio": counts[of.HASHES] / words,
                "ellipsis_to_word_ratio": counts[of.ELLIPSES] / words,
                "bullet_line_share": counts[of.BULLET_LINES] / lines,
                "ellipsis_line_share": counts[of.ELLIPSIS_LINES] / lines,
                "alphabetic_word_share": counts[of.LETTERED] / words,
            }
        found = pl.Series("num_stop_words", counts[of.STOP_WORDS].astype(np.uint32))
        patterns = [self._pattern(word) for word in self.stop_words if not is_plain(word, self.segmentation)]
        others = [batch["text"].str.contains(pattern).cast(pl.UInt32) for pattern in patterns]
        stop_words = pl.select(pl.when(pl.lit(pl.Series(has_list))).then(pl.sum_horizontal(found, *others)))
        return pl.DataFrame(columns).with_columns(stop_words.to_series().alias("num_stop_words"))

    def _pattern(self, word: str) -> str:
        """Return a pattern for the word between spaces or edges of the text, or in any case at the edges of a word.

        With ASCII alone the edge is that of ASCII, because the engine stays on its fast path then, whatever the text.
        """
        if self.segmentation == "spaces":
            return rf"(?:^|[{SPACES}]){re.escape(word)}(?:$|[{SPACES}])"
        edge = r"(?-u:\b)" if word.isascii() else r"\b"
        return rf"(?i){edge}{re.escape(word)}{edge}"


def word_counts(texts: pl.Series) -> list[pl.Series]:
    """Return `num_words`, `num_lettered`, `num_unspaced` and `num_spaced_characters` of each text, uint32."""
    from workbench_plugins.filters import scan_kernel as of

    counts = measure(texts, "unicode", ((), ""), 0).counts
    columns = {
        "num_words": of.WORDS,
        "num_lettered": of.LETTERED,
        "num_unspaced": of.ALONE,
        "num_spaced_characters": of.JUDGED_CHARACTERS,
    }
    return [pl.Series(name, counts[:, column], dtype=pl.UInt32) for name, column in columns.items()]
