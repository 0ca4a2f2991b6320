"""Numbers are looked for where six digits stand together, and nothing is lost by it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from workbench_plugins.filters.pii_accounts import SSN
from workbench_plugins.filters.pii_numbers import CARD, CN_ID
from workbench_plugins.filters.pii_phone import CN_MOBILE, INTERNATIONAL, SHAPE
from workbench_plugins.filters.pii_windows import search_numbers

PARTS = [
    "1",
    "23",
    "456",
    "7890",
    "+",
    "00",
    "(",
    ")",
    " ",
    "-",
    ".",
    "/",
    " ext. ",
    "转",
    "x",
    "a",
    ", ",
    "\n",
    "号",
    "X",
    "1x",
]


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
def test_windows_lose_nothing(text):
    """Every pattern that needs six digits finds in the windows what it finds in the whole text."""
    for pattern in (SSN, CARD, CN_ID, CN_MOBILE, INTERNATIONAL, SHAPE):
        assert [match.span() for match in search_numbers(pattern, text)] == [
            match.span() for match in pattern.finditer(text)
        ]
