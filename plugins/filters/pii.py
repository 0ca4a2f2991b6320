"""Personal data: found by shape, proved by checksum or registry, then tagged, masked, hashed, or the document dropped.

Special here: Rust regular expressions over the whole batch find the few documents that can hold an entity, and only
those meet Python. No pattern uses a word boundary, so addresses glued to Chinese text are found; every pattern is
bounded, so time is linear in the text. docs/decisions/0007-pii.md has the choices between recall and precision.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import blake2b, pbkdf2_hmac
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import polars as pl
from pydantic import model_validator
from workbench_plugins.filters.pii_network import find_emails, find_ips
from workbench_plugins.filters.pii_numbers import find_cards, find_cn_ids
from workbench_plugins.filters.pii_phone import find_phones
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import EnvironmentProblem, Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

Entity = Literal["email", "phone", "ip", "card", "cn_id"]
# What a document must contain to hold an entity at all; D stands for a digit, narrow or full-width.
MAY_HOLD = {
    "email": "[@＠]",
    "phone": "D(?:[^0-9０-９\n]{0,3}D){6}",
    "ip": "D[.．]D{1,3}[.．]D{1,3}[.．]D|:[0-9A-Fa-f]{0,4}:",
    "card": "D(?:[^0-9０-９\n]?D){11}",
    "cn_id": "D{17}[0-9Xx０-９Ｘｘ]",
}
PRIORITY = {"email": 0, "cn_id": 1, "card": 2, "ip": 3, "phone": 4}
WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠．＋－（）：]")
NARROW = {ord(wide): ord(wide) - 0xFEE0 for wide in "０１２３４５６７８９＠．＋－（）："} | {
    point: point - 0xFEE0 for point in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


class Pii(RewriteFilter):
    """Find personal data and act on it.

    `tag` writes `<EMAIL>`, `<PHONE>`, `<IP>`, `<CARD>` or `<CN_ID>`; `mask` writes `*` for every letter and digit and
    keeps the rest (`****.**@*******.***`); `hash` writes `<EMAIL:0123456789abcdef>`, 64 bits of keyed BLAKE2b over the
    value in its plain form, so that equal values stay equal; `drop` tags, and rejects the document, so what is stored
    of it holds no personal data either. The key of `hash` is the environment variable named by `salt`.
    """

    version: ClassVar[int] = 1
    entities: tuple[Entity, ...] = Field(("email", "phone", "ip", "card", "cn_id"), min_length=1)
    action: Literal["tag", "mask", "hash", "drop"] = "tag"
    salt: str | None = Field(None, description="${env:NAME}: the variable that holds the key of `hash`")
    regions: tuple[str, ...] = Field(("US", "CN", "GB"), description="where national telephone numbers are read")
    private_ips: bool = Field(False, description="also addresses of private networks and of the machine itself")
    full_width: bool = Field(True, description="read full-width digits and letters as their narrow forms")

    @model_validator(mode="after")
    def _check_salt(self) -> Self:
        if self.salt is not None and not REFERENCE.fullmatch(self.salt):
            raise ValueError("salt must be written ${env:NAME}; the key itself never stands in a pipeline")
        if (self.action == "hash") != (self.salt is not None):
            raise ValueError("action 'hash' needs salt: ${env:NAME}, and no other action takes one")
        return self

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return a slow digest of the key, so that another key gives another result and none can be guessed."""
        del base, digest
        if self.salt is None:
            return {}
        return {self.salt: pbkdf2_hmac("sha256", self._key(), b"workbench filter/pii", 200_000).hex()[:32]}

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with personal data in `text` replaced, and how many of each entity there were."""
        text = batch["text"]
        counts = {entity: pl.zeros(len(batch), dtype=pl.UInt32, eager=True) for entity in self.entities}
        held = {entity: text.str.contains(pattern_of(entity)).fill_null(value=False) for entity in self.entities}
        rows = pl.DataFrame(held).select(pl.any_horizontal(pl.all())).to_series().arg_true()
        if rows.is_empty():
            return Rewritten(batch, pl.DataFrame(counts))
        rewritten: list[str] = []
        found = {str(entity): [0] * len(rows) for entity in self.entities}
        replace = self._replacement()
        for place, row in enumerate(rows):
            document = text[row]
            spans = self.find(document, tuple(entity for entity in self.entities if held[entity][row]))
            rewritten.append(replaced(document, spans, replace))
            for span in spans:
                found[span.entity][place] += 1
        counts = {
            entity: column.scatter(rows, pl.Series(found[entity], dtype=pl.UInt32)) for entity, column in counts.items()
        }
        text = text.scatter(rows, pl.Series(rewritten, dtype=pl.String))
        return Rewritten(batch.with_columns(text.alias("text")), pl.DataFrame(counts))

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents that hold any entity, when that is the action."""
        if self.action != "drop":
            return {}
        return {f"contains-{entity.replace('_', '-')}": pl.col(entity) > 0 for entity in self.entities}

    def find(self, text: str, entities: tuple[Entity, ...] | None = None) -> list[Span]:
        """Return the spans of personal data in a text, in order and without overlaps.

        >>> Pii().find("联系邮箱zhang.wei@example.com")
        [Span(start=4, end=25, entity='email')]
        """
        if self.full_width and WIDE.search(text):
            text = text.translate(NARROW)  # one character for one, so places stay
        spans = [span for entity in entities or self.entities for span in self._find_one(text, entity)]
        return without_overlaps(spans, PRIORITY)

    def _find_one(self, text: str, entity: Entity) -> Iterator[Span]:
        match entity:
            case "email":
                return find_emails(text)
            case "phone":
                return find_phones(text, self.regions)
            case "ip":
                return find_ips(text, private=self.private_ips)
            case "card":
                return find_cards(text)
            case "cn_id":
                return find_cn_ids(text)

    def _replacement(self) -> Callable[[str, str], str]:
        """Return the function from an entity and its text to what is written instead."""
        if self.action == "mask":
            return lambda _entity, value: "".join("*" if sign.isalnum() else sign for sign in value)
        if self.action == "hash":
            key = blake2b(self._key()).digest()
            return lambda entity, value: (
                f"<{entity.upper()}:{blake2b(plain(value), key=key, digest_size=8).hexdigest()}>"
            )
        return lambda entity, _value: f"<{entity.upper()}>"

    def _key(self) -> bytes:
        """Return the key of `hash` from the environment; raises `EnvironmentProblem` when it is not set."""
        matched = REFERENCE.fullmatch(self.salt or "")
        assert matched, "the settings were validated"
        key = os.environ.get(matched.group(1), "")
        if not key:
            raise EnvironmentProblem(
                f"filter/pii: the environment variable {matched.group(1)} is not set or empty",
                advice=f"export {matched.group(1)}=… with a long random value, and keep it",
            )
        return key.encode()


def pattern_of(entity: Entity) -> str:
    """Return the regular expression that every text with such an entity matches."""
    return MAY_HOLD[entity].replace("D", "[0-9０-９]")


def plain(value: str) -> bytes:
    """Return the form of a value that its hash is taken of: narrow, lower case, without separators."""
    return re.sub(r"[\s()\-]", "", value.translate(NARROW)).lower().encode()


def replaced(text: str, spans: list[Span], replace: Callable[[str, str], str]) -> str:
    """Return the text with every span replaced."""
    pieces, place = [], 0
    for span in spans:
        pieces += [text[place : span.start], replace(span.entity, text[span.start : span.end])]
        place = span.end
    return "".join([*pieces, text[place:]])
