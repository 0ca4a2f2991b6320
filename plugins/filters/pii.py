"""Personal data: found by shape, proved by checksum or registry, then tagged, masked, hashed, or the document dropped.

Special here: Rust regular expressions over the whole batch find the few documents that can hold an entity, and only
those meet Python. No pattern uses a word boundary, so addresses glued to Chinese text are found; every pattern is
bounded, so time is linear in the text. docs/decisions/0007-pii.md has the choices between recall and precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
from pydantic import model_validator
from workbench_plugins.filters.pii_actions import NARROW, Action, Replacer, check_salt, counted, drop_rules, key_digest
from workbench_plugins.filters.pii_entities import DEFAULT, PRIORITY, Entity, Reading, find_entity, pattern_of
from workbench_plugins.filters.pii_hidden import INVISIBLE, find_spaced_mobiles, find_spelled_emails, visible
from workbench_plugins.filters.pii_national import Country
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠．＋－（）：／＿]")
WHERE = "filter/pii"
# A text with one of these matches the pattern of telephones too.
GATE: Entity = "phone"
GATED: frozenset[Entity] = frozenset(["card", "cn_id", "ssn"])
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

    version: ClassVar[int] = 2
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
        text = batch["text"]
        held = self._held(text)
        rows = pl.DataFrame(held).select(pl.any_horizontal(pl.all())).to_series().arg_true()
        found = {str(entity): [0] * len(rows) for entity in self.kinds}
        if rows.is_empty():
            return Rewritten(batch, counted(batch, found, rows, self.languages))
        rewritten: list[str] = []
        replacer = Replacer(self.action_of, self.salt, WHERE)
        documents = zip(batch["id"].cast(pl.String).gather(rows), text.gather(rows), strict=True)
        holds = [held[entity].gather(rows).to_list() for entity in self.kinds]
        for place, (name, document) in enumerate(documents):
            entities = tuple(entity for entity, held_by in zip(self.kinds, holds, strict=True) if held_by[place])
            spans = self.find(document, entities)
            rewritten.append(replacer.replaced(str(name), document, spans))
            for span in spans:
                found[span.entity][place] += 1
        text = text.scatter(rows, pl.Series(rewritten, dtype=pl.String))
        return Rewritten(batch.with_columns(text.alias("text")), counted(batch, found, rows, self.languages))

    def _held(self, text: pl.Series) -> dict[str, pl.Series]:
        """Return entity → whether each text may hold it; numbers are looked for where six digits stand together."""
        if not {GATE, *GATED} & set(self.kinds):
            return {entity: text.str.contains(self._may_hold(entity)).fill_null(value=False) for entity in self.kinds}
        gate = text.str.contains(self._may_hold(GATE)).fill_null(value=False)
        numbered = gate.arg_true()
        held = {}
        for entity in self.kinds:
            if entity == GATE:
                held[str(entity)] = gate
            elif entity in GATED:
                inside = text.gather(numbered).str.contains(self._may_hold(entity))
                held[entity] = pl.zeros(len(text), dtype=pl.Boolean, eager=True).scatter(numbered, inside)
            else:
                held[entity] = text.str.contains(self._may_hold(entity)).fill_null(value=False)
        return held

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents that hold an entity whose action that is."""
        return drop_rules(self.action_of, self.languages)

    def find(self, text: str, entities: tuple[Entity, ...] | None = None) -> list[Span]:
        """Return the spans of personal data in a text, in order and without overlaps.

        >>> Pii().find("联系邮箱zhang.wei@example.com")
        [Span(start=4, end=25, entity='email')]
        """
        if self.full_width and not text.isascii():
            for wide in set(WIDE.findall(text)):  # few different ones: quicker than a look at every character
                text = text.replace(wide, chr(NARROW[ord(wide)]))  # one character for one, so places stay
        entities = entities or self.kinds
        if not self.obfuscated:
            return without_overlaps([span for entity in entities for span in self._find_one(text, entity)], PRIORITY)
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
