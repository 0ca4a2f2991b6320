"""The entities that `pii` knows: what a document must contain to hold one, and who finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from workbench_plugins.filters.pii_accounts import (
    find_births,
    find_credentials,
    find_handles,
    find_ibans,
    find_macs,
    find_passports,
    find_ssns,
    find_wallets,
)
from workbench_plugins.filters.pii_national import Country, find_national_ids
from workbench_plugins.filters.pii_network import find_emails, find_ips
from workbench_plugins.filters.pii_numbers import find_cards, find_cn_ids
from workbench_plugins.filters.pii_phone import find_phones
from workbench_plugins.filters.pii_spans import Span

Entity = Literal[
    "email",
    "phone",
    "ip",
    "card",
    "cn_id",
    "mac",
    "iban",
    "ssn",
    "passport",
    "url_credentials",
    "wallet",
    "birth_date",
    "handle",
    "national_id",
]
# `handle` is left out because `@name` is code, packages and titles as often as people.
DEFAULT: tuple[Entity, ...] = (
    "email",
    "phone",
    "ip",
    "card",
    "cn_id",
    "mac",
    "iban",
    "ssn",
    "passport",
    "url_credentials",
    "wallet",
    "birth_date",
)
# What a document must contain to hold an entity at all; D stands for a digit, narrow or full-width, H and W for
# hexadecimal digits and letters or digits of both widths.
MAY_HOLD: dict[str, str] = {
    "email": "[@＠]",
    "phone": "D(?:[^0-9０-９\n]{0,3}D){5}",
    "ip": "D[.．]D{1,3}[.．]D{1,3}[.．]D|[23２３]H{3}[:：]H{0,4}[:：]",
    "card": "D(?:[^0-9０-９\n]?D){11}",
    "cn_id": "D{17}[0-9Xx０-９Ｘｘ]",
    "mac": "HH[:：\\-－]HH[:：\\-－]HH|H{4}[.．]H{4}[.．]H{4}",
    "iban": "[A-Za-zＡ-Ｚａ-ｚ]{2}DD(?:[ \\-－]?W){11}",
    "ssn": "D{3}[ \\-－]DD[ \\-－]D{4}|(?i:ssn|social|社)",
    "passport": "(?i:passport|reisepass|passeport|pasaporte|паспорт|passaporto|护照|護照|パスポート|旅券|여권|جواز)",
    "url_credentials": "[:：]//[^\\s/]{3,193}[@＠]",
    "wallet": "[13][1-9A-HJ-NP-Za-km-z]{25}|bc1|0x[0-9A-Fa-f]{40}",
    "birth_date": "(?i:b\\.? ?:|dob|born|birth|gebor|geburt|né|naissance|nacid|nacimiento|родил|рождения|nat[oa]|nascimento"
    "|出生|生日|生于|生於|生年月日|誕生日|생년월일|تاريخ)",
    "handle": "[@＠]",
    "national_id": "D{5}|D{3}[. ]D{3}|D{2} D{2}|DD[A-Za-z]DD|D{4}[A-Z]",
}
# Networks of one's own do not begin with a 2 or 3.
PRIVATE_IP = "D[.．]D{1,3}[.．]D{1,3}[.．]D|[:：]H{0,4}[:：]"
PRIORITY = {
    "url_credentials": 0,
    "email": 1,
    "cn_id": 2,
    "iban": 3,
    "card": 4,
    "ssn": 5,
    "national_id": 6,
    "passport": 7,
    "birth_date": 8,
    "mac": 9,
    "ip": 10,
    "wallet": 11,
    "handle": 12,
    "phone": 13,
}
PLAIN: dict[str, Callable[[str], Iterator[Span]]] = {
    "email": find_emails,
    "card": find_cards,
    "cn_id": find_cn_ids,
    "mac": find_macs,
    "iban": find_ibans,
    "ssn": find_ssns,
    "passport": find_passports,
    "url_credentials": find_credentials,
    "wallet": find_wallets,
    "birth_date": find_births,
    "handle": find_handles,
}


@dataclass(frozen=True)
class Reading:
    """The settings that finding depends on."""

    regions: tuple[str, ...]
    countries: tuple[Country, ...]
    private_ips: bool


def find_entity(text: str, entity: str, reading: Reading) -> Iterator[Span]:
    """Yield the spans of one entity; they may overlap."""
    match entity:
        case "phone":
            return find_phones(text, reading.regions)
        case "ip":
            return find_ips(text, private=reading.private_ips)
        case "national_id":
            return find_national_ids(text, reading.countries)
    return PLAIN[entity](text)


def pattern_of(entity: str, *, private_ips: bool = False) -> str:
    """Return the regular expression that every text with such an entity matches."""
    pattern = PRIVATE_IP if private_ips and entity == "ip" else MAY_HOLD[entity]
    for short, long in (("D", "[0-9０-９]"), ("H", "[0-9A-Fa-f０-９Ａ-Ｆａ-ｆ]"), ("W", "[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]")):
        pattern = pattern.replace(short, long) if short in SHORT.get(entity, "D") else pattern
    return pattern


# Which short forms a pattern is written with; those with letters of their own take fewer.
SHORT = {
    "mac": "H",
    "ip": "DH",
    "iban": "DW",
    "wallet": "",
    "national_id": "D",
    "passport": "",
    "birth_date": "",
    "handle": "",
    "email": "",
}
