"""By what documents are told apart when they are counted: language, source, domain, length, register, and keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from workbench.engine.corpus.fields import field_values
from workbench.engine.corpus.speech import REGISTERS, register

PLACE = r":[^:/]*$|#\d+$"  # `data/a.jsonl:12` is line 12 of data/a.jsonl, `book.txt#3` a chapter
NONE = "(none)"  # a document that has no value
OTHER = "(other)"  # values too rare to stand by themselves
LENGTHS = (100, 300, 1000, 3000, 10_000, 30_000)  # characters at which a bucket of lengths begins
OWN = ("language", "source", "domain", "length", "register")  # axes that every corpus may have
BUCKETS = tuple(
    f"{first:,}-{last - 1:,}" if last else f"{first:,} and more"
    for first, last in zip((0, *LENGTHS), (*LENGTHS, 0), strict=True)
)
ORDERED = {"length": BUCKETS, "register": REGISTERS}  # groups that have an order of their own


def axes_of(batch: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return a column of text for each axis, null where a document has no value.

    `length` is a bucket of characters, `register` see `speech`, `source` the file without the place in it; any other
    is a column or a key of meta.
    """
    columns = [_axis(batch, key) for key in dict.fromkeys(keys)]
    return pl.DataFrame(columns) if columns else pl.DataFrame({"": [None] * batch.height}).select()


def _axis(batch: pl.DataFrame, key: str) -> pl.Series:
    if key == "length":
        return length_bucket(batch["text"]).alias(key)
    if key == "register":
        return batch.select(register(pl.col("text")).alias(key)).to_series()
    if key == "source":
        return batch["source"].str.replace(PLACE, "").alias(key)
    return pl.Series(key, field_values(batch, key), dtype=pl.String)


def length_bucket(text: pl.Series) -> pl.Series:
    """Return the bucket of the length of each text in characters, one of `BUCKETS`.

    >>> length_bucket(pl.Series(["", "x" * 99, "x" * 100, "x" * 30_000])).to_list()
    ['0-99', '0-99', '100-299', '30,000 and more']
    """
    places = np.searchsorted(LENGTHS, text.str.len_chars().to_numpy(), side="right")
    return pl.Series(text.name, BUCKETS).gather(places)


def file_names(axes: Iterable[str]) -> dict[str, str]:
    """Return for each axis a name that a file can have, no two the same.

    >>> file_names(["Web site", "主题", "体裁"])
    {'Web site': 'web-site', '主题': 'key', '体裁': 'key-2'}
    """
    names: dict[str, str] = {}
    for axis in dict.fromkeys(axes):
        plain = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in axis.lower()).split()) or "key"
        name, number = plain, 1
        while name in names.values():
            number += 1
            name = f"{plain}-{number}"
        names[axis] = name
    return names


def group_order(axis: str, counts: dict[str, int]) -> list[str]:
    """Return the groups of an axis as they are shown: by their own order, else the largest first, the rest last."""
    if axis in ORDERED:
        order = {group: place for place, group in enumerate((*ORDERED[axis], NONE, OTHER))}
        return sorted(counts, key=lambda group: order[group])
    return sorted(counts, key=lambda group: (group == OTHER, group == NONE, -counts[group], group))
