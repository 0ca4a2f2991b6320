"""What `line-dedup`, `paragraph-dedup` and `sentence-dedup` have in common."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from workbench_plugins.filters.spans import joined, repeats, units_of

from workbench.api import CorpusFilter, Field

Normalisation = Literal["letters", "white-space"]


class UnitDedup(CorpusFilter):
    """Cut repeated units (or runs of them) out of all documents but the first.

    The first is that of the smallest id, and in a document the first in the text, so the choice does not depend on
    the order of shards.
    """

    unit: ClassVar[str] = "line"
    normalisation: Normalisation = Field(
        "letters",
        description="what counts: letters (and digits, each as 0, without case and width) or all but the amount of "
        "white space",
    )
    min_characters: int = Field(
        10, ge=1, description="characters that count in a unit; shorter ones are no repeats, however often they stand"
    )
    min_occurrences: int = Field(2, ge=2, description="times from which a unit counts as repeated")
    min_characters_left: int = Field(0, ge=0, description="characters that a document must keep when it is cut")

    @property
    def units_in_span(self) -> int:
        """How many units in a row are compared as one."""
        return 1

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, `start` and `end` (bytes) and `hash` of every unit that is long enough, sorted by hash."""
        spans = joined(units_of(batch["text"], self.unit, loose=self.normalisation == "letters"), self.units_in_span)
        spans = spans.filter(pl.col("length") >= self.min_characters).sort("hash")
        return spans.select(batch["id"].gather(spans["row"]).alias("id"), "start", "end", "hash")

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return every repeated unit but the first of its like, as a span to cut."""
        return repeats(sketches, self.min_occurrences).with_columns(reason=pl.lit(f"repeated-{self.unit}"))

    def rules(self) -> dict[str, pl.Expr]:
        """Return what is too little to keep of a document that was cut."""
        return {"too-little-left": pl.col("characters") < self.min_characters_left}
