"""What the pipeline's author calls a key of a document: a column of the corpus, or a key of its `meta`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import polars as pl

from workbench.contracts.records import DOCUMENT
from workbench.errors import PluginError

KEYS_SHOWN = 12


def field_values(batch: pl.DataFrame, key: str) -> list[str | None]:
    """Return one value of text for each document; null where it has none.

    A column of that name comes before a key of `meta`. Numbers and truth values become text; an empty text, a list
    or an object counts as none.
    """
    if key in batch.columns and key != "meta":
        return [_as_text(value) for value in batch[key].to_list()]
    return [_as_text(_meta(value).get(key)) for value in batch["meta"].to_list()]


def field_names(batch: pl.DataFrame) -> list[str]:
    """Return the names that a key can have in this batch, for messages."""
    names = {name for name in batch.columns if name not in DOCUMENT}
    for value in batch["meta"].to_list():
        names.update(_meta(value))
    return sorted(names)[:KEYS_SHOWN]


def _meta(value: str | None) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        meta = json.loads(value)
    except ValueError as error:
        raise PluginError(f"meta is no JSON: {error}", expected="a JSON object in the column 'meta'") from error
    return meta if isinstance(meta, dict) else {}


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, str) and value else None


def random_number(seed: int, purpose: str, key: str) -> int:
    """Return a number in [0, 2**64) that looks random and follows from the three arguments alone.

    The first 8 bytes of SHA-256, so that it is the same in every process, version and order of documents.

    >>> random_number(1, "split", "a") == random_number(1, "split", "a"), random_number(1, "split", "a") < 2**64
    (True, True)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}/{key}".encode()).digest()[:8], "big")
