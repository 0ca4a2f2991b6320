"""Near-duplicate removal by MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al., MMDS, chapter 3).

Special here: words are cut by Unicode inside the compiled kernel, single characters for scripts without spaces, so
Chinese and Thai are found as well as English; candidates are verified on their signatures before they count, of which
the sketch keeps one byte for each minimum (Li and König 2010); the keys of the bands are columns of the sketch, read
one at a time. See docs/decisions/0006-minhash.md for what was measured.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import ClassVar, Self

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import model_validator
from workbench_plugins.filters.document_dedup import DocumentDedup
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import Field

REASON = "near-duplicate"
MISSED_BY_BANDS = 0.01  # the chance that a pair at the threshold shares no bucket
MARGIN = 3.0  # standard errors below the threshold that a verified pair may be estimated at: misses 1 in 700
BY_CHANCE = 1 / 256  # how often the lowest bytes of two different minima are equal


class MinHashDedup(DocumentDedup):
    """Keep one of every group of documents whose sets of shingles are alike: Jaccard similarity `threshold` or more.

    A shingle is `shingle` words in a row, compared without case and punctuation; a shorter document is one shingle of
    all its words, and one without any words resembles nothing, not even its like. Pairs become candidates when
    all minima of one band agree, and count when the share of all minima that agree is not more than three standard
    errors below the threshold: so pairs at the threshold are found 99 times in 100, and some of those up to 0.1 below
    it as well. Groups are what is connected by such pairs. `keep` chooses the document that stays: the `longest` (in
    bytes), the `first` by id, or the best by a column or signal (`by`); ties go by id, so nothing depends on the order
    of shards. `Corpus.clusters()` lists the groups, each document with its estimated similarity to the one that stays.
    """

    version: ClassVar[int] = 2
    threshold: float = Field(0.8, gt=0.0, le=1.0, description="Jaccard similarity from which documents count as alike")
    shingle: int = Field(5, ge=1, le=64, description="words in a shingle")
    num_permutations: int = Field(112, ge=8, le=1024, description="minima in a signature")
    rows: int | None = Field(None, ge=1, le=64, description="minima in a band; chosen from the threshold if not given")

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        """Refuse a band of more minima than a signature has."""
        if self.rows is not None and self.rows > self.num_permutations:
            raise ValueError(
                f"rows is {self.rows}; expected at most num_permutations, which is {self.num_permutations}"
            )
        return self

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, what decides, `digest` and `signature` (lowest bytes of the minima), and a key for each band."""
        from workbench_plugins.filters.minhash_kernel import summarise

        signatures, num_words = signatures_of(batch["text"], self.shingle, self.num_permutations)
        bands, rows = self.bands_and_rows()
        keys = np.empty((bands, batch.height), dtype=np.uint64)
        digests = np.empty(batch.height, dtype=np.uint64)
        low_bytes = np.empty(signatures.shape, dtype=np.uint8)
        summarise(signatures, bands, rows, keys, digests, low_bytes)
        frame = pl.DataFrame(
            {
                **self.deciding(batch),
                "digest": digests,
                "signature": binary_rows(low_bytes),
                **{band_name(band): keys[band] for band in range(bands)},
            }
        )
        return frame.filter(pl.Series(num_words > 0))

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return all but one document of every group of near-duplicates, with its similarity to that one."""
        from workbench_plugins.filters.minhash_clusters import cluster, dropped_with_similarity

        bands, _ = self.bands_and_rows()
        names = [band_name(band) for band in range(bands)]
        clusters = cluster(sketches, names, self.num_permutations, self.least_equal())
        drops = dropped_with_similarity(sketches, clusters, self.order)
        equal = pl.col("equal") / self.num_permutations
        return drops.select(
            "id",
            "duplicate_of",
            reason=pl.lit(REASON),
            similarity=((equal - BY_CHANCE) / (1 - BY_CHANCE)).clip(0.0, 1.0).round(3),
        )

    def bands_and_rows(self) -> tuple[int, int]:
        """Return how many bands of how many rows are used.

        With b bands of r rows a pair of similarity s becomes a candidate with probability 1 - (1 - sʳ)ᵇ. More rows
        give fewer candidates to verify, so the most are taken with which a pair at the threshold is still found.

        >>> MinHashDedup(threshold=0.8).bands_and_rows()
        (18, 6)
        """
        if self.rows is not None:
            return max(1, self.num_permutations // self.rows), self.rows
        for rows in range(min(64, self.num_permutations), 1, -1):
            bands = self.num_permutations // rows
            if (1 - self.threshold**rows) ** bands <= MISSED_BY_BANDS:
                return bands, rows
        return self.num_permutations, 1

    def least_equal(self) -> int:
        """Return in how many places two signatures must agree: `MARGIN` standard errors below the threshold.

        Of the minima that differ, one in 256 counts with the others: 0.1 of 112 at the threshold, a fortieth of a
        standard error.

        >>> MinHashDedup(threshold=0.8).least_equal()  # 112 · (0.8 - 3 · √(0.8 · 0.2 / 112)) = 76.9
        77
        """
        error = sqrt(self.threshold * (1 - self.threshold) / self.num_permutations)
        return max(1, ceil(self.num_permutations * (self.threshold - MARGIN * error)))


def signatures_of(texts: pl.Series, shingle: int, num_permutations: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minima of each text, uint32 (documents, permutations), and its number of words, uint32."""
    from workbench_plugins.filters.minhash_kernel import CLASSES, EMPTY, permutations, sign_documents

    starts, content = text_buffers(texts)
    multipliers, offsets = permutations(num_permutations)
    signatures = np.full((len(texts), num_permutations), EMPTY, dtype=np.uint32)
    num_words = np.zeros(len(texts), dtype=np.uint32)
    sign_documents(starts, content, shingle, CLASSES, multipliers, offsets, signatures, num_words)
    return signatures, num_words


def binary_rows(rows: np.ndarray) -> pl.Series:
    """Return the rows of a uint8 matrix as a column of bytes, without an object for each."""
    places = np.arange(rows.shape[0] + 1, dtype=np.int64) * rows.shape[1]
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), rows.shape[0], [None, pa.py_buffer(places), pa.py_buffer(np.ascontiguousarray(rows))]
    )
    return pl.Series(array)


def band_name(band: int) -> str:
    """Return the name of the column with the keys of a band."""
    return f"band_{band:03d}"
