"""Near-duplicate removal by MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al., MMDS, chapter 3).

Special here: words are cut by Unicode inside the compiled kernel, single characters for scripts without spaces, so
Chinese and Thai are found as well as English; candidates are verified on their signatures before they count; the
keys of the bands are columns of the sketch, so that resolving reads one column of 8 bytes for each document at a
time, and signatures only of documents that share a bucket. See docs/decisions/0006-minhash.md for what was measured.
"""

from __future__ import annotations

from math import sqrt
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import CorpusFilter, Field

REASON = "near-duplicate"
MISSED_BY_BANDS = 0.01  # the chance that a pair at the threshold shares no bucket
KEY_BASE, KEY_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)  # odd constants of splitmix64
MARGIN = 3.0  # standard errors below the threshold that a verified pair may be estimated at: misses 1 in 700


class MinHashDedup(CorpusFilter):
    """Keep one of every group of documents whose sets of shingles are alike: Jaccard similarity `threshold` or more.

    A shingle is `shingle` words in a row, compared without case and punctuation; a shorter document is one shingle of
    all its words, and one without any words resembles nothing, not even its like. Pairs become candidates when
    all minima of one band agree, and count when the share of all minima that agree is not more than three standard
    errors below the threshold: so pairs at the threshold are found 99 times in 100, and some of those up to 0.1 below
    it as well. Groups are what is connected by such pairs. `keep` chooses the document that stays: the `longest` (in
    bytes) or the `first` by id; ties go by id, so nothing depends on the order of shards.
    """

    version: ClassVar[int] = 1
    threshold: float = Field(0.8, gt=0.0, le=1.0, description="Jaccard similarity from which documents count as alike")
    shingle: int = Field(5, ge=1, le=64, description="words in a shingle")
    num_permutations: int = Field(112, ge=8, le=1024, description="minima in a signature, 4 bytes each")
    rows: int | None = Field(None, ge=1, le=64, description="minima in a band; chosen from the threshold if not given")
    keep: Literal["longest", "first"] = Field("longest", description="which document of a group stays")

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, `length` (bytes), `signature` (minima as little-endian bytes), and a key for each band."""
        signatures, num_words = signatures_of(batch["text"], self.shingle, self.num_permutations)
        bands, rows = self.bands_and_rows()
        keys = band_keys(signatures, bands, rows)
        frame = pl.DataFrame(
            {
                "id": batch["id"],
                "length": batch["text"].str.len_bytes().fill_null(0),
                "signature": pl.Series([row.tobytes() for row in signatures.astype("<u4")], dtype=pl.Binary),
                **{band_name(band): keys[band] for band in range(bands)},
            }
        )
        return frame.filter(pl.Series(num_words > 0))

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return all but one document of every group of near-duplicates."""
        numbered = sketches.with_row_index("row")
        bands, _ = self.bands_and_rows()
        buckets = [shared_buckets(numbered, band_name(band)) for band in range(bands)]
        rows = pl.concat([bucket.select("row") for bucket in buckets]).unique()
        order = ["id"] if self.keep == "first" else ["length", "id"]
        candidates = (
            numbered.select("row", "id", "length", "signature")
            .join(rows.lazy(), on="row", how="semi")
            .collect(engine="streaming")
            .sort(order, descending=[name == "length" for name in order])
            .with_row_index("item")
        )
        parents = self._clusters(candidates, buckets)
        kept = candidates["id"].gather(parents)
        drops = candidates.select("id", pl.lit(REASON).alias("reason")).with_columns(kept.alias("duplicate_of"))
        return drops.filter(pl.Series(parents != np.arange(parents.size))).sort("id")

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
        """Return how many minima of two signatures must agree: `MARGIN` standard errors below the threshold.

        >>> MinHashDedup(threshold=0.8).least_equal()  # 112 · (0.8 - 3 · √(0.8 · 0.2 / 112)) = 76.9
        77
        """
        error = sqrt(self.threshold * (1 - self.threshold) / self.num_permutations)
        return max(1, int(np.ceil(self.num_permutations * (self.threshold - MARGIN * error))))

    def _clusters(self, candidates: pl.DataFrame, buckets: list[pl.DataFrame]) -> np.ndarray:
        """Return for each candidate the place of the document that stands for its group."""
        from workbench_plugins.filters.minhash_kernel import join_buckets

        joined = b"".join(candidates["signature"].to_list())
        signatures = np.frombuffer(joined, dtype="<u4").reshape(-1, self.num_permutations)
        parents = np.arange(len(candidates), dtype=np.int64)
        items = candidates.select("row", "item")
        for bucket in buckets:
            members = bucket.join(items, on="row").sort("key", "item")
            ends = members["key"].rle_id().value_counts(sort=False).sort("key")["count"].cum_sum()
            join_buckets(
                members["item"].to_numpy().astype(np.int64),
                ends.to_numpy().astype(np.int64),
                signatures,
                self.least_equal(),
                parents,
            )
        while (parents[parents] != parents).any():  # until every document points at the one that stays
            parents = parents[parents]
        return parents


def signatures_of(texts: pl.Series, shingle: int, num_permutations: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minima of each text, uint32 (documents, permutations), and its number of words, uint32."""
    from workbench_plugins.filters.minhash_kernel import CLASSES, EMPTY, permutations, sign_documents

    starts, content = text_buffers(texts)
    multipliers, offsets = permutations(num_permutations)
    signatures = np.full((len(texts), num_permutations), EMPTY, dtype=np.uint32)
    num_words = np.zeros(len(texts), dtype=np.uint32)
    sign_documents(starts, content, shingle, CLASSES, multipliers, offsets, signatures, num_words)
    return signatures, num_words


def band_keys(signatures: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Return one 64-bit key for each band, uint64 (bands, documents): a polynomial over its minima, then mixed."""
    keys = np.zeros((bands, signatures.shape[0]), dtype=np.uint64)
    for band in range(bands):
        for row in range(band * rows, (band + 1) * rows):
            keys[band] = keys[band] * KEY_BASE + signatures[:, row]
    keys = (keys ^ (keys >> np.uint64(29))) * KEY_MIX
    return keys ^ (keys >> np.uint64(32))


def band_name(band: int) -> str:
    """Return the name of the column with the keys of a band."""
    return f"band_{band:03d}"


def shared_buckets(numbered: pl.LazyFrame, band: str) -> pl.DataFrame:
    """Return `row` and `key` of the documents whose key in this band is also another's."""
    keyed = numbered.select("row", pl.col(band).alias("key"))
    return keyed.filter(pl.len().over("key") > 1).collect()
