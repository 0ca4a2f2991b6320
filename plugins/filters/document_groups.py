"""Groups of alike documents out of core: what is equal is found in parts, and ids are read last.

A filter that keeps one document of each group first finds a label for every document (a digest of its text, the number
of its cluster): 8 bytes each, the only thing that memory holds of all of them. Labels are compared by ranges of
`PART_ROWS` documents, and ids and what decides between documents are read for those alone that share their label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Labels = npt.NDArray[np.uint64]
    Mask = npt.NDArray[np.bool_]

PART_ROWS = 1 << 19  # documents whose labels are sorted at a time: 12 MB
GROUPED_ROWS = 1 << 19  # documents whose groups are decided at a time; each time the ids of all are read through
BATCH_ROWS = 1 << 16  # rows of the sketches in memory at a time
COLUMN_BYTES = 32 << 20  # of columns that are read together: each reading opens all sketches


def num_rows(sketches: pl.LazyFrame) -> int:
    """Return how many rows the sketches have."""
    return int(sketches.select(pl.len()).collect(engine="streaming").item())


def column_of(sketches: pl.LazyFrame, name: str, rows: int) -> Labels:
    """Return an unsigned column of the sketches as uint64[rows], in their order, read batch by batch."""
    return next(columns_of(sketches, [name], rows))


def columns_of(sketches: pl.LazyFrame, names: Sequence[str], rows: int) -> Iterator[Labels]:
    """Yield unsigned columns as `column_of` does, read as many at a time as fit into `COLUMN_BYTES`, at least one."""
    together = max(1, COLUMN_BYTES // (8 * max(1, rows)))
    for start in range(0, len(names), together):
        some = names[start : start + together]
        values = np.empty((len(some), rows), dtype=np.uint64)
        place = 0
        for batch in sketches.select(some).collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            for column, name in zip(values, some, strict=True):
                column[place : place + batch.height] = batch[name].to_numpy()
            place += batch.height
        yield from values


def rows_where(sketches: pl.LazyFrame, mask: Mask, columns: list[str]) -> pl.DataFrame:
    """Return the columns of the sketches where `mask` holds, in their order, read batch by batch."""
    found, place = [sketches.select(columns).head(0).collect()], 0
    for batch in sketches.select(columns).collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        chosen = mask[place : place + batch.height]
        place += batch.height
        if chosen.any():
            found.append(compact(batch.filter(pl.Series(chosen))))
    return pl.concat(found)


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same rows with texts of their own: filtered ones keep alive all those that they were among."""
    return pl.DataFrame(frame.to_arrow())


def parts_of_labels(labels: Labels, part_rows: int = PART_ROWS) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of labels by ranges of the label, about `part_rows` at a time, in order of the ranges."""
    parts = max(1, -(-labels.size // part_rows))
    edges = [np.uint64(part * (1 << 64) // parts) for part in range(1, parts)]
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        inside = np.ones(labels.size, dtype=np.bool_) if low is None else labels >= low
        if high is not None:
            inside &= labels < high
        yield np.flatnonzero(inside)


def members(sketches: pl.LazyFrame, labels: Labels, columns: list[str]) -> Iterator[pl.DataFrame]:
    """Yield the columns of the documents whose label is also another's, with `label`, whole groups together."""
    for rows in parts_of_labels(labels, GROUPED_ROWS):
        ordered = rows[np.argsort(labels[rows])]
        same = labels[ordered[1:]] == labels[ordered[:-1]]
        mask = np.zeros(labels.size, dtype=np.bool_)
        mask[ordered[1:][same]] = True
        mask[ordered[:-1][same]] = True
        if mask.any():
            yield rows_where(sketches, mask, columns).with_columns(label=pl.Series(labels[mask]))


def dropped(frame: pl.DataFrame, group: list[str], order: dict[str, bool], *beside: str) -> Iterator[pl.DataFrame]:
    """Yield the documents of every group but the best, with `duplicate_of`, some groups at a time, each sorted by id.

    Args:
        frame: `id`, `label` and the columns that the other arguments name.
        group: Columns beside the label that the documents of a group have in common.
        order: Column → whether the highest value is the best; nulls and not-a-numbers are worse than any value. What
            is equal in all of them goes by id, so that nothing depends on the order of shards.
        beside: Columns of which the value of the best one is wanted too, as `COLUMN_kept`.
    """
    group = ["label", *group]
    numbers = [pl.col(name).fill_nan(None) if frame.schema[name].is_float() else pl.col(name) for name in order]
    best_ones = [pl.col("id").first().alias("duplicate_of")]
    best_ones += [pl.col(name).first().alias(f"{name}_kept") for name in beside]
    for rows in parts_of_labels(frame["label"].to_numpy()):
        ordered = frame[rows].sort([*numbers, "id"], descending=[*order.values(), False], nulls_last=True)
        kept = ordered.group_by(group, maintain_order=True).agg(best_ones)
        yield compact(ordered.join(kept, on=group).filter(pl.col("id") != pl.col("duplicate_of")).sort("id"))
