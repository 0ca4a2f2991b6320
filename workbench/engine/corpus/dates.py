"""When a document was written, from a column or a key of its meta, as Unix microseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import polars as pl

from workbench.engine.corpus.fields import meta_of
from workbench.errors import StepError

MICROSECONDS = 1_000_000
_SHORT = re.compile(r"(\d{4})(?:-(\d{2}))?\Z")  # a year, or a year and a month: their first day
_LATEST_SECONDS = 253_402_300_800  # the year 10000; beyond it a number is not of seconds


def time_of(value: Any) -> int | None:
    """Return microseconds since 1970 (UTC) of a date as text by ISO 8601, or of Unix seconds; None if it is neither.

    A date without a zone is in UTC; a year and a month stand for their first day.

    >>> time_of("1970-01-02"), time_of("1970-01-01T01:00:00+01:00"), time_of(1.5), time_of("soon")
    (86400000000, 0, 1500000, None)
    >>> time_of("1971") == time_of("1971-01") == time_of("1971-01-01T00:00:00Z")
    True
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return round(value * MICROSECONDS) if abs(value) < _LATEST_SECONDS else None
    if not isinstance(value, str):
        return None
    short = _SHORT.match(value.strip())
    try:
        found = datetime.fromisoformat(f"{short[1]}-{short[2] or '01'}-01" if short else value.strip())
    except ValueError:
        return None
    moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


def field_times(batch: pl.DataFrame, key: str) -> pl.Series:
    """Return Unix microseconds (int64) of each document from a column or key of meta; null where there is no date.

    Raises `StepError` for a column of a type that holds no dates.
    """
    if key in batch.columns and key != "meta":
        column = batch[key]
        if column.dtype.is_temporal():
            return column.cast(pl.Datetime("us")).cast(pl.Int64)
        if not (column.dtype.is_numeric() or column.dtype == pl.String):
            raise StepError(f"the column {key!r} is {column.dtype}", expected="dates, Unix seconds, or ISO 8601 text")
        values = column.to_list()
    else:
        values = [meta_of(value).get(key) for value in batch["meta"].to_list()]
    return pl.Series([time_of(value) for value in values], dtype=pl.Int64)
