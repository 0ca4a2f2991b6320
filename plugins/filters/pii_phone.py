"""Telephone numbers: international ones, Chinese mobile ones, and national ones in the regions of the settings.

phonenumbers (a port of Google's libphonenumber) knows which numbers exist; its own search through text is slow and
takes many plain numbers for telephones, so candidates are found here, by how people write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from workbench_plugins.filters.pii_spans import Span
from workbench_plugins.filters.pii_windows import search_numbers

# What must not stand before the first digit: a longer number, a decimal, a date, a word or an identifier. It is asked
# after the digit has matched, because a pattern that begins with a plain set of characters is searched ten times faster.
BEFORE = r"(?<![0-9A-Za-z_+].)(?<![0-9][.,\-/:].)"
EXTENSION = r"(?: ?(?:ext\.?|[xX]|转|分机) ?[0-9]{1,5})?"
AFTER = EXTENSION + r"(?![0-9A-Za-z_])(?![.,\-/:][0-9])"
CN_MOBILE = re.compile(rf"1{BEFORE}[3-9][0-9](?:[0-9]{{8}}|[ \-][0-9]{{4}}[ \-][0-9]{{4}})" + AFTER)
# + or 00, a country, then 6 to 14 digits in groups.
INTERNATIONAL = re.compile(
    rf"[+0](?<![0-9A-Za-z_+].)(?<![0-9][.,\-].)(?:(?<=\+)|(?<=0)0)[1-9](?:[ .\-/]?\(?[0-9]\)?){{6,14}}{EXTENSION}(?![0-9])(?!\.[0-9])"
)
# A trunk zero, an area in parentheses or groups with separators: what sets a number apart from a plain one.
NATIONAL = re.compile(
    rf"[0-9(]{BEFORE}(?<![0-9] .)(?<![A-Za-z][.\-/].)(?:(?<=1)[ .\-]?(?:\([0-9]{{3}}\) ?|[0-9]{{3}}[ .\-])|(?<=\()[0-9]{{2,5}}\) ?"
    rf"|(?<=0)[0-9]{{1,4}}[ .\-]|(?<=[0-9])[0-9]{{2,3}}[ .\-])[0-9]{{2,8}}(?:[ .\-][0-9]{{2,8}}){{0,3}}" + AFTER
)
# What telephones look like only in part, where no word announces one: identity numbers (311-95-9973), decimals
# (522.4000000), and anything with a date in it (527 2006-07-23).
NO_TELEPHONE = re.compile(
    r"[1-9][0-9]*-[0-9]{2}-[0-9]+\Z|[0-9]{1,3}\.[0-9]+\Z|\+?[0-9]{4,}\.[0-9]+\Z|(?:.*[^0-9])?(?:19|20)[0-9]{2}([.\-/])[0-9]{2}\1[0-9]{2}(?![0-9])"
)
# Beside a word that speaks of a telephone the shape is enough: 7 to 15 digits, or 6 in groups. No two parts of it can match
# the same character: with 14 repetitions a choice would cost 2¹⁴ steps at every digit.
SHAPE = re.compile(
    r"[+(0-9](?<![0-9A-Za-z_].)(?<![0-9][.,\-/:].)(?:(?<=\+) ?\(?[0-9]|(?<=\()[0-9]|(?<=[0-9]))"
    r"(?:(?:[ .\-/]\(?|\)[ .\-/]?|\()?[0-9]){5,14}" + AFTER
)
ANNOUNCED = re.compile(
    r"(?:(?<![A-Za-z])(?:(?:tele|cell|mobile )?phone|tel|mobile|mob|cell|fax|desk|dial|call|ring|reach|answering"
    r"|messages to|text|whatsapp|wechat|sms|hotline)(?![a-rt-z])"
    r"|电话|電話|手机|手機|传真|傳真|热线|熱線|致电|拨打|联系方式|座机)[^0-9+(]{0,24}\Z",
    re.IGNORECASE,
)
BETWEEN = re.compile("[^0-9+(]*")  # read backwards from the number: what holds the word and what follows it
SHORTEST_WORD = 2
SIX = re.compile("[0-9]{6}")
CONTEXT = 40  # the longest word and what may stand between it and the number
FOLLOWED = re.compile(r" ?-? ?\(?(?:office|fax|mobile|cell|desk|direct|toll)(?![A-Za-z])", re.IGNORECASE)
CALENDAR = re.compile(
    r"(?:19|20)[0-9]{2}([.\-/ ])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])|[0-9]{1,2}([.\-/])[0-9]{1,2}\2(?:19|20)[0-9]{2}\Z"
)


def find_phones(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    """Yield telephone numbers; they may overlap."""
    for match in search_numbers(CN_MOBILE, text):
        yield Span(match.start(), match.end(), "phone")
    for match in search_numbers(INTERNATIONAL, text):
        end = 0 if NO_TELEPHONE.match(match.group()) else longest_number(match.group())
        if end:
            yield Span(match.start(), match.start() + end, "phone")
    if regions:
        for match in search_numbers(NATIONAL, text):
            if not NO_TELEPHONE.match(match.group()) and is_phone(match.group(), regions):
                yield Span(match.start(), match.end(), "phone")
    for match in search_numbers(SHAPE, text):
        if SIX.fullmatch(match.group()):
            continue
        if not CALENDAR.match(match.group()) and speaks_of_telephone(text, match.start(), match.end()):
            yield Span(match.start(), match.end(), "phone")


def speaks_of_telephone(text: str, start: int, end: int) -> bool:
    """Return whether a word beside the characters from `start` to `end` says that they are a telephone number."""
    between = BETWEEN.match(text[max(0, start - CONTEXT) : start][::-1])
    assert between, "it may be empty"
    near = start - between.end()  # a word stands behind the last digit
    return bool((start - near >= SHORTEST_WORD and ANNOUNCED.search(text[near:start])) or FOLLOWED.match(text, end))


def longest_number(candidate: str) -> int:
    """Return how many characters of an international candidate are a number; a group too many is left out."""
    end = len(candidate)
    while end > 0:
        if is_phone(candidate[:end], ()):
            return end
        end = max(candidate.rfind(separator, 0, end) for separator in " .-/(")
    return 0


@lru_cache(maxsize=8192)
def is_phone(candidate: str, regions: tuple[str, ...]) -> bool:
    """Return whether a number may be a telephone's.

    With + or 00 in front nothing else is meant, so the country must exist and the length fit; a national number must
    be one that is given out in one of the regions.
    """
    import phonenumbers

    international = candidate.startswith(("+", "00"))
    number = "+" + candidate[2:] if candidate.startswith("00") else candidate
    for region in (None,) if international else regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed) or (international and phonenumbers.is_possible_number(parsed)):
            return True
    return False
