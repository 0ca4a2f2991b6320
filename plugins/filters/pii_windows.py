"""Where numbers stand: six digits or more with at most three other characters between two of them.

Telephone, card, social security and identity numbers are all such, so their patterns look there and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

NUMBERS = re.compile(r"[0-9](?:[^0-9\n]{0,3}[0-9]){5,}")
BEFORE = 2  # a plus and a bracket
BEHIND = 16  # an extension (` ext. 12345`), and what must not follow a number


@lru_cache(maxsize=1)
def number_windows(text: str) -> tuple[tuple[int, int], ...]:
    """Return start and end of each window; the last text is remembered, because several entities ask for it in turn.

    >>> number_windows("call +1 (415) 555-2671, room 12")
    ((4, 31),)
    """
    found = [match.span() for match in NUMBERS.finditer(text)]
    following = [start for start, _ in found[1:]] + [len(text)] * bool(found)
    return tuple(
        (max(0, start - BEFORE), min(end + BEHIND, behind))
        for (start, end), behind in zip(found, following, strict=True)
    )


def search_numbers(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern that needs six digits, in the windows alone; looking back reaches beyond them."""
    for start, end in number_windows(text):
        yield from pattern.finditer(text, start, end)
