"""The repetition rules of Gopher. Source: Rae et al. 2021 (arXiv:2112.11446), table A1, "Repetition removal".

What the paper leaves open is settled as datatrove does: a repeated line, paragraph or n-gram is one that came before
(the first is none); an n-gram found again is counted and stepped over as a whole; the n-gram on top is the most
frequent one, of equals the first; all lengths are in characters, and shares are of the whole text.
"""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pydantic import ValidationInfo, field_validator
from workbench_plugins.filters.text_kinds import Segmentation
from workbench_plugins.filters.text_statistics import REPEATED, TOP, TextStatistics

from workbench.api import Field, KernelColumn, RowFilter, Threshold

TOP_LIMITS = {2: 0.20, 3: 0.18, 4: 0.16}
REPEATED_LIMITS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


class GopherRepetition(RowFilter):
    """Keep documents that do not repeat themselves: the thirteen rules of Rae et al. 2021, table A1.

    In text without spaces a word is a character. A threshold above 1 switches a rule off.
    """

    words: Segmentation = Field("unicode", description="`spaces`: words are what stands between spaces, in any script")
    max_repeated_lines: Annotated[float, Threshold] = Field(0.30, ge=0, description="share of lines seen before")
    max_repeated_paragraphs: Annotated[float, Threshold] = Field(0.30, ge=0, description="share of paragraphs")
    max_repeated_line_characters: Annotated[float, Threshold] = Field(0.20, ge=0, description="characters in them")
    max_repeated_paragraph_characters: Annotated[float, Threshold] = Field(0.20, ge=0, description="characters in them")
    max_top_n_grams: Annotated[dict[int, float], Threshold] = Field(
        TOP_LIMITS, description="n (2 to 4) → largest share of characters in the most frequent n-gram"
    )
    max_repeated_n_grams: Annotated[dict[int, float], Threshold] = Field(
        REPEATED_LIMITS, description="n (5 to 10) → largest share of characters in n-grams seen before"
    )

    @field_validator("max_top_n_grams", "max_repeated_n_grams")
    @classmethod
    def _of_the_table(cls, limits: dict[int, float], info: ValidationInfo) -> dict[int, float]:
        known = TOP if info.field_name == "max_top_n_grams" else REPEATED
        for n in limits:
            if n not in known:
                raise ValueError(f"there is no rule for runs of {n} words; expected {min(known)} to {max(known)}")
        return limits

    def signals(self) -> dict[str, KernelColumn]:
        """Measure the thirteen shares; null in a text too short for them."""
        kernel = TextStatistics(self.words)
        names = (
            "repeated_paragraph_share",
            "repeated_paragraph_character_share",
            "repeated_line_share",
            "repeated_line_character_share",
            *TOP.values(),
            *REPEATED.values(),
        )
        return {name: kernel.column(name) for name in names}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what repeats more than the table allows."""
        return {
            "repeated-paragraphs": pl.col("repeated_paragraph_share") > self.max_repeated_paragraphs,
            "repeated-paragraph-characters": pl.col("repeated_paragraph_character_share")
            > self.max_repeated_paragraph_characters,
            "repeated-lines": pl.col("repeated_line_share") > self.max_repeated_lines,
            "repeated-line-characters": pl.col("repeated_line_character_share") > self.max_repeated_line_characters,
            **{f"top-{n}-gram": pl.col(TOP[n]) > limit for n, limit in self.max_top_n_grams.items()},
            **{f"repeated-{n}-grams": pl.col(REPEATED[n]) > limit for n, limit in self.max_repeated_n_grams.items()},
        }
