"""Exact substring deduplication: passages that stand word for word elsewhere in the corpus are cut out.

Lee et al. 2021 (Deduplicating training data makes language models better, section 4.1) find repeated passages with a
suffix array of the whole corpus. Here every window of `min_words` words is hashed and the hashes are compared by
ranges from disk: the same answer, since a repeat of that many words or more is a run of equal windows, with memory that
the size of the corpus does not enter. See docs/decisions/0013-repeated-substrings.md.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import polars as pl
from workbench_plugins.filters.spans import merged, repeats, windows_of, words_of

from workbench.api import CorpusFilter, Field


class SubstringDedup(CorpusFilter):
    """Cut every passage of at least `min_words` words that stands before in the corpus.

    Words are compared without case, width and punctuation; in scripts without spaces every character is one. The
    passage of the smallest id, and in a document the first, stays whole; a repeat that overlaps it is none. With a
    repeat goes the punctuation and white space behind its last word. Every repeat of `min_words` words is found; that
    one is found where there is none takes two different windows with one 64-bit hash, a chance of n²/2⁶⁵ in a corpus
    of n words (0.03 for a billion).

    The sketches take about three times the space of the text in the step's scratch folder while it runs.
    """

    version: ClassVar[int] = 1
    min_words: int = Field(50, ge=2, le=10_000, description="words (or characters) from which a repeat is cut out")
    min_characters_left: int = Field(0, ge=0, description="characters that a document must keep when it is cut")

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, `start` and `end` (bytes) and `hash` of every window of words, sorted by hash."""
        words = words_of(batch["text"])
        counts, hashes = windows_of(words, self.min_words, self.min_words)
        begins = np.flatnonzero(counts)
        begins = begins[np.argsort(hashes[begins])]
        rows = np.repeat(np.arange(batch.height), np.diff(words.firsts))[begins]
        return pl.DataFrame(
            {
                "id": batch["id"].gather(rows),
                "start": words.starts[begins].astype(np.uint32),
                "end": words.ends[begins + self.min_words - 1].astype(np.uint32),
                "hash": hashes[begins],
            }
        )

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return the passages to cut, overlapping windows as one."""
        return merged(repeats(sketches)).with_columns(reason=pl.lit("repeated-passage"))

    def rules(self) -> dict[str, pl.Expr]:
        """Return what is too little to keep of a document that was cut."""
        return {"too-little-left": pl.col("characters") < self.min_characters_left}
