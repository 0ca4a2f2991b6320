"""What the repetition and line rules look at, computed for all filters of a chain in one compiled pass.

A word is one of `words`: a run between spaces, or a single character of a script without spaces. With
`segmentation="spaces"` it is a word of Python's `str.split()`, which is what published thresholds were set with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers
from workbench_plugins.filters.words import SEPARATING, UNSPACED

from workbench.api import Kernel

Segmentation = Literal["unicode", "spaces"]

TOP = {n: f"top_{n}_gram_share" for n in (2, 3, 4)}
REPEATED = {n: f"repeated_{n}_gram_share" for n in range(5, 11)}
COLUMNS = (
    *TOP.values(),
    *REPEATED.values(),
    "repeated_paragraph_share",
    "repeated_paragraph_character_share",
    "repeated_line_share",
    "repeated_line_character_share",
    "ending_line_share",
    "short_line_share",
    "repeated_filled_line_character_share",
    "newline_to_word_ratio",
    "num_words",
)
# Unicode's Sentence_Terminal, and three Khmer signs that end sentences.
TERMINAL = r"\p{Sentence_Terminal}\x{17D6}\x{17D9}\x{17DA}"
# What `str.split()` takes for space; `\s` lacks the four information separators.
SPACE = r"\s\x{1C}-\x{1F}"


@dataclass(frozen=True)
class TextStatistics(Kernel):
    """The statistics of `COLUMNS`, float64 from 0 to 1 (a ratio of newlines may be more); NaN where undefined.

    Shares of characters are of all characters of the text, as in the reference implementation (datatrove).
    """

    segmentation: Segmentation = "unicode"

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return one row of statistics for each document."""
        from workbench_plugins.filters.repetition_kernel import measure_lines, measure_words

        texts = batch["text"]
        offsets, content = text_buffers(texts)
        characters = texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64)
        result = np.full((len(texts), len(COLUMNS)), np.nan)
        classes = character_classes()
        measure_words(offsets, content, classes, self.segmentation == "spaces", characters, result)
        measure_lines(offsets, content, classes, characters, result)
        return pl.DataFrame(dict(zip(COLUMNS, result.T, strict=True))).with_columns(pl.col("num_words").cast(pl.UInt32))


@cache
def character_classes() -> np.ndarray:
    """Return uint8[1114112]: the bits of `repetition_kernel` for every code point, by polars' tables of Unicode."""
    from workbench_plugins.filters import repetition_kernel as bits

    points = [*range(0xD800), *range(0xE000, 0x110000)]
    letters = pl.Series([chr(point) for point in points])
    classes = np.zeros(0x110000, dtype=np.uint8)
    for bit, pattern in (
        (bits.SPACE, SPACE),
        (bits.UNSPACED, UNSPACED),
        (bits.SEPARATING, SEPARATING),
        (bits.MARK, r"\p{M}"),
        (bits.TERMINAL, TERMINAL),
    ):
        classes[points] |= np.where(letters.str.contains(f"[{pattern}]").to_numpy(), bit, 0).astype(np.uint8)
    return classes
