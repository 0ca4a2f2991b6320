"""Frames of a bounded size, out of documents that come one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from workbench.api import TURNED_AWAY, BadRecord

FRAME_DOCUMENTS = 2048
FRAME_CHARACTERS = 4 << 20
COLUMNS = dict.fromkeys(("id", "text", "source", "meta", TURNED_AWAY), pl.String)
Row = tuple[str, str | None, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Document:
    """One document on its way into a frame.

    Attributes:
        id: See `workbench.api.document_id`.
        text: None or empty is a record with nothing in it, which is rejected as `empty`.
        source: The file and the place in it.
        meta: JSON values; those that are None or empty are left out.
        turned_away: Why the source does not want it (`deleted`, `generated`), in place of keeping it.
    """

    id: str
    text: str | None
    source: str
    meta: dict[str, Any] = field(default_factory=dict)
    turned_away: str | None = None


def framed(items: Iterable[Document | BadRecord]) -> Iterator[pl.DataFrame | BadRecord]:
    """Yield the documents as frames of at most 2,048 rows or about 4 million characters, bad records as they come."""
    rows: list[Row] = []
    num_characters = 0
    for item in items:
        if isinstance(item, BadRecord):
            yield item
            continue
        rows.append((item.id, item.text, item.source, _meta(item.meta), item.turned_away))
        num_characters += len(item.text or "")
        if len(rows) >= FRAME_DOCUMENTS or num_characters >= FRAME_CHARACTERS:
            yield _frame(rows)
            rows, num_characters = [], 0
    if rows:
        yield _frame(rows)


def _frame(rows: list[Row]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return frame if any(row[-1] for row in rows) else frame.drop(TURNED_AWAY)


def _meta(values: dict[str, Any]) -> str:
    kept = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)
