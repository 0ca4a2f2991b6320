"""Documents and bad records: what a source hands over.

A document is one row of a frame with the columns `id`, `text`, `source`, `meta` (see `DOCUMENT`) and any columns
of task data beside them (`label`, `messages`, …).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import polars as pl

DOCUMENT = {"id": pl.String, "text": pl.String, "source": pl.String, "meta": pl.String}


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


@dataclass(frozen=True)
class BadRecord:
    """One record that could not be read.

    Attributes:
        file: The file as the pipeline names it.
        place: `line 12`, `byte 4096`, `member x`: where in the file.
        reason: A short slug, `invalid-json`, that counts can be made over.
        detail: One sentence with what was found.
        head: The first bytes of the record.
        digest: SHA-256 of the record's bytes, hexadecimal; empty when they could not be read.
        fatal: Whether the container is damaged, so that records after this one may be lost.
    """

    file: str
    place: str
    reason: str
    detail: str = ""
    head: bytes = b""
    digest: str = ""
    fatal: bool = False
