"""Personal data written so that programs miss it: `name [at] example dot com`, `1 3 8 …`, invisible characters inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench_plugins.filters.pii_spans import Span

INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
AT = r"(?: {0,2}[\[({<（【] ?(?:at|@|艾特|圈) ?[\])}>）】] {0,2}| at )"
DOT = r"(?: {0,2}[\[({<（【] ?(?:dot|\.|点) ?[\])}>）】] {0,2}| dot |\.)"
SIGN = re.compile(AT, re.IGNORECASE)
LOCAL = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9_+\-]{{0,63}}(?:{DOT}[A-Za-z0-9][A-Za-z0-9_+\-]{{0,31}}){{0,3}}\Z", re.IGNORECASE
)
DOMAIN = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}((?:{DOT}[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}){{0,4}}{DOT})([A-Za-z]{{2,24}})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
DOMAIN_WINDOW, LOCAL_WINDOW = 160, 80
SPACED_MOBILE = re.compile(
    r"1(?<![0-9A-Za-z_.\-] .)(?<![0-9A-Za-z_.\-].)(?:[ .\-·]{1,2}[0-9]|[0-9]){10}(?![0-9A-Za-z_]|[ .\-][0-9])"
)


def visible(text: str) -> tuple[str, list[int]]:
    r"""Return the text without invisible characters, and the place in the text of every character left and of its end.

    >>> visible("a\u200bb")
    ('ab', [0, 2, 3])
    """
    places = [place for place, sign in enumerate(text) if sign not in INVISIBLE]
    return "".join(text[place] for place in places), [*places, len(text)]


def find_spelled_emails(text: str) -> Iterator[Span]:
    """Yield addresses with a bracketed at, or with `at` and `dot` as words; `at` with a plain dot is a sentence."""
    for sign in SIGN.finditer(text):
        start = max(0, sign.start() - LOCAL_WINDOW)
        local = LOCAL.search(text[start : sign.start()])
        domain = DOMAIN.match(text, sign.end(), sign.end() + DOMAIN_WINDOW)
        is_word = sign.group().strip().isalpha()
        if local and domain and not (is_word and not re.search(r"dot|点", domain.group(1), re.IGNORECASE)):
            yield Span(start + local.start(), domain.end(), "email")


def find_spaced_mobiles(text: str) -> Iterator[Span]:
    """Yield Chinese mobile numbers with separators anywhere between their digits."""
    for match in SPACED_MOBILE.finditer(text):
        digits = re.sub("[^0-9]", "", match.group())
        if digits[1] in "3456789":
            yield Span(match.start(), match.end(), "phone")
