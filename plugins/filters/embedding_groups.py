"""Which embeddings are alike: k-means over whole numbers, then each cluster by itself, block by block.

An embedding is a row of whole numbers of length `scale`. Sums of products of two such rows are at most scale² (Cauchy
and Schwarz), in any order and in any part; where that is below 2²⁴, float32 holds them exactly, and matrix products give
the same numbers on every machine. Embeddings are read from the sketches in rounds of `LOADED_BYTES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from workbench_plugins.filters.document_groups import num_rows, rows_where

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]
    Labels = npt.NDArray[np.int64]

LOADED_BYTES = 1 << 28
BATCH_ROWS = 1 << 13
SAMPLED = 64  # embeddings for each cluster that its centre is learned from
MAX_SAMPLE = 1 << 16
ITERATIONS = 20
BLOCK = 512  # documents that are compared at a time with all that are kept


def assigned(sketches: pl.LazyFrame, clusters: int | None, documents: int, scale: int) -> Labels:
    """Return the cluster of each document, in the order of the sketches.

    Args:
        sketches: With a column `embedding` of int16 numbers.
        clusters: How many there are; None: one for each `documents`.
        documents: See `clusters`.
        scale: The length of an embedding.
    """
    rows = num_rows(sketches)
    wanted = min(max(1, rows), clusters or max(1, round(rows / documents)))
    labels = np.zeros(rows, dtype=np.int64)
    if wanted == 1:
        return labels
    centres = k_means(_sample(sketches, min(MAX_SAMPLE, wanted * SAMPLED)), wanted, scale)
    place = 0
    for batch in sketches.select("embedding").collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        labels[place : place + batch.height] = nearest(matrix_of(batch["embedding"]), centres)
        place += batch.height
    return labels


def k_means(sample: Matrix, clusters: int, scale: int) -> Matrix:
    """Return centres of the length `scale`, of whole numbers (Lloyd's algorithm on the sphere).

    It starts from embeddings of the sample that are far from each other: each the farthest from those before it.
    """
    centres = [sample[0]]
    closest = sample @ centres[0]
    while len(centres) < clusters:
        centres.append(sample[int(np.argmin(closest))])
        closest = np.maximum(closest, sample @ centres[-1])
    found = np.stack(centres)
    labels = np.full(len(sample), -1)
    for _ in range(ITERATIONS):
        again = nearest(sample, found)
        if (again == labels).all():
            break
        labels = again
        sums = np.zeros(found.shape, dtype=np.int64)
        np.add.at(sums, labels, sample.astype(np.int64))
        lengths = np.sqrt((sums.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
        moved = np.rint(np.divide(sums * float(scale), lengths, out=np.zeros(found.shape), where=lengths > 0))
        found = np.where(lengths > 0, moved, found).astype(np.float32)  # a centre that lost all stays where it is
    return found


def nearest(rows: Matrix, centres: Matrix) -> Labels:
    """Return the number of the centre with the largest product for each row, the first of equal ones."""
    numbers: Labels = np.argmax(rows @ centres.T, axis=1).astype(np.int64)
    return numbers


def alike(sketches: pl.LazyFrame, labels: Labels, order: dict[str, bool], threshold: float) -> pl.DataFrame:
    """Return `id`, `duplicate_of` and `similarity` of the documents that are alike to one of their cluster that stays.

    Args:
        sketches: `id`, `embedding` and the columns that `order` names.
        labels: The cluster of each document.
        order: Column → whether the highest value comes first; what is equal goes by id.
        threshold: The least cosine.
    """
    schema = {"id": pl.String, "duplicate_of": pl.String, "similarity": pl.Float64}
    found = [pl.DataFrame(schema=schema)]
    for mask in _rounds(sketches, labels):
        loaded = rows_where(sketches, mask, ["id", "embedding", *order])
        loaded = loaded.with_columns(cluster=pl.Series(labels[mask]))
        numbers = [pl.col(name).fill_nan(None) if loaded.schema[name].is_float() else pl.col(name) for name in order]
        loaded = loaded.sort([*numbers, "id"], descending=[*order.values(), False], nulls_last=True)
        for part in loaded.partition_by("cluster", maintain_order=True):
            gone, kept, cosines = greedily(matrix_of(part["embedding"]), threshold)
            ids = part["id"]
            drops = {"id": ids.gather(gone), "duplicate_of": ids.gather(kept), "similarity": pl.Series(cosines)}
            found.append(pl.DataFrame(drops, schema=schema))
    return pl.concat(found).sort("id").with_columns(pl.col("similarity").clip(0.0, 1.0).round(4))


def greedily(rows: Matrix, threshold: float) -> tuple[list[int], list[int], list[float]]:
    """Go through the rows in order; return those that are alike to a kept one before them, the first such, the cosine.

    >>> rows = np.array([[40, 0], [39, 9], [0, 40], [40, 1]], dtype=np.float32)
    >>> greedily(rows, 0.99)
    ([3], [0], [0.999687...])
    """
    lengths = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
    lengths[lengths == 0] = np.inf  # what has no direction resembles nothing
    is_kept = np.zeros(len(rows), dtype=np.bool_)
    gone: list[int] = []
    favoured: list[int] = []
    cosines: list[float] = []
    for start in range(0, len(rows), BLOCK):
        block = range(start, min(start + BLOCK, len(rows)))
        kept = np.flatnonzero(is_kept)
        first = _first_alike(rows, lengths, block, kept, threshold)
        within = rows[start : block.stop] @ rows[start : block.stop].T
        for place, row in enumerate(block):
            like = int(first[place])
            if like < 0:
                before = np.flatnonzero(is_kept[start:row])
                cosine = within[place, before] / (lengths[row] * lengths[start + before])
                hits = np.flatnonzero(cosine >= threshold)
                like = start + int(before[hits[0]]) if hits.size else -1
            if like < 0:
                is_kept[row] = True
                continue
            gone.append(row)
            favoured.append(like)
            cosines.append(float(rows[row] @ rows[like]) / float(lengths[row] * lengths[like]))
    return gone, favoured, cosines


def _first_alike(
    rows: Matrix, lengths: npt.NDArray[np.float64], block: range, kept: Labels, threshold: float
) -> Labels:
    """Return for each row of the block the first kept one that is alike, or -1; some thousand kept ones at a time."""
    first = np.full(len(block), -1, dtype=np.int64)
    for begin in range(0, len(kept), BATCH_ROWS):
        some = kept[begin : begin + BATCH_ROWS]
        cosines = (rows[block.start : block.stop] @ rows[some].T) / lengths[block.start : block.stop, None]
        hits = cosines / lengths[some] >= threshold
        found = hits.any(axis=1) & (first < 0)
        first[found] = some[hits[found].argmax(axis=1)]
    return first


def matrix_of(embeddings: pl.Series) -> Matrix:
    """Return the embeddings as float32[documents, width]."""
    if not embeddings.len():
        return np.zeros((0, 1), dtype=np.float32)
    return np.frombuffer(b"".join(embeddings), dtype="<i2").reshape(embeddings.len(), -1).astype(np.float32)


def _sample(sketches: pl.LazyFrame, size: int) -> Matrix:
    """Return the distinct embeddings with the smallest hashes: as good as drawn, and the same for any order of shards."""
    smallest = pl.DataFrame(schema={"embedding": pl.Binary, "hash": pl.UInt64})
    for batch in sketches.select("embedding").collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        hashed = batch.with_columns(hash=pl.col("embedding").hash())
        smallest = pl.concat([smallest, hashed]).unique().sort("hash", "embedding").head(size)
    return matrix_of(smallest["embedding"])


def _rounds(sketches: pl.LazyFrame, labels: Labels) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield which documents to load together: whole clusters, `LOADED_BYTES` of embeddings or one cluster at a time."""
    if not labels.size:
        return
    width = int(sketches.select(pl.col("embedding").bin.size().max()).head(1).collect(engine="streaming").item())
    sizes = np.bincount(labels) * max(1, width)
    numbers, total = np.zeros(sizes.size, dtype=np.int64), 0
    number = 0
    for cluster, size in enumerate(sizes):
        if total and total + size > LOADED_BYTES:
            number, total = number + 1, 0
        numbers[cluster] = number
        total += size
    for chosen in range(number + 1):
        yield numbers[labels] == chosen
