"""Frames of a bounded size, out of rows with further columns: what the readers of tables hand over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
from workbench_plugins.sources.column_types import Columns

from workbench.api import TURNED_AWAY, BadRecord, StepError

BATCH_DOCUMENTS = 2048
BATCH_BYTES = 4 << 20
DOCUMENT = ("id", "text", "source", "meta")
Row = tuple[Any, ...]  # id, text, source, meta as JSON, and a value for each further column


def new_names(columns: tuple[str, ...], text: str | None) -> tuple[str, ...]:
    """Return the names of further columns. Raises `ValueError` for one that is taken, by the column `text` too."""
    for column in columns:
        if column == text or columns.count(column) > 1:
            raise ValueError(f"the column {column!r} is named twice; a value is read into one place")
        if column == TURNED_AWAY:
            raise ValueError(f"the name {column!r} is taken: it holds why a source turns documents away")
        if column in DOCUMENT:
            raise ValueError(f"every document has a column {column!r} of its own; leave it out, it is kept in meta")
    return columns


def check_once(names: list[str], name: str, where: str) -> None:
    """Raise `StepError` when the file `name` has two columns of one name."""
    twice = sorted(column for column, times in Counter(names).items() if times > 1)
    if twice:
        raise StepError(f"the column {twice[0]!r} stands twice in {name}", where=where)


def framed_rows(rows: Iterable[Row | BadRecord], columns: Columns) -> Iterator[pl.DataFrame | BadRecord]:
    """Yield the rows as frames of at most 2,048 documents or about 4 million characters, bad records as they come."""
    batch: list[Row] = []
    num_characters = 0
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        batch.append(row)
        num_characters += len(row[1] or "") + len(row[3])
        if len(batch) >= BATCH_DOCUMENTS or num_characters >= BATCH_BYTES:
            yield _frame(batch, columns)
            batch, num_characters = [], 0
    if batch:
        yield _frame(batch, columns)


def _frame(rows: list[Row], columns: Columns) -> pl.DataFrame:
    schema = {**dict.fromkeys(DOCUMENT, pl.String()), **columns.settle()}
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype)
            for (name, dtype), values in zip(schema.items(), zip(*rows, strict=True), strict=True)
        ]
    )
