"""Lines that belong to the page and not to its text: notices, buttons, menus, footers."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from workbench_plugins.filters.boilerplate_patterns import PATTERNS

from workbench.api import Field, RewriteFilter, Rewritten

MAX_LINE_CHARACTERS = 400  # furniture is short; a paragraph that quotes it is not
SEPARATORS = r"[|·•»›→>/]|\s-\s"
MIN_MENU_ITEMS = 3
MAX_ITEM_CHARACTERS = 24
TERMINAL = r"""[.!?…。！？；”"'」』）)]["”'」』）)]*$"""
HAN = "[\u3400-\u9fff]"
# The words that bind sentences; prose has a third of them, menus next to none (jusText, Pomikálek 2011, section 4).
STOP_WORDS = (
    r"\b(?:the|of|and|to|in|a|is|that|for|it|as|was|with|be|on|not|he|by|are|this|at|from|but|have|an|they|which|or|his|had|we"
    r"|there|were|been|has|their|one|if|would|so|you|all|she|her|will|when|who|i|me|my|your|its)\b"
)


class BoilerplateLines(RewriteFilter):
    """Remove lines of page furniture, in English and Chinese, and count them by kind.

    Always: cookie notices, sharing buttons, requests for JavaScript, copyright footers, navigation (phrases in
    `workbench_plugins.filters.boilerplate_patterns`, each with its reason), and menus: lines of at least three short
    items between separators (`Home | News | About`) without a sentence end. Lines over 400 characters are never
    looked at. Options, off by default because they cost text: `terminal_punctuation` keeps only lines that end as
    sentences do (C4, Raffel et al. 2020, section 2.2; Chinese marks count), `min_words` drops shorter lines (C4: 5; a
    Han character counts as a word), `min_stop_words` drops English lines with a smaller share of stop words (jusText:
    0.30). Headings fall to them too. A document that loses all its lines is dropped as `only-boilerplate`.

    The edits counted are lines: `cookies`, `sharing`, `script`, `copyright`, `navigation`, `menu`, `unfinished`,
    `short`, `few_stop_words`; and `emptied` (1 for a document that lost everything).
    """

    version: ClassVar[int] = 1
    terminal_punctuation: bool = Field(False, description="keep only lines that end as sentences do")
    min_words: int = Field(0, ge=0, description="fewest words of a line")
    min_stop_words: float = Field(0.0, ge=0, le=1, description="least share of stop words in an English line")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch without those lines, and the counts by kind."""
        lines = (
            batch.select(pl.col("text").str.split("\n").alias("line"))
            .with_row_index("row")
            .explode("line", empty_as_null=True, keep_nulls=True)
            .with_columns(pl.col("line").str.strip_chars().alias("stripped"))
            .with_columns(pl.col("stripped").str.to_lowercase().alias("low"))
            .with_columns(self._kind().alias("kind"))
        )
        kinds = [*PATTERNS, "menu", "unfinished", "short", "few_stop_words"]
        has_text = pl.col("stripped").str.len_bytes() > 0
        kept = pl.col("kind").is_null()
        grouped = lines.group_by("row", maintain_order=True).agg(
            pl.col("line").filter(kept).str.join("\n").alias("text"),
            pl.col("line").is_null().all().alias("is_null"),
            pl.when((~kept).any() & ~(has_text & kept).any()).then(1).otherwise(0).alias("emptied"),
            *[(pl.col("kind") == kind).sum().alias(kind) for kind in kinds],
        )
        text = grouped.select(
            pl.when(~pl.col("is_null") & (pl.col("emptied") == 0)).then("text").otherwise(batch["text"])
        )
        edits = grouped.select(pl.col(*kinds, "emptied").cast(pl.UInt32))
        return Rewritten(batch.with_columns(text.to_series().alias("text")), edits)

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents of which nothing else is left."""
        return {"only-boilerplate": pl.col("emptied") > 0}

    def _kind(self) -> pl.Expr:
        """Return the kind of each line, null for text."""
        low, stripped = pl.col("low"), pl.col("stripped")
        is_short = stripped.str.len_chars().is_between(1, MAX_LINE_CHARACTERS)
        kind = pl.lit(None, pl.String)
        for name, is_kind in reversed([*_phrases(low), ("menu", _is_menu(stripped)), *self._options(stripped, low)]):
            kind = pl.when(is_kind).then(pl.lit(name)).otherwise(kind)
        return pl.when(is_short).then(kind)

    def _options(self, line: pl.Expr, low: pl.Expr) -> list[tuple[str, pl.Expr]]:
        options = []
        num_words = low.str.count_matches(r"[\p{L}\p{N}]+") + (low.str.count_matches(HAN).cast(pl.Int64) - 1).clip(0)
        if self.terminal_punctuation:
            options.append(("unfinished", ~line.str.contains(TERMINAL)))
        if self.min_words:
            options.append(("short", num_words < self.min_words))
        if self.min_stop_words:
            share = low.str.count_matches(STOP_WORDS) / num_words
            is_latin = low.str.contains("[a-z]") & ~low.str.contains(HAN)
            options.append(("few_stop_words", is_latin & (share < self.min_stop_words)))
        return options


def _phrases(low: pl.Expr) -> list[tuple[str, pl.Expr]]:
    return [(kind, low.str.contains("|".join(f"(?:{one})" for one, _ in found))) for kind, found in PATTERNS.items()]


def _is_menu(line: pl.Expr) -> pl.Expr:
    """Return whether a line is short items between separators, and no sentence; a row of a Markdown table, a path or a date is none."""
    num_items = line.str.count_matches(SEPARATORS) + 1
    short = line.str.len_chars() <= num_items * MAX_ITEM_CHARACTERS
    spaced = line.str.contains(r"\s[|·•»›→>/-]\s|[|·•»›]")
    return (
        (num_items >= MIN_MENU_ITEMS)
        & short
        & spaced
        & ~line.str.contains(TERMINAL)
        & ~line.str.contains(r"^\||[0-9=+*<]")
    )
