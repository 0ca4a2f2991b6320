"""What is written instead of personal data and secrets: tag, mask, keyed hash, pseudonym; and who may drop."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b, pbkdf2_hmac
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from workbench_plugins.filters.pii_pseudonym import pseudonym

from workbench.api import EnvironmentProblem

if TYPE_CHECKING:
    from workbench_plugins.filters.pii_spans import Span

Action = Literal["tag", "mask", "hash", "pseudonym", "drop"]
REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
NARROW = {ord(wide): ord(wide) - 0xFEE0 for wide in "０１２３４５６７８９＠．＋－（）：／＿"} | {
    point: point - 0xFEE0 for point in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
OTHER = "other"
TAGGED = {"tag", "drop"}


def check_salt(salt: str | None, actions: set[str]) -> None:
    """Raise `ValueError` where the salt is no reference, is missing for `hash` or has no use."""
    if salt is not None and not REFERENCE.fullmatch(salt):
        raise ValueError("salt must be written ${env:NAME}; the key itself never stands in a pipeline")
    if ("hash" in actions) != (salt is not None):
        raise ValueError("action 'hash' needs salt: ${env:NAME}, and no other action takes one")


def key_digest(salt: str, where: str) -> str:
    """Return a slow digest of the key (PBKDF2, 200,000 rounds), so that none can be guessed from it."""
    return pbkdf2_hmac("sha256", key_of(salt, where), b"workbench " + where.encode(), 200_000).hex()[:32]


def key_of(salt: str, where: str) -> bytes:
    """Return the key of `hash` from the environment; raises `EnvironmentProblem` when it is not set."""
    matched = REFERENCE.fullmatch(salt)
    assert matched, "the settings were validated"
    key = os.environ.get(matched.group(1), "")
    if not key:
        raise EnvironmentProblem(
            f"{where}: the environment variable {matched.group(1)} is not set or empty",
            advice=f"export {matched.group(1)}=… with a long random value, and keep it",
        )
    return key.encode()


class Replacer:
    """Replace spans by the action of their entity; everything it needs from outside is read once."""

    def __init__(self, actions: Mapping[str, Action], salt: str | None, where: str) -> None:
        """Read the key when an action needs it."""
        self.actions = actions
        self.tags = {entity: f"<{entity.upper()}>" for entity, action in actions.items() if action in TAGGED}
        self.key = blake2b(key_of(salt, where)).digest() if salt is not None else b""

    def replaced(self, document: str, text: str, spans: list[Span]) -> str:
        """Return the text of the document of that id with every span replaced."""
        pieces, place = [], 0
        seen: dict[tuple[str, bytes], int] = {}
        for span in spans:
            value = text[span.start : span.end]
            pieces += [text[place : span.start], self.instead(document, span.entity, value, seen)]
            place = span.end
        return "".join([*pieces, text[place:]])

    def instead(self, document: str, entity: str, value: str, seen: dict[tuple[str, bytes], int]) -> str:
        """Return what is written for a value; `seen` holds the values that stood before it in its document."""
        if entity in self.tags:
            return self.tags[entity]
        match self.actions[entity]:
            case "mask":
                return "".join("*" if sign.isalnum() else sign for sign in value)
            case "hash":
                return f"<{entity.upper()}:{blake2b(plain(value), key=self.key, digest_size=8).hexdigest()}>"
            case "pseudonym":
                number = seen.setdefault((entity, plain(value)), len(seen))
                return pseudonym(entity, value, f"{document}\0{entity}\0{number}")
            case action:
                raise AssertionError(action)


def plain(value: str) -> bytes:
    """Return the form of a value that its hash is taken of: narrow, lower case, without separators."""
    return re.sub(r"[\s()\-\u00ad\u200b-\u200f\u2060\ufeff]", "", value.translate(NARROW)).lower().encode()


def counted(
    batch: pl.DataFrame, found: Mapping[str, Sequence[int] | np.ndarray], rows: pl.Series, languages: tuple[str, ...]
) -> pl.DataFrame:
    """Return one column of counts for each entity, or one for each entity and language: `email:zh`, `email:other`."""
    zeros = pl.zeros(len(batch), dtype=pl.UInt32, eager=True)
    counts = pl.DataFrame(
        {name: zeros.clone().scatter(rows, pl.Series(numbers, dtype=pl.UInt32)) for name, numbers in found.items()}
    )
    if not languages:
        return counts
    spoken = language_of(batch, languages)
    return counts.select(
        pl.when(spoken == language).then(pl.col(name)).otherwise(0).cast(pl.UInt32).alias(f"{name}:{language}")
        for name in counts.columns
        for language in (*languages, OTHER)
    )


def language_of(batch: pl.DataFrame, languages: tuple[str, ...]) -> pl.Series:
    """Return the language of each document: the column `language`, else that key of `meta`, else `other`."""
    if "language" in batch.columns:
        spoken = batch["language"].cast(pl.String)
    elif "meta" in batch.columns:
        spoken = batch["meta"].cast(pl.String).str.json_path_match("$.language")
    else:
        spoken = pl.Series([None] * len(batch), dtype=pl.String)
    frame = pl.DataFrame({"language": spoken})
    known = pl.col("language").is_in(list(languages)).fill_null(value=False)
    return frame.select(pl.when(known).then(pl.col("language")).otherwise(pl.lit(OTHER)).alias("language")).to_series()


def drop_rules(actions: Mapping[str, Action], languages: tuple[str, ...]) -> dict[str, pl.Expr]:
    """Return reason → expression over the counts for every entity whose documents are dropped."""
    parts = [f":{language}" for language in (*languages, OTHER)] if languages else [""]
    return {
        f"contains-{entity.replace('_', '-')}": pl.sum_horizontal(pl.col(entity + part) for part in parts) > 0
        for entity, action in actions.items()
        if action == "drop"
    }
