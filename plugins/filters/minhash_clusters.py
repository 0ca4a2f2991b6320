"""From the sketches of MinHash to clusters, out of core.

Documents with the same signature are one *item*, known by the digest of the signature. Items that share a bucket of a
band with another are candidates; their signatures (a byte for each minimum) are the only ones that are read. All of it
goes by digests and keys, never by the place of a document, so shards may come in any order. Memory for each document:
20 bytes for its digest, the key of one band and what finds equal ones, then for each candidate its signature and 24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from workbench_plugins.filters.document_groups import BATCH_ROWS, column_of, columns_of, dropped, members, num_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    Labels = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int64]

GATHERED = 1 << 17  # documents that are looked up at a time


@dataclass(frozen=True)
class Clusters:
    """What belongs together.

    Attributes:
        candidates: The digests of the candidates, in increasing order.
        signatures: uint8 (candidates, permutations).
        roots: For each candidate the first of its cluster.
    """

    candidates: Labels
    signatures: npt.NDArray[np.uint8]
    roots: Places


def cluster(sketches: pl.LazyFrame, bands: list[str], num_permutations: int, least_equal: int) -> Clusters:
    """Return the connected components of all pairs that share a bucket and agree in `least_equal` places or more."""
    rows = num_rows(sketches)
    digests = column_of(sketches, "digest", rows)
    is_item = _first_of_each(digests)
    is_candidate = np.zeros(rows, dtype=np.bool_)
    for keys in columns_of(sketches, bands, rows):
        in_bucket, starts = _buckets(keys, is_item)
        shares = ~starts
        shares[:-1] |= ~starts[1:]
        is_candidate[in_bucket[shares]] = True
    stand_ins = np.flatnonzero(is_candidate)
    stand_ins = stand_ins[np.argsort(digests[stand_ins])]
    candidates = digests[stand_ins]
    del is_item, is_candidate, digests
    signatures = np.empty((candidates.size, num_permutations), dtype=np.uint8)
    _fill(signatures, sketches, stand_ins)
    roots = np.arange(candidates.size, dtype=np.int64)
    if candidates.size:
        for keys in columns_of(sketches, bands, rows):
            _join(keys[stand_ins], signatures, least_equal, roots)
    while (roots[roots] != roots).any():  # until every item points at the first of its cluster
        roots = roots[roots]
    return Clusters(candidates, signatures, roots)


def dropped_with_similarity(sketches: pl.LazyFrame, clusters: Clusters, order: dict[str, bool]) -> pl.DataFrame:
    """Return `id`, `duplicate_of` and `equal` (places in which the signatures agree) of all but the best of each."""
    labels = column_of(sketches, "digest", num_rows(sketches))
    for start in range(0, labels.size, GATHERED):
        some = labels[start : start + GATHERED]
        places, found = _places(clusters.candidates, some)
        some[found] = clusters.candidates[clusters.roots[places[found]]]
    drops = [pl.DataFrame(schema={"id": pl.String, "duplicate_of": pl.String, "equal": pl.UInt16})]
    for group in members(sketches, labels, ["id", "digest", *order]):
        for part in dropped(group, [], order, "digest"):
            equal = pl.Series("equal", _equal(clusters, part))
            drops.append(part.select("id", "duplicate_of", equal))
    return pl.concat(drops)


def _equal(clusters: Clusters, drops: pl.DataFrame) -> npt.NDArray[np.uint16]:
    """Return in how many places the signatures of each dropped document and of the one that stays agree."""
    from workbench_plugins.filters.minhash_kernel import agreements

    ones, is_one = _places(clusters.candidates, drops["digest"].to_numpy())
    others, is_other = _places(clusters.candidates, drops["digest_kept"].to_numpy())
    equal = np.full(drops.height, clusters.signatures.shape[1], dtype=np.uint16)  # the same signature
    differ = np.flatnonzero(is_one & is_other & (ones != others))
    between = np.empty(differ.size, dtype=np.uint16)
    agreements(ones[differ], others[differ], clusters.signatures, between)
    equal[differ] = between
    return equal


def _buckets(keys: Labels, wanted: npt.NDArray[np.bool_]) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return wanted rows with those of equal keys next to each other, and where another key starts.

    Rows that are certain to be alone with their key are left out before anything is sorted.
    """
    from workbench_plugins.filters.minhash_kernel import crowded

    counts = np.zeros(1 << max(10, int(2 * keys.size).bit_length()), dtype=np.uint8)  # 2 to 4 bytes for each row
    rows = crowded(keys, wanted, counts)
    order = np.argsort(keys[rows])
    rows = rows[order]
    ordered = keys[rows]
    starts = np.ones(rows.size, dtype=np.bool_)
    starts[1:] = ordered[1:] != ordered[:-1]
    return rows, starts


def _first_of_each(digests: Labels) -> npt.NDArray[np.bool_]:
    """Return which documents stand for all with their digest."""
    rows, starts = _buckets(digests, np.ones(digests.size, dtype=np.bool_))
    is_first = np.ones(digests.size, dtype=np.bool_)
    is_first[rows] = starts
    return is_first


def _places(candidates: Labels, digests: Labels) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return the place of each digest among the candidates, and whether it is one."""
    if not candidates.size:
        return np.zeros(digests.size, dtype=np.int64), np.zeros(digests.size, dtype=np.bool_)
    places = np.minimum(np.searchsorted(candidates, digests), candidates.size - 1)
    return places, candidates[places] == digests


def _fill(signatures: npt.NDArray[np.uint8], sketches: pl.LazyFrame, rows: Places) -> None:
    """Fill `signatures` with those of the documents in `rows`, in that order, read batch by batch."""
    if not rows.size:
        return
    wanted = np.zeros(num_rows(sketches), dtype=np.bool_)
    wanted[rows] = True
    order = np.argsort(rows)  # of the candidates, as they come in the sketches
    place, filled = 0, 0
    for batch in sketches.select("signature").collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        chosen = batch["signature"].filter(pl.Series(wanted[place : place + batch.height]))
        place += batch.height
        part = np.frombuffer(b"".join(chosen), dtype=np.uint8).reshape(chosen.len(), signatures.shape[1])
        signatures[order[filled : filled + chosen.len()]] = part
        filled += chosen.len()


def _join(keys: Labels, signatures: npt.NDArray[np.uint8], least_equal: int, roots: Places) -> None:
    """Join the candidates of every bucket of one band."""
    from workbench_plugins.filters.minhash_kernel import join_buckets

    members = np.argsort(keys, kind="stable").astype(np.int64)
    ordered = keys[members]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, members.size).astype(np.int64)
    join_buckets(members, ends, signatures, least_equal, roots)
