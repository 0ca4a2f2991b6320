"""Sentence deduplication: runs of sentences that stand elsewhere in the corpus before are cut out."""

from __future__ import annotations

from typing import ClassVar

from workbench_plugins.filters.unit_dedup import Normalisation, UnitDedup

from workbench.api import Field


class SentenceDedup(UnitDedup):
    """Cut all but the first of every three sentences in a row that stand more than once (C4, Raffel et al. 2020, 2.2).

    A sentence ends at a line end, at `.`, `!` or `?` (with closing quotes and brackets) before white space, and at the
    full stops of scripts without spaces (`。`, `！`, `？` and those of Devanagari, Arabic, Khmer, Burmese, Ethiopic). So
    "Dr. Li" is cut in two, everywhere in the same way, which changes no decision but the length of a run. A document
    with fewer sentences than a run has no repeats. A run that overlaps the one that stays is no repeat of it.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str] = "sentence"
    sentences: int = Field(3, ge=1, le=64, description="sentences in a run")
    normalisation: Normalisation = Field(
        "white-space",
        description="what counts: letters (and digits, each as 0, without case and width) or all but the amount of "
        "white space",
    )

    @property
    def units_in_span(self) -> int:
        """The sentences of a run."""
        return self.sentences
