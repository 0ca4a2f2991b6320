"""`filter/example`: letters in a text, of whatever script."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl

from workbench.api import Field, RowFilter, Threshold


class Example(RowFilter):
    """Keep documents in which letters make up enough of the characters."""

    version: ClassVar[int] = 1
    min_share: Annotated[float, Threshold] = Field(0.6, ge=0, le=1, description="least share of letters")

    def signals(self) -> dict[str, pl.Expr]:
        """Measure the share of letters among all characters that are not white space."""
        text = pl.col("text")
        visible = text.str.count_matches(r"\S")
        return {"letter_share": text.str.count_matches(r"\p{L}") / pl.when(visible > 0).then(visible)}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents with too few letters, and those with no visible character at all."""
        share = pl.col("letter_share")
        return {"too-few-letters": share.is_null() | (share < self.min_share)}
