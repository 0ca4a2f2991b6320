"""The rules of C4. Source: Raffel et al. 2020 (JMLR 21/140), section 2.2, and the code that made the data set.

Lines are judged first; a document is judged by what its lines leave. So there are two filters over one kernel: `c4`
decides over documents and leaves every text as it is, `c4-lines` takes lines out and drops nothing. Both in a chain, in
this order, do what C4 does. The list of bad words is `word-list`'s matter.

A sentence is what `.`, `!` or `?` before a space ends, or `。`, `！`, `？` anywhere; the original has NLTK's English
model for it. A line of text without spaces may also end with any character that ends sentences in its script or with
a closing quote, and its words are its characters; with `words="spaces"` lines are judged as the original does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import polars as pl
from workbench_plugins.filters.text_kinds import Segmentation
from workbench_plugins.filters.text_statistics import Pass, TextKernel

from workbench.api import Field, KernelColumn, RewriteFilter, Rewritten, RowFilter, Threshold

EDITS = ("long_word", "no_final_punctuation", "few_words", "javascript", "policy", "citation")
SIGNALS = ("num_sentences", "num_lorem_ipsum", "num_curly_brackets")


@dataclass(frozen=True)
class C4Lines(TextKernel):
    """Counts over the lines of each text: those taken out by each rule, and sentences and marks in those that stay."""

    with_text: bool = False

    @property
    def wanted(self) -> int:
        """The counts, and the text that is left if asked for."""
        from workbench_plugins.filters.text_kernel import C4_COUNTS, C4_TEXT

        return C4_COUNTS | (C4_TEXT if self.with_text else 0)

    def frame(self, batch: pl.DataFrame, measured: Pass) -> pl.DataFrame:
        """Return the columns of `EDITS` and `SIGNALS`, uint32, and with `with_text` the text that is left as `text`."""
        from workbench_plugins.filters.c4_kernel import FIRST_COLUMN

        counts = measured.counts[:, FIRST_COLUMN:].T.astype("uint32")
        frame = pl.DataFrame(dict(zip((*EDITS, *SIGNALS), counts, strict=True)))
        return frame.with_columns(measured.texts) if self.with_text else frame


class C4(RowFilter):
    """Keep documents of which enough is left: five sentences, no `lorem ipsum`, no curly bracket, Raffel et al. 2020."""

    words: Segmentation = Field("unicode", description="`spaces`: words are what stands between spaces, in any script")
    min_sentences: Annotated[int, Threshold] = Field(5, ge=0, description="fewest sentences in the lines that stay")
    max_lorem_ipsum: Annotated[int, Threshold] = Field(0, ge=0, description="most lines with `lorem ipsum`")
    max_curly_brackets: Annotated[int, Threshold] = Field(0, ge=0, description="most lines with a curly bracket")

    def signals(self) -> dict[str, KernelColumn]:
        """Measure what is in the lines that stay."""
        kernel = C4Lines(self.words)
        return {name: kernel.column(name) for name in SIGNALS}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what is too short, a placeholder or code."""
        return {
            "lorem-ipsum": pl.col("num_lorem_ipsum") > self.max_lorem_ipsum,
            "curly-bracket": pl.col("num_curly_brackets") > self.max_curly_brackets,
            "too-few-sentences": pl.col("num_sentences") < self.min_sentences,
        }


class C4LineFilter(RewriteFilter):
    """Take out lines that are no sentences, mention JavaScript or policies, or hold a word of over 1,000 characters.

    Citation marks (`[12]`, `[edit]`, `[citation needed]`) go too. The rules and their order are those of Raffel et al.
    2020, section 2.2, and of the code that made C4.
    """

    words: Segmentation = Field("unicode", description="`spaces`: words are what stands between spaces, in any script")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the lines that stay, and how many went for which reason."""
        result = C4Lines(self.words, with_text=True).compute(batch)
        return Rewritten(batch.with_columns(result["text"]), result.select(EDITS))
