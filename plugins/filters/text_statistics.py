"""What the quality rules look at, for all filters of a chain in one compiled pass over each text.

A word is one of `words`: a run between spaces, or a single character of a script without spaces. With
`segmentation="spaces"` it is a word of Python's `str.split()`, which is what published thresholds were set with.

Each filter asks a kernel of its own; those with the same segmentation are computed together, whatever they are, so
that a chain reads a text once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers
from workbench_plugins.filters.text_kinds import Segmentation, tables

from workbench.api import Kernel

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


@dataclass(frozen=True)
class Pass:
    """What one compiled pass over a batch gave.

    Attributes:
        statistics: float64 (documents, 18), the columns of `COLUMNS`; NaN where undefined or not wanted.
        counts: int64 (documents, 27), columns by `scan_kernel` and `c4_kernel`.
        texts: What C4 leaves of each text; empty texts when that is not wanted.
    """

    statistics: np.ndarray
    counts: np.ndarray
    texts: pl.Series


@dataclass(frozen=True)
class TextKernel(Kernel, ABC):
    """Base of the kernels that one pass serves together."""

    segmentation: Segmentation = "unicode"

    @property
    def wanted(self) -> int:
        """The bits of `text_kernel` for what this kernel needs."""
        return 0

    @property
    def lists(self) -> tuple[tuple[str, ...], str]:
        """The stop words and function characters that the pass is to find."""
        return (), ""

    @abstractmethod
    def frame(self, batch: pl.DataFrame, measured: Pass) -> pl.DataFrame:
        """Return the columns of this kernel."""

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return one row for each document."""
        return self.compute_together([self], batch)[0]

    @classmethod
    def compute_together(cls, kernels: Sequence[Kernel], batch: pl.DataFrame) -> list[pl.DataFrame]:
        """Return the frames of several kernels; those with one segmentation and the same lists share a pass."""
        frames: dict[int, pl.DataFrame] = {}
        waiting = {number: kernel for number, kernel in enumerate(kernels) if isinstance(kernel, TextKernel)}
        while waiting:
            leader = max(waiting.values(), key=lambda kernel: len(str(kernel.lists)))
            together = {
                number: kernel
                for number, kernel in waiting.items()
                if kernel.segmentation == leader.segmentation and kernel.lists in {leader.lists, ((), "")}
            }
            wanted = 0
            for kernel in together.values():
                wanted |= kernel.wanted
            measured = measure(batch["text"], leader.segmentation, leader.lists, wanted)
            frames |= {number: kernel.frame(batch, measured) for number, kernel in together.items()}
            waiting = {number: kernel for number, kernel in waiting.items() if number not in together}
        return [frames[number] for number in range(len(kernels))]


@dataclass(frozen=True)
class TextStatistics(TextKernel):
    """The statistics of `COLUMNS`, float64 from 0 to 1 (a ratio of newlines may be more); NaN where undefined.

    Shares of characters are of all characters of the text, as in the reference implementation (datatrove). Without
    `n_grams` the shares of runs of words are left undefined.
    """

    n_grams: bool = True

    @property
    def wanted(self) -> int:
        """Lines, and runs of words if asked for."""
        from workbench_plugins.filters.text_kernel import LINE_SHARES, N_GRAMS

        return LINE_SHARES | (N_GRAMS if self.n_grams else 0)

    def frame(self, batch: pl.DataFrame, measured: Pass) -> pl.DataFrame:
        """Return `COLUMNS`."""
        columns = dict(zip(COLUMNS, measured.statistics.T, strict=True))
        return pl.DataFrame(columns).with_columns(pl.col("num_words").cast(pl.UInt32))


def measure(texts: pl.Series, segmentation: Segmentation, lists: tuple[tuple[str, ...], str], wanted: int) -> Pass:
    """Run the compiled pass over texts.

    Args:
        texts: Nulls count as empty.
        segmentation: What a word is.
        lists: Stop words that `text_kinds.is_plain` agrees to, and function characters.
        wanted: Bits of `text_kernel`.
    """
    import pyarrow as pa
    from workbench_plugins.filters.c4_kernel import NUM_COLUMNS
    from workbench_plugins.filters.text_kernel import C4_TEXT, measure_texts

    offsets, content = text_buffers(texts)
    statistics = np.full((len(texts), len(COLUMNS)), np.nan)
    counts = np.zeros((len(texts), NUM_COLUMNS), dtype=np.int64)
    output = np.zeros(int(offsets[-1] - offsets[0]) if wanted & C4_TEXT else 0, dtype=np.uint8)
    output_offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    measure_texts(offsets, content, tables(segmentation, *lists), wanted, statistics, counts, output, output_offsets)
    buffers = [None, pa.py_buffer(output_offsets), pa.py_buffer(output)]
    left = pl.Series("text", pa.LargeStringArray.from_buffers(len(texts), *buffers[1:]))
    return Pass(statistics, counts, left)
