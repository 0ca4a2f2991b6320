"""Telephone numbers: international ones, Chinese mobile ones, and national ones in the regions of the settings.

phonenumbers (a port of Google's libphonenumber) knows which numbers exist; its own search through text is slow and
takes many plain numbers for telephones, so candidates are found here, by how people write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from workbench_plugins.filters.pii_spans import Span

# Not inside a longer number, a decimal, a date, a word or an identifier.
BEFORE = r"(?<![0-9A-Za-z_+])(?<![0-9][.,\-/:])"
AFTER = r"(?![0-9A-Za-z_])(?![.,\-/:][0-9])"
CN_MOBILE = re.compile(BEFORE + r"1[3-9][0-9](?:[0-9]{8}|[ \-][0-9]{4}[ \-][0-9]{4})" + AFTER)
# + or 00, a country, then 6 to 14 digits in groups.
INTERNATIONAL = re.compile(r"(?<![0-9A-Za-z_+])(?<![0-9][.,\-])(?:\+ ?|00)[1-9](?:[ .\-/]?\(?[0-9]\)?){6,16}(?![0-9])")
# A trunk zero, an area in parentheses or groups with separators: what sets a number apart from a plain one.
NATIONAL = re.compile(
    BEFORE
    + r"(?:1[ .\-]?)?(?:\([0-9]{2,5}\) ?|0[0-9]{1,4}[ .\-]|[0-9]{3,4}[ .\-])[0-9]{2,8}(?:[ .\-][0-9]{2,8}){0,3}"
    + AFTER
)
EXTENSION = re.compile(r" ?(?:ext\.?|x|转|分机) ?[0-9]{1,5}(?![0-9A-Za-z])", re.IGNORECASE)


def find_phones(text: str, regions: tuple[str, ...]) -> Iterator[Span]:
    """Yield telephone numbers."""
    for match in CN_MOBILE.finditer(text):
        yield Span(match.start(), match.end(), "phone")
    for match in INTERNATIONAL.finditer(text):
        end = longest_number(match.group())
        if end:
            yield with_extension(text, match.start(), match.start() + end)
    if regions:
        for match in NATIONAL.finditer(text):
            if is_phone(match.group(), regions):
                yield with_extension(text, match.start(), match.end())


def with_extension(text: str, start: int, end: int) -> Span:
    """Return the span of a number together with the extension that may follow it."""
    extension = EXTENSION.match(text, end)
    return Span(start, extension.end() if extension else end, "phone")


def longest_number(candidate: str) -> int:
    """Return how many characters of an international candidate are a number; a group too many is left out."""
    end = len(candidate)
    while end:
        if is_phone(candidate[:end], ()):
            return end
        end = max(candidate.rfind(separator, 0, end) for separator in " .-/(")
        end = max(end, 0)
    return 0


@lru_cache(maxsize=8192)
def is_phone(candidate: str, regions: tuple[str, ...]) -> bool:
    """Return whether the number can be dialled: anywhere when it begins with + or 00, else in one of the regions."""
    import phonenumbers

    number = "+" + candidate[2:] if candidate.startswith("00") else candidate
    for region in regions or (None,):
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return True
    return False
