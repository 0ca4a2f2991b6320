"""Personal data: found by shape, proved by checksum or registry, then tagged, masked, hashed, or the document dropped.

Special here: one compiled pass over the bytes of a batch marks the few lines that can hold an entity, and only those
meet Python. No pattern uses a word boundary, so addresses glued to Chinese text are found; every pattern is
bounded, so time is linear in the text. docs/decisions/0007-pii.md has the choices between recall and precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import model_validator
from workbench_plugins.filters.pii_actions import NARROW, Action, Replacer, check_salt, counted, drop_rules, key_digest
from workbench_plugins.filters.pii_entities import DEFAULT, PRIORITY, Entity, Reading, find_entity, pattern_of
from workbench_plugins.filters.pii_hidden import INVISIBLE, find_spaced_mobiles, find_spelled_emails, visible
from workbench_plugins.filters.pii_marks import BITS, PRIVATE_IP, Marked
from workbench_plugins.filters.pii_national import Country
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠．＋－（）：／＿]")
WHERE = "filter/pii"
# What obfuscated data may hide behind, beyond what the plain patterns see.
MAY_HIDE = {"email": r"(?i:\bat\b|[@＠艾圈])", "phone": "[1１](?:[^0-9０-９\n]{0,2}[0-9０-９]){10}"}


class Pii(RewriteFilter):
    """Find personal data and act on it.

    `tag` writes `<EMAIL>`, `<PHONE>`, `<CN_ID>` and so on; `mask` writes `*` for every letter and digit and keeps the
    rest (`****.**@*******.***`); `hash` writes `<EMAIL:0123456789abcdef>`, 64 bits of keyed BLAKE2b over the value in
    its plain form, so that equal values stay equal; `pseudonym` writes another value of the same kind, the same one
    throughout the document; `drop` tags, and rejects the document, so what is stored of it holds no personal data
    either. The key of `hash` is the environment variable named by `salt`.
    """

    version: ClassVar[int] = 3
    entities: tuple[Entity, ...] = Field(DEFAULT, min_length=1)
    action: Action = "tag"
    actions: dict[Entity, Action] = Field({}, description="entity → action, where it is not `action`")
    salt: str | None = Field(None, description="${env:NAME}: the variable that holds the key of `hash`")
    regions: tuple[str, ...] = Field(("US", "CN", "GB"), description="where national telephone numbers are read")
    countries: tuple[Country, ...] = Field((), description="whose identity and tax numbers are read: `national_id`")
    private_ips: bool = Field(False, description="also addresses of private networks and of the machine itself")
    full_width: bool = Field(True, description="read full-width digits and letters as their narrow forms")
    obfuscated: bool = Field(False, description="also `name [at] example dot com`, `1 3 8 …`, invisible characters")
    languages: tuple[str, ...] = Field((), description="count these languages and the others apart (`language`)")

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        unknown = sorted(set(self.actions) - set(self.kinds))
        if unknown:
            raise ValueError(f"actions for entities that are not looked for: {', '.join(unknown)}")
        if "national_id" in self.entities and not self.countries:
            raise ValueError("the entity 'national_id' needs countries, for instance countries: [DE, KR]")
        check_salt(self.salt, set(self.action_of.values()))
        return self

    @property
    def kinds(self) -> tuple[Entity, ...]:
        """Return the entities looked for; `countries` brings `national_id`."""
        more: tuple[Entity, ...] = ("national_id",) if self.countries else ()
        return tuple(dict.fromkeys((*self.entities, *more)))

    @property
    def action_of(self) -> dict[str, Action]:
        """Return entity → action."""
        return {entity: self.actions.get(entity, self.action) for entity in self.kinds}

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return a slow digest of the key, so that another key gives another result and none can be guessed."""
        del base, digest
        return {} if self.salt is None else {self.salt: key_digest(self.salt, WHERE)}

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with personal data in `text` replaced, and how many of each entity there were."""
        marked = self._marked(batch["text"])
        rows = marked.rows
        found = {str(entity): np.zeros(len(rows), dtype=np.uint32) for entity in self.kinds}
        if rows.size:
            self._replace(marked, batch["id"].cast(pl.String).gather(rows).to_list(), found)
            batch = batch.with_columns(marked.texts().alias("text"))
        return Rewritten(batch, counted(batch, found, pl.Series(rows), self.languages))

    def _replace(self, marked: Marked, names: list[str], found: dict[str, np.ndarray]) -> None:
        """Note every replacement, and count for each of the documents, whose ids are `names`."""
        replacer = Replacer(self.action_of, self.salt, WHERE)
        entities_of = cache(lambda bits: tuple(entity for entity in self.kinds if bits & BITS[entity]))
        place, row = -1, -1
        seen: dict[tuple[str, bytes], int] = {}
        for stretch in marked.stretches():
            if stretch.row != row:
                place, row, seen = place + 1, stretch.row, {}
            for span in self._find_in(stretch.text, entities_of(stretch.entities), stretch.first):
                value = stretch.text[span.start : span.end]
                marked.replace(stretch, span.start, span.end, replacer.instead(names[place], span.entity, value, seen))
                found[span.entity][place] += 1

    def _marked(self, text: pl.Series) -> Marked:
        """Return what is to be looked at: lines, or the whole text where something hidden may stand between them."""
        wanted = sum(BITS[entity] for entity in self.kinds)
        if not self.obfuscated and not self.countries:
            return Marked(text, wanted | PRIVATE_IP * self.private_ips, narrow=self.full_width)
        held = {entity: text.str.contains(self._may_hold(entity)).fill_null(value=False) for entity in self.kinds}
        bits = pl.DataFrame(held).select(
            pl.sum_horizontal(pl.col(entity).cast(pl.Int64) * BITS[entity] for entity in held)
        )
        return Marked(text, wanted, narrow=self.full_width, whole=bits.to_series().to_numpy())

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents that hold an entity whose action that is."""
        return drop_rules(self.action_of, self.languages)

    def find(self, text: str, entities: tuple[Entity, ...] | None = None) -> list[Span]:
        """Return the spans of personal data in a text, in order and without overlaps.

        >>> Pii().find("联系邮箱zhang.wei@example.com")
        [Span(start=4, end=25, entity='email')]
        """
        return self._find_in(text, entities or self.kinds, 0)

    def _find_in(self, text: str, entities: tuple[Entity, ...], first: int) -> list[Span]:
        """Return the spans that begin at the character `first` or behind it; those before it may be cut."""
        if self.full_width and not text.isascii():
            for wide in set(WIDE.findall(text)):  # few different ones: quicker than a look at every character
                text = text.replace(wide, chr(NARROW[ord(wide)]))  # one character for one, so places stay
        if not self.obfuscated:
            spans = [span for entity in entities for span in self._find_one(text, entity) if span.start >= first]
            return without_overlaps(spans, PRIORITY)
        shown, places = visible(text)
        spans = [span for entity in entities for span in (*self._find_one(shown, entity), *_hidden(shown, entity))]
        return [
            Span(places[span.start], places[span.end - 1] + 1, span.entity)
            for span in without_overlaps(spans, PRIORITY)
        ]

    def _find_one(self, text: str, entity: Entity) -> Iterator[Span]:
        return find_entity(text, entity, Reading(self.regions, self.countries, self.private_ips))

    def _may_hold(self, entity: Entity) -> str:
        pattern = pattern_of(entity, private_ips=self.private_ips)
        if not self.obfuscated:
            return pattern
        return "|".join([pattern, *([MAY_HIDE[entity]] if entity in MAY_HIDE else []), f"[{INVISIBLE}]"])


def _hidden(text: str, entity: Entity) -> Iterator[Span]:
    if entity == "email":
        yield from find_spelled_emails(text)
    if entity == "phone":
        yield from find_spaced_mobiles(text)
