"""The line rules of FineWeb. Source: Penedo et al. 2024 (arXiv:2406.17557), section 3.5, "FineWeb's custom filters".

Lines are parted by newlines, and blank ones do not count. The paper names the first three rules with the thresholds
0.12, 0.1 and 0.67; the data set was made with 0.01 for repeated lines and a rule against lists (datatrove's
`FineWebQualityFilter`), and those stand here.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl
from workbench_plugins.filters.text_kinds import Segmentation
from workbench_plugins.filters.text_statistics import TextStatistics

from workbench.api import Field, KernelColumn, RowFilter, Threshold


class FineWeb(RowFilter):
    """Keep documents whose lines are sentences rather than lists and menus: the rules of Penedo et al. 2024.

    A line ends well with any character that Unicode calls `Sentence_Terminal`, `。` and `！` among them.
    """

    words: Segmentation = Field("unicode", description="`spaces`: words are what stands between spaces, in any script")
    min_ending_lines: Annotated[float, Threshold] = Field(
        0.12, ge=0, le=1, description="smallest share of lines that end with a sentence's punctuation"
    )
    max_short_lines: Annotated[float, Threshold] = Field(
        0.67, ge=0, le=1, description="largest share of lines of 30 characters or fewer"
    )
    max_repeated_line_characters: Annotated[float, Threshold] = Field(
        0.01, ge=0, le=1, description="largest share of characters in lines seen before"
    )
    max_newlines_to_words: Annotated[float, Threshold] = Field(0.3, ge=0, description="most newlines for each word")

    def signals(self) -> dict[str, KernelColumn]:
        """Measure three shares and a ratio; null where there is no line or no word."""
        kernel = TextStatistics(self.words, n_grams=False)
        names = (
            "ending_line_share",
            "short_line_share",
            "repeated_filled_line_character_share",
            "newline_to_word_ratio",
        )
        return {name: kernel.column(name) for name in names}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what looks like a list or a menu."""
        return {
            "few-lines-end-well": pl.col("ending_line_share") < self.min_ending_lines,
            "short-lines": pl.col("short_line_share") > self.max_short_lines,
            "repeated-line-characters": pl.col("repeated_filled_line_character_share")
            > self.max_repeated_line_characters,
            "list-like": pl.col("newline_to_word_ratio") > self.max_newlines_to_words,
        }
