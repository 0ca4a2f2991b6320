"""Exact deduplication: one of every group of documents with the same text.

A document is known by 128 bits of BLAKE2b over its (optionally normalised) text: two different texts of a corpus of
ten billion documents share one with a chance below 1e-18, and nobody can make two that do. The digest is two
unsigned integers in the sketch, 16 bytes for each document whatever its length.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import ClassVar

import numpy as np
import polars as pl
from workbench_plugins.filters.document_dedup import DocumentDedup, Keep
from workbench_plugins.filters.document_groups import column_of, dropped, members, num_rows
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import Field

DIGEST_BYTES = 16
WHITE_SPACE = r"[^\S ]\s*| \s+"  # all runs but the single space, which is most of them and stays as it is
REASON = "duplicate"


class ExactDedup(DocumentDedup):
    """Keep one of every group of documents whose text is equal.

    Equal means: after the edges are stripped and runs of white space are one space (`collapse_whitespace`) and, when
    wanted, in lower case (`fold_case`). `keep` chooses the document that stays: the `first` by id, the `longest` as it
    was read, or the best by a column or signal (`by`); ties go by id, so the choice does not depend on the order of
    shards. Documents without text equal each other.
    """

    version: ClassVar[int] = 2
    collapse_whitespace: bool = Field(True, description="white space at the edges and its length do not count")
    fold_case: bool = Field(False, description="upper and lower case are the same")
    keep: Keep = Field("first", description="which document of a group stays")

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, what decides which one stays, and the digest as `digest_high` and `digest_low`."""
        digests = digest_texts(self._normalised(batch["text"]))
        return pl.DataFrame({**self.deciding(batch), "digest_high": digests[:, 0], "digest_low": digests[:, 1]})

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return all but one document of every group of equal digests."""
        return drops_of_equal(sketches, self.order).with_columns(reason=pl.lit(REASON), similarity=pl.lit(1.0))

    def _normalised(self, texts: pl.Series) -> pl.Series:
        if self.collapse_whitespace:
            texts = texts.str.replace_all(WHITE_SPACE, " ").str.strip_chars(" ")
        return texts.str.to_lowercase() if self.fold_case else texts


def digest_texts(texts: pl.Series) -> np.ndarray:
    """Return the 128-bit digests of the texts as a uint64 array of shape (documents, 2), the same on every machine."""
    offsets, content = text_buffers(texts)
    places = offsets.tolist()
    view = memoryview(content.data)
    digests = bytearray()
    for start, end in pairwise(places):
        digests += blake2b(view[start:end], digest_size=DIGEST_BYTES).digest()
    return np.frombuffer(bytes(digests), dtype="<u8").reshape(-1, 2)


def drops_of_equal(sketches: pl.LazyFrame, order: dict[str, bool]) -> pl.DataFrame:
    """Return `id` and `duplicate_of` of all but the best document of every group of equal digests.

    Args:
        sketches: `id`, `digest_high`, `digest_low`, and the columns that `order` names.
        order: See `document_groups.dropped`.
    """
    labels = column_of(sketches, "digest_high", num_rows(sketches))
    drops = [pl.DataFrame(schema={"id": pl.String, "duplicate_of": pl.String})]
    for group in members(sketches, labels, ["id", "digest_low", *order]):
        drops += [part.select("id", "duplicate_of") for part in dropped(group, ["digest_low"], order)]
    return pl.concat(drops)
