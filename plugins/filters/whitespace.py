"""White space: the same text, whoever wrote it with which editor."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from workbench.api import Field, RewriteFilter, Rewritten

LINE_ENDS = "\r\n|[\r\u000b\u000c\u0085\u2028\u2029]"
ZERO_WIDTH = "[\u200b\u2060\ufeff]"
# Blanks of one line; U+3000 opens a Chinese paragraph and is kept unless it is asked for.
NARROW = "\u00a0\u1680\u2000-\u200a\u202f\u205f"


class Whitespace(RewriteFilter):
    r"""Make white space uniform, and count what was changed.

    In this order: line ends become `\n`; zero-width spaces go; other blanks (no-break, thin, …) become spaces; a tab
    becomes a space; runs of spaces become one; blanks at the ends of lines go; more than `max_blank_lines` blank lines
    become that many; white space around the text goes. With `code`, what stands in a line stays as it is (tabs,
    indentation, runs of spaces, and the indentation of the first line): line ends, blanks at line ends and blank lines
    alone are treated.

    The edits counted are `line_ends`, `zero_width`, `blanks`, `trailing` (runs), `blank_lines` (runs).
    """

    version: ClassVar[int] = 1
    code: bool = Field(False, description="leave the inside of lines alone: source code, tables, verse")
    collapse_blanks: bool = Field(True, description="runs of blanks inside a line become one space")
    keep_indentation: bool = Field(False, description="blanks at the beginning of a line stay")
    ideographic: bool = Field(False, description="U+3000 is a blank like any other")
    zero_width: bool = Field(True, description="zero-width spaces and byte order marks go")
    max_blank_lines: int = Field(1, ge=0, le=10, description="blank lines in a row")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with uniform white space, and the counts of edits."""
        text = batch["text"]
        edits: dict[str, pl.Series] = {}
        for kind, pattern, replacement in self._passes():
            found = text.str.count_matches(pattern).fill_null(0)
            edits[kind] = found if kind not in edits else edits[kind] + found
            if found.sum():
                text = text.str.replace_all(pattern, replacement)
        text = text.str.strip_chars_end() if self._keeps_lines() else text.str.strip_chars()
        if self._keeps_lines():
            text = text.str.replace(r"\A(?:[ \t]*\n)+", "")
        counts = {kind: count.cast(pl.UInt32) for kind, count in edits.items()}
        return Rewritten(batch.with_columns(text.alias("text")), pl.DataFrame(counts))

    def _keeps_lines(self) -> bool:
        return self.code or self.keep_indentation

    def _passes(self) -> list[tuple[str, str, str]]:
        passes = [("line_ends", LINE_ENDS, "\n")]
        if self.zero_width:
            passes.append(("zero_width", ZERO_WIDTH, ""))
        if self.collapse_blanks and not self.code:
            blanks = NARROW + ("\u3000" if self.ideographic else "")
            # A lone space is most of what there is and is not matched.
            run = f"[{blanks}\t][ \t{blanks}]*| [ \t{blanks}]+"
            if self.keep_indentation:
                passes.append(("blanks", f"([^\\s])(?:{run})", "$1 "))
            else:
                passes += [("blanks", run, " "), ("blanks", "(?m)^ +", "")]
        passes.append(("trailing", "(?m)[ \t\u00a0\u3000]+$", ""))
        lines = self.max_blank_lines + 1
        passes.append(("blank_lines", "\n" * lines + "\n+", "\n" * lines))
        return passes
