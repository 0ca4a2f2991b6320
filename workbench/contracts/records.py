"""Documents and bad records: what a source hands over.

A document is one row of a frame with the columns `id`, `text`, `source`, `meta` (see `DOCUMENT`) and any columns
of task data beside them (`label`, `messages`, …). A frame may also have the column `TURNED_AWAY`: a reason for each
document that the source itself does not want (a deleted post, a generated file), null for the others. They go to the
rejects under that reason, and the column into no corpus.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import polars as pl

from workbench.files.bad_record import BadRecord

__all__ = ["DOCUMENT", "TURNED_AWAY", "BadRecord", "document_id", "documents"]

DOCUMENT = {"id": pl.String, "text": pl.String, "source": pl.String, "meta": pl.String}
TURNED_AWAY = "turned_away"


def document_id(file_digest: str, place: str | int) -> str:
    """Return the id of the record at `place` (line, member, qualified name) in the file with this digest.

    24 hexadecimal digits of SHA-256. Equal documents at two places differ; a document that is edited later keeps it.

    >>> document_id("00", 1) == document_id("00", 1), document_id("00", 1) == document_id("00", 2)
    (True, False)
    """
    return hashlib.sha256(f"{file_digest}\x00{place}".encode()).hexdigest()[:24]


def documents(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the frame for rows with `id`, `text`, `source`, an optional dict `meta` and optional task columns."""
    for row in rows:
        row["meta"] = json.dumps(row.get("meta") or {}, ensure_ascii=False, sort_keys=True)
    return pl.DataFrame(rows, schema_overrides=DOCUMENT, infer_schema_length=None)
