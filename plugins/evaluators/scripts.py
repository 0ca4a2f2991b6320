"""Which script a text is mostly written in, for corpora whose languages nobody has named."""

from __future__ import annotations

import polars as pl

SCRIPTS = {
    "Latin": r"\p{Latin}",
    "Chinese": r"\p{Han}",
    "kana": r"[\p{Hiragana}\p{Katakana}]",
    "Hangul": r"\p{Hangul}",
    "Cyrillic": r"\p{Cyrillic}",
    "Greek": r"\p{Greek}",
    "Arabic": r"\p{Arabic}",
    "Hebrew": r"\p{Hebrew}",
    "Devanagari": r"\p{Devanagari}",
    "Thai": r"\p{Thai}",
}
NO_LETTERS = "no letters"


def scripts(texts: pl.Series) -> list[str]:
    """Return the script with the most letters of each text, the earlier in the table on a tie.

    >>> scripts(pl.Series(["用Python写代码和文章", "naïve", "3.14"]))
    ['Chinese', 'Latin', 'no letters']
    """
    counts = pl.DataFrame({"text": texts}).select(
        pl.col("text").str.count_matches(pattern).alias(name) for name, pattern in SCRIPTS.items()
    )
    names = list(SCRIPTS)
    return [names[row.index(max(row))] if max(row) else NO_LETTERS for row in counts.iter_rows()]
