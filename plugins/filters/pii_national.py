"""National identity and tax numbers, proved by the check digits of python-stdnum.

A number is taken where its form alone speaks (letters in it, or printed separators) or where a word for it stands
before it; bare digits without a word never are, since one in ten or eleven passes any check digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from workbench_plugins.filters.pii_spans import Span

Country = Literal["BR", "CA", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "KR", "MX", "NL", "PL", "SE"]
EDGE, END = r"(?<![0-9A-Za-z_].)(?<![0-9][.,\-/].)", r"(?![0-9A-Za-z_])(?![.\-][0-9])"
CONTEXT = 48


@dataclass(frozen=True)
class Number:
    """How one number is written and proved.

    Attributes:
        module: Module of stdnum whose `is_valid` decides; empty when the number has no check digit.
        first: Set of characters it begins with.
        rest: Pattern of the rest.
        speaks: Pattern of the forms that need no word before them.
        words: Words that may announce it.
    """

    module: str
    first: str
    rest: str
    speaks: str
    words: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of the number in text."""
        return re.compile(f"{self.first}{EDGE}{self.rest}{END}")

    def is_valid(self, value: str) -> bool:
        """Return whether the check digits are right."""
        return not self.module or bool(import_module(f"stdnum.{self.module}").is_valid(value))


NEVER = r"(?!)"
NUMBERS: dict[str, tuple[Number, ...]] = {
    "BR": (Number("br.cpf", "[0-9]", r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}", r"[0-9.]{11}-", "cpf"),),
    "CA": (Number("ca.sin", "[1-9]", r"[0-9]{2}(?:[ \-]?[0-9]{3}){2}", NEVER, r"\bsin\b|social insurance|nas\b"),),
    "DE": (
        Number(
            "de.idnr",
            "[1-9]",
            r"[0-9](?: ?[0-9]{3}){3}",
            r"[0-9]{2} [0-9]{3} ",
            r"steuer|idnr|identifikationsnummer|tax id",
        ),
    ),
    "ES": (
        Number("es.dni", "[0-9]", r"[0-9]{7}-?[A-Za-z]", r".", "dni|nif"),
        Number("es.nie", "[XYZxyz]", r"-?[0-9]{7}-?[A-Za-z]", r".", "nie"),
    ),
    "FR": (
        Number(
            "fr.nir",
            "[12]",
            r" ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
            r".",
            "nir|sécurité sociale|insee",
        ),
    ),
    "GB": (
        Number(
            "",
            "[A-CEGHJ-PR-TW-Z]",
            r"[A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
            r".{2} [0-9]{2} ",
            r"national insurance|nino|\bni\b",
        ),
        Number("gb.nhs", "[0-9]", r"[0-9]{2}[ \-]?[0-9]{3}[ \-]?[0-9]{4}", NEVER, r"\bnhs\b"),
    ),
    "IN": (
        Number("in_.aadhaar", "[2-9]", r"[0-9]{3}(?:[ \-]?[0-9]{4}){2}", NEVER, "aadhaar|aadhar|uidai|आधार"),
        Number("in_.pan", "[A-Z]", r"[A-Z]{2}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", r".", "pan"),
    ),
    "IT": (
        Number(
            "it.codicefiscale",
            "[A-Za-z]",
            r"[A-Za-z]{5}[0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{3}[A-Za-z]",
            r".",
            "codice fiscale",
        ),
    ),
    "JP": (Number("jp.in_", "[0-9]", r"[0-9]{3}(?:[ \-]?[0-9]{4}){2}", NEVER, "マイナンバー|個人番号|my number"),),
    "KR": (Number("kr.rrn", "[0-9]", r"[0-9]{5}-?[0-9]{7}", r"[0-9]{6}-", "주민등록번호|주민번호|rrn"),),
    "MX": (Number("mx.curp", "[A-Z]", r"[A-Z]{3}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", r".", "curp"),),
    "NL": (Number("nl.bsn", "[0-9]", r"[0-9]{7,8}", NEVER, "bsn|burgerservicenummer|sofinummer"),),
    "PL": (Number("pl.pesel", "[0-9]", r"[0-9]{10}", NEVER, "pesel"),),
    "SE": (
        Number("se.personnummer", "[0-9]", r"[0-9]{5}(?:[0-9]{2})?[\-+]?[0-9]{4}", NEVER, "personnummer|person nr|pnr"),
    ),
}


def find_national_ids(text: str, countries: tuple[str, ...]) -> Iterator[Span]:
    """Yield the identity and tax numbers of some countries."""
    for country in countries:
        for number in NUMBERS[country]:
            for match in number.pattern.finditer(text):
                if _is_meant(number, text, match) and number.is_valid(match.group()):
                    yield Span(match.start(), match.end(), "national_id")


def _is_meant(number: Number, text: str, match: re.Match[str]) -> bool:
    if re.match(number.speaks, match.group()):
        return True
    before = text[max(0, match.start() - CONTEXT) : match.start()]
    return bool(re.search(rf"(?:{number.words})[^0-9\n]{{0,24}}\Z", before, re.IGNORECASE))
