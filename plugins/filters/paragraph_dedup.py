"""Paragraph deduplication: paragraphs that stand elsewhere in the corpus before are cut out."""

from __future__ import annotations

from typing import ClassVar

from workbench_plugins.filters.unit_dedup import UnitDedup

from workbench.api import Field


class ParagraphDedup(UnitDedup):
    """Cut every paragraph that stands before in the corpus, with the blank lines behind it.

    A paragraph is what lies between blank lines; for text with one paragraph to a line take `line-dedup`, which does
    what CCNet does (Wenzek et al. 2020, section 3.1). Compared as there: in lower case, without punctuation, digits as 0.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str] = "paragraph"
    min_characters: int = Field(
        20, ge=1, description="characters that count in a paragraph; shorter ones are no repeats"
    )
