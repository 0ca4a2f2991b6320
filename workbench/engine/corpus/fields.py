"""What the pipeline's author calls a key of a document: a column of the corpus, or a key of its `meta`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import polars as pl

from workbench.contracts.records import DOCUMENT
from workbench.errors import PluginError, StepError

KEYS_SHOWN = 12


def field_values(batch: pl.DataFrame, key: str) -> list[str | None]:
    """Return one value of text for each document; null where it has none.

    A column of that name comes before a key of `meta`. Numbers and truth values become text; an empty text, a list
    or an object counts as none.
    """
    if key in batch.columns and key != "meta":
        return [_as_text(value) for value in batch[key].to_list()]
    return [_as_text(meta_of(value).get(key)) for value in batch["meta"].to_list()]


def sort_values(batch: pl.DataFrame, key: str) -> pl.Series:
    """Return one comparable value for each document; null where it has none.

    A column keeps its type, other than a list or a structure, which have no order. Keys of `meta` are all numbers
    (float64) or all text; truth values are numbers, an empty text is none.

    Raises:
        StepError: When values have no order, or `meta` holds numbers and text under the key.
    """
    if key in batch.columns and key != "meta":
        if batch.schema[key].is_nested():
            raise StepError(f"the column {key!r} is {batch.schema[key]}", expected="values that have an order")
        return batch[key]
    values = [meta_of(value).get(key) for value in batch["meta"].to_list()]
    given = [value for value in values if isinstance(value, (bool, int, float)) or (isinstance(value, str) and value)]
    if not given:
        return pl.Series([None] * batch.height, dtype=pl.Null)
    if all(isinstance(value, str) for value in given):
        return pl.Series([value if isinstance(value, str) and value else None for value in values], dtype=pl.String)
    if any(isinstance(value, str) for value in given):
        raise StepError(f"the values of {key!r} in meta are numbers and text", expected="one kind in every document")
    numbers = [float(value) if isinstance(value, (bool, int, float)) else None for value in values]
    return pl.Series(numbers, dtype=pl.Float64).fill_nan(None)


def field_names(batch: pl.DataFrame) -> list[str]:
    """Return the names that a key can have in this batch, for messages."""
    names = {name for name in batch.columns if name not in DOCUMENT}
    for value in batch["meta"].to_list():
        names.update(meta_of(value))
    return sorted(names)[:KEYS_SHOWN]


def meta_of(value: str | None) -> dict[str, Any]:
    """Return the content of a document's `meta`. Raises `PluginError` when it is no JSON."""
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
