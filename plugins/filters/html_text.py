"""Main text out of HTML, by trafilatura (see docs/decisions/0016)."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

import polars as pl

from workbench.api import Field, RewriteFilter, Rewritten

# What HTML begins with, or holds in plenty; a text that merely speaks of tags has neither.
# A comment is read once and never given back: with n of them in a row there would be 2ⁿ ways to part them.
_BEGINS = re.compile(
    r"\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?>.{0,2000}?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_ELEMENT = re.compile(
    r"<(?:html|head|body|div|p|span|table|article|section|ul|h[1-6]|br|a\s+href)\b[^<>]*>", re.IGNORECASE
)
_ENOUGH_ELEMENTS = 3
_LOOK_CHARACTERS = 16 << 10


class HtmlText(RewriteFilter):
    """Replace HTML by its main text: what a reader came for, without navigation, advertisements and footers.

    A text that is no HTML stays as it is, so one chain serves pages and plain text. Where nothing is found the
    document is dropped as `no-main-text`; a page over `max_characters` is dropped as `page-too-long`, unread, because
    its tree would take many times its size in memory. `favor` moves the balance: `precision` takes less,
    `recall` more. The edits counted are `extracted`, `not_html`, `no_main_text` and `too_long` (1 or 0 each).
    """

    version: ClassVar[int] = 1
    favor: Literal["balance", "precision", "recall"] = Field("balance", description="take less or more")
    comments: bool = Field(False, description="keep the comments of readers")
    tables: bool = Field(True, description="keep the text of tables")
    fallback: bool = Field(False, description="ask jusText and readability too where little is found; slower")
    max_characters: int = Field(5_000_000, ge=1000, description="longest page that is looked at")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with main texts, and what was done to each document."""
        texts: list[str | None] = []
        edits: dict[str, list[int]] = {name: [] for name in ("extracted", "not_html", "no_main_text", "too_long")}
        options = self._options()
        for text in batch["text"]:
            found, kind = self._main_text(text, options)
            texts.append(found)
            for name, counts in edits.items():
                counts.append(int(name == kind))
        counted = pl.DataFrame(edits, schema=dict.fromkeys(edits, pl.UInt32))
        return Rewritten(batch.with_columns(pl.Series("text", texts, pl.String)), counted)

    def rules(self) -> dict[str, pl.Expr]:
        """Drop pages without a main text, and those that were too long to look at."""
        return {"no-main-text": pl.col("no_main_text") > 0, "page-too-long": pl.col("too_long") > 0}

    def _options(self) -> dict[str, Any]:
        return {
            "include_comments": self.comments,
            "include_tables": self.tables,
            "favor_precision": self.favor == "precision",
            "favor_recall": self.favor == "recall",
            "fast": not self.fallback,
        }

    def _main_text(self, text: str | None, options: dict[str, Any]) -> tuple[str | None, str]:
        if text is None or not is_html(text):
            return text, "not_html"
        if len(text) > self.max_characters:
            return text, "too_long"
        found = extract_main_text(text, options)
        return (found, "extracted") if found else (text, "no_main_text")


def is_html(text: str) -> bool:
    """Return whether a text is HTML: it begins like a page, or its head holds at least three ordinary elements.

    >>> is_html("<!DOCTYPE html><p>a"), is_html("in HTML, <p> begins a paragraph")
    (True, False)
    """
    head = text[:_LOOK_CHARACTERS]
    if "<" not in head:
        return False
    return bool(_BEGINS.match(head)) or sum(1 for _ in _ELEMENT.finditer(head)) >= _ENOUGH_ELEMENTS


def extract_main_text(page: str, options: dict[str, Any]) -> str:
    """Return the main text of a page, empty when there is none; `options` are those of `trafilatura.extract`."""
    import logging

    from trafilatura import extract

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without text is a count here, no message
    # NUL and its like end the parser's text; they carry none.
    cleaned = page.translate(_CONTROLS) if _HAS_CONTROL.search(page) else page
    return (extract(cleaned, **options) or "").strip()


_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_HAS_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
