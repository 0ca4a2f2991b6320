"""Values that look like the real ones and are nobody's, where a range for that exists.

A pseudonym follows from the document's id and from how many other values stood before it in the document, never from
the value: it is the same wherever the value stands in the document, and nothing of the value can be computed from it.
"""

from __future__ import annotations

import random
import re
import string
import unicodedata

from workbench_plugins.filters.pii_accounts import BASE58, BECH32

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
ISSUERS = {12: "50", 13: "4", 14: "36", 15: "34", 16: "4", 19: "4"}  # number of digits → first ones
NAMES = ("Alex", "Robin", "Sam", "Kim", "Noa", "Toni", "Sascha", "Lou")


def pseudonym(entity: str, value: str, seed: str) -> str:
    """Return another value of the entity, chosen by the seed alone and by the shape of the value.

    Ranges: example.com (RFC 2606), 198.51.100.0/24 and 2001:db8::/32 (RFC 5737, 3849), 00-00-5E-00-53 (RFC 7042),
    555-01xx of North America, 987-65-432x (never given out); check digits of cards, IBANs and resident numbers are
    right. Any other number keeps its shape, with other digits.
    """
    chance = random.Random(seed)  # noqa: S311 -- not for secrecy: nothing of the value goes into it
    return MAKERS.get(entity, _other)(value, chance)


def _letters(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.ascii_lowercase, k=count))


def _shaped(value: str, digits: str) -> str:
    """Put digits in the places of those of a value."""
    following = iter(digits)
    return "".join(next(following, "0") if sign.isdecimal() else sign for sign in value)


def _other(value: str, chance: random.Random) -> str:
    """Change every digit and letter for another of its kind."""
    kinds = (
        (str.isdecimal, string.digits),
        (str.isupper, string.ascii_uppercase),
        (str.isalnum, string.ascii_lowercase),
    )
    return "".join(next((chance.choice(signs) for is_kind, signs in kinds if is_kind(sign)), sign) for sign in value)


def _email(_value: str, chance: random.Random) -> str:
    return f"{_letters(chance, 8)}@example.{chance.choice(['com', 'org', 'net'])}"


def _ssn(value: str, chance: random.Random) -> str:
    return _shaped(value, "98765432" + str(chance.randrange(10)))


def _handle(_value: str, chance: random.Random) -> str:
    return "@" + _letters(chance, 8)


def _credentials(_value: str, chance: random.Random) -> str:
    return f"{_letters(chance, 6)}:{_letters(chance, 12)}"


def _person(_value: str, chance: random.Random) -> str:
    return f"{chance.choice(NAMES)} {chance.choice(string.ascii_uppercase)}."


def _address(value: str, chance: random.Random) -> str:
    if ":" in value or "：" in value:
        return f"2001:db8::{chance.randrange(1, 0x10000):x}:{chance.randrange(1, 0x10000):x}"
    return f"198.51.100.{chance.randrange(1, 255)}"


def _mac(value: str, chance: random.Random) -> str:
    digits = iter(f"00005e0053{chance.randrange(256):02x}")
    return "".join(next(digits) if sign.isalnum() else sign for sign in value)


def _card(value: str, chance: random.Random) -> str:
    count = sum(map(str.isdecimal, value))
    digits = ISSUERS.get(count, "62")
    digits += "".join(chance.choices(string.digits, k=count - len(digits) - 1))
    odd, even = digits[-2::-2], digits[-1::-2]
    total = sum(map(int, odd)) + sum(sum(divmod(2 * int(digit), 10)) for digit in even)
    return _shaped(value, digits + str(-total % 10))


def _iban(value: str, chance: random.Random) -> str:
    signs = [sign for sign in unicodedata.normalize("NFKC", value) if sign.isalnum()]  # full-width ones too
    country = "".join(signs[:2]).upper()
    account = _other("".join(signs[4:]).upper(), chance)
    number = int("".join(str(int(sign, 36)) for sign in account + country + "00"))
    following = iter(f"{country}{98 - number % 97:02d}{account}")
    return "".join(next(following) if sign.isalnum() else sign for sign in value)


def _resident_number(_value: str, chance: random.Random) -> str:
    digits = f"110101{chance.randrange(1950, 2005)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    digits += f"{chance.randrange(1000):03d}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[total % 11]


def _phone(value: str, chance: random.Random) -> str:
    digits = re.sub(r"\D", "", value)
    four = f"{chance.randrange(10_000):04d}"
    if re.fullmatch(r"(?:86)?1[3-9]\d{9}", digits):
        return _shaped(value, digits[: len(digits) - 11] + "1380000" + four)
    if re.fullmatch(r"1?[2-9]\d{9}", digits) and "+" not in value.replace("+1", ""):
        return _shaped(value, digits[: len(digits) - 10] + "20255501" + four[:2])
    keep = 2 if value.startswith("+") else 1
    return _shaped(value, digits[:keep] + "".join(chance.choices(string.digits, k=len(digits) - keep)))


def _date(value: str, chance: random.Random) -> str:
    year, month, day = chance.randrange(1950, 2000), chance.randrange(1, 13), chance.randrange(1, 29)
    return f"{year}年{month}月{day}日" if "年" in value else f"{year}-{month:02d}-{day:02d}"


def _wallet(value: str, chance: random.Random) -> str:
    if value.startswith("0x"):
        return "0x" + "".join(chance.choices("0123456789abcdef", k=len(value) - 2))
    signs, keep = (BECH32, 3) if value.startswith("bc1") else (BASE58, 1)
    return value[:keep] + "".join(chance.choices(signs, k=len(value) - keep))


MAKERS = {
    "birth_date": _date,
    "card": _card,
    "cn_id": _resident_number,
    "email": _email,
    "handle": _handle,
    "iban": _iban,
    "ip": _address,
    "mac": _mac,
    "person": _person,
    "phone": _phone,
    "ssn": _ssn,
    "url_credentials": _credentials,
    "wallet": _wallet,
}
