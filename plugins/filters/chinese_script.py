"""Simplified and traditional Chinese, converted by the dictionaries of OpenCC."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import polars as pl

from workbench.api import Field, RewriteFilter, Rewritten

HAN = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
KANA = "[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]"
HANGUL = "[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]"
Direction = Literal["s2t", "t2s", "s2tw", "tw2s", "s2twp", "tw2sp", "s2hk", "hk2s"]


class ChineseScript(RewriteFilter):
    """Write Chinese in one script: `t2s` to simplified, `s2t` to traditional, variants for Taiwan and Hong Kong.

    `s2twp` and `tw2sp` change words of the region too (`软件` and `軟體`). Conversion goes by phrases where they are
    known (`头发` to `頭髮`, `发展` to `發展`). A document counts as Chinese when it holds at least `min_han` Han
    characters and its kana and hangul are at most `max_other` of its Han, kana and hangul; any other is left alone, so
    Japanese keeps its shapes. Runs of Latin text in a Chinese document are not touched by any dictionary.

    The edits counted are `converted` (characters that differ, and those added or removed by phrases) and `not_chinese`
    (1 for a document with Han characters that was left alone).
    """

    version: ClassVar[int] = 1
    to: Direction = Field("t2s", description="from which script to which")
    min_han: int = Field(1, ge=1, description="Han characters a document needs to count as Chinese")
    max_other: float = Field(0.05, ge=0, le=1, description="share of kana and hangul that Chinese may hold")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch in one script, and the counts of edits."""
        text = batch["text"]
        han = text.str.count_matches(HAN).fill_null(0)
        other = text.str.count_matches(f"{KANA}|{HANGUL}").fill_null(0)
        is_chinese = (han >= self.min_han) & (other <= self.max_other * (han + other))
        rows = is_chinese.arg_true()
        converted = pl.zeros(len(text), dtype=pl.UInt32, eager=True)
        if rows.len():
            old = text.gather(rows)
            new = convert(old.to_list(), self.to)
            counts = [_num_changed(before, after) for before, after in zip(old, new, strict=True)]
            text = text.scatter(rows, pl.Series(new, dtype=pl.String))
            converted = converted.scatter(rows, pl.Series(counts, dtype=pl.UInt32))
        edits = pl.DataFrame({"converted": converted, "not_chinese": (~is_chinese & (han > 0)).cast(pl.UInt32)})
        return Rewritten(batch.with_columns(text.alias("text")), edits)


def convert(texts: list[str], direction: Direction) -> list[str]:
    """Return the texts in the script that `direction` leads to."""
    from opencc import OpenCC

    converter: Any = OpenCC(direction)
    # NUL ends a string of the library; pieces between are converted by themselves.
    return ["\x00".join(converter.convert(piece) for piece in text.split("\x00")) for text in texts]


def _num_changed(before: str, after: str) -> int:
    """Return how many places differ; for another length, at least by how much that differs.

    >>> _num_changed("发展", "發展"), _num_changed("软件", "軟體")
    (1, 2)
    """
    if before == after:
        return 0
    differing = sum(1 for old, new in zip(before, after, strict=False) if old != new)
    return max(differing, 1) + abs(len(before) - len(after)) if len(before) != len(after) else differing
