"""Numbers that carry their own proof: payment cards and Chinese resident identity numbers.

The two checksums stand here because they are asked for every long number; python-stdnum has the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from workbench_plugins.filters.pii_spans import Span
from workbench_plugins.filters.pii_windows import search_numbers

# A run of digits with single spaces or dashes between; not part of a longer number, decimal or word.
CARD = re.compile(r"[0-9](?<![0-9A-Za-z_].)(?<![0-9][.,\-].)(?:[ \-]?[0-9]){11,18}(?![0-9A-Za-z_])(?![.,\-][0-9])")
# Groups as they are printed on cards; a number without separators is one group.
GROUPS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (6, 13), (6, 10), (4, 4, 5)}
# Twelve digits, which only Maestro has, are a card only after one of these words.
ANNOUNCED = re.compile(r"(?:card|credit|debit|maestro|卡)[^\n]{0,40}\Z", re.IGNORECASE)
CONTEXT = 48
SHORTEST = 13
# Issuer prefixes (ISO/IEC 7812) and the lengths they come in: Visa, Mastercard, American Express, Diners, Discover,
# JCB, UnionPay, Maestro, RuPay, Mir, Troy, and the older 9558 of ICBC.
ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3[0689]"), (14, 16)),
    (re.compile(r"6011|64[4-9]|65"), (16, 19)),
    (re.compile(r"35"), (16, 19)),
    (re.compile(r"1800|2131"), (15,)),
    (re.compile(r"62|81"), (16, 17, 18, 19)),
    (re.compile(r"50|5[6-8]|6"), (12, 16, 19)),
    (re.compile(r"220[0-4]|9792"), (16, 19)),
    (re.compile(r"9558"), (16, 19)),
)
CN_ID = re.compile(r"[1-9](?<![0-9A-Za-z_].)(?<![0-9][.\-].)[0-9]{16}[0-9Xx](?![0-9A-Za-z_])(?!\.[0-9])")
# The first two digits of division codes (GB/T 2260).
PROVINCES = {
    *(11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46),
    *(50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83),
}
FIRST_YEAR, LAST_YEAR = 1850, 2100


def find_cards(text: str) -> Iterator[Span]:
    """Yield payment cards: a known issuer, a length it uses, the Luhn digit, and no separators but printed ones."""
    for match in search_numbers(CARD, text):
        groups = tuple(len(group) for group in re.split(r"[ \-]", match.group()))
        digits = re.sub(r"[ \-]", "", match.group())
        if len(digits) < SHORTEST and not ANNOUNCED.search(text[max(0, match.start() - CONTEXT) : match.start()]):
            continue
        if (len(groups) == 1 or groups in GROUPS) and is_card(digits):
            yield Span(match.start(), match.end(), "card")


def is_card(digits: str) -> bool:
    """Return whether a string of digits is the number of a card.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("0000000000000000")
    (True, False, False)
    """
    issued = any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in ISSUERS)
    return issued and has_luhn_digit(digits)


def has_luhn_digit(digits: str) -> bool:
    """Return whether the last digit is right by Luhn (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, digits[-1::-2]))
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def find_cn_ids(text: str) -> Iterator[Span]:
    """Yield Chinese resident identity numbers: a province, a date that exists, and the check character."""
    for match in search_numbers(CN_ID, text):
        if is_cn_id(match.group()):
            yield Span(match.start(), match.end(), "cn_id")


def is_cn_id(number: str) -> bool:
    """Return whether 18 characters are a resident identity number (GB 11643-1999, check by ISO 7064 MOD 11-2).

    >>> is_cn_id("11010519491231002X"), is_cn_id("110105194912310021")
    (True, False)
    """
    if int(number[:2]) not in PROVINCES or not FIRST_YEAR <= int(number[6:10]) <= LAST_YEAR:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    remainder = 0
    for digit in number[:17]:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11] == number[17].upper()
