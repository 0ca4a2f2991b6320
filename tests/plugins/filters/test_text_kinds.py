"""The tables of the compiled pass: where they look for characters."""

import polars as pl
from workbench_plugins.filters.text_kinds import ASSIGNED


def test_no_character_stands_outside_the_ranges_that_are_looked_at():
    """All else is unassigned or for private use, by the tables of Unicode that the patterns are matched with."""
    assigned = {point for points in ASSIGNED for point in points}
    others = pl.Series([chr(point) for point in {*range(0xD800), *range(0xE000, 0x110000)} - assigned])
    assert not others.str.contains(r"[^\p{Cn}\p{Co}]").any()
    assert pl.Series(["\U0001f600", "龥"]).str.contains(r"[^\p{Cn}\p{Co}]").all()
