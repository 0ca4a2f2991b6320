"""Documents with too few or too many words."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from workbench_plugins.filters.words import count_words

from workbench.api import Field, RowFilter, Threshold


class WordCount(RowFilter):
    """Keep documents whose word count lies in a range. Source: Rae et al. 2021, appendix A1.

    A character of a script without spaces counts as a word, see `words`.
    """

    min_words: Annotated[int, Threshold] = Field(50, ge=0, description="fewest words")
    max_words: Annotated[int, Threshold] = Field(100_000, ge=1, description="most words")

    def signals(self) -> dict[str, pl.Expr]:
        """Measure `num_words`."""
        return {"num_words": count_words(pl.col("text"))}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop outside the range."""
        num_words = pl.col("num_words")
        return {"too-few-words": num_words < self.min_words, "too-many-words": num_words > self.max_words}
