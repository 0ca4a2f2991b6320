"""Unicode repair and normalisation: broken encodings, invisible characters, line ends, normal forms.

Special here: a linear scan by a Rust regular expression (490 MB per CPU-second) finds the documents that need
anything at all, and only those are touched; only mojibake and joiners, which want a look at their neighbours, are
handled by Python, line by line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl

from workbench.api import Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

# UTF-8 read as latin-1 or cp1252: a lead byte, then what a continuation byte turns into; and stray C1 controls.
CP1252 = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
MOJIBAKE = f"[\u00c2-\u00f4][\u0080-\u00bf{CP1252}]|[\u0080-\u009f]"
LINE_ENDS = "\r\n|[\r\u000b\u000c\u0085\u2028\u2029]"
CONTROL = "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufff9-\ufffb]"
BIDI = "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
PLANE_ENDS = "".join(chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000))
NONCHARACTER = f"[\ufdd0-\ufdef{PLANE_ENDS}]"
# Soft hyphen, grapheme joiner, Mongolian vowel separator, word joiner and invisible operators, deprecated format
# characters and the byte order mark go wherever they stand.
INVISIBLE = "[\u00ad\u034f\u180e\u2060-\u2064\u206a-\u206f\ufeff]"
# Zero-width space, non-joiner, joiner and tags stay where a script or an emoji needs them.
JOINERS = "[\u200b-\u200d\U000e0000-\U000e007f]"
SHAPED = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdcf\ufe70-\ufefc"  # Arabic, Syriac, Indic, …
UNSPACED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
NEEDED_OR_JOINER = re.compile(
    f"(?<=[{UNSPACED}])\u200b(?=[{UNSPACED}])"
    f"|(?<=[{SHAPED}])[\u200c\u200d]"
    f"|(?<=[{EMOJI}\ufe0f])\u200d(?=[{EMOJI}])"
    "|(?<=\U0001f3f4)[\U000e0020-\U000e007e]{2,8}\U000e007f"
    f"|({JOINERS})"
)
# Documents without any of these are in NFC already: marks, jamo, and the characters that NFC replaces outright.
MAY_COMPOSE = (
    "[\\p{M}\u0340-\u0344\u0374\u037e\u0387\u0958-\u0fb9\u1100-\u11ff\u1f71-\u1fff\u2000\u2001\u2126\u212a\u212b"
    "\u2329\u232a\u2adc\uf900-\ufaff\ufb1d-\ufb4e\U0001d15e-\U0001d1c0\U0002f800-\U0002fa1d]"
)
REMOVED = {"control": CONTROL, "bidi": BIDI, "noncharacter": NONCHARACTER, "zero_width": INVISIBLE}
SUSPICIOUS = "|".join([LINE_ENDS, JOINERS, *REMOVED.values()])


class Unicode(RewriteFilter):
    r"""Repair and normalise the characters of every document, and count what was changed.

    `repair` undoes UTF-8 that was read as latin-1 or cp1252 (`schÃ¶n`), by ftfy, line by line and only where its
    heuristics are sure. Line ends become `\n` (form feeds and U+2028 too). Removed are controls but tab, bidi
    controls, non-characters, and zero-width characters but those that Arabic and Indic shaping, line breaking in Thai
    and its neighbours, and emoji need. `form` is the normal form: NFC leaves full-width punctuation alone, NFKC makes
    it narrow.

    The edits counted are `repaired` (lines), `line_ends`, `control`, `bidi`, `noncharacter`, `zero_width`
    (characters) and `normalized` (1 for a document that changed).
    """

    version: ClassVar[int] = 1
    repair: bool = Field(True, description="undo UTF-8 that was read as latin-1 or cp1252")
    form: Literal["NFC", "NFKC"] | None = Field("NFC", description="normal form, or null to leave it")

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with `text` cleaned, and the counts of edits."""
        text, edits = batch["text"], {}
        if self.repair:
            text, edits["repaired"] = change_flagged(text, MOJIBAKE, repair_lines)
        text, removed = remove_invisible(text)
        edits |= removed
        if self.form is not None:
            text, edits["normalized"] = self._normalise(text)
        return Rewritten(batch.with_columns(text.alias("text")), pl.DataFrame(edits))

    def _normalise(self, text: pl.Series) -> tuple[pl.Series, pl.Series]:
        def change(flagged: pl.Series) -> tuple[pl.Series, pl.Series]:
            normal = flagged.str.normalize(self.form or "NFC")
            return normal, (normal != flagged).cast(pl.UInt32)

        return change_flagged(text, MAY_COMPOSE if self.form == "NFC" else "[^\u0000-\u009f]", change)


def change_flagged(
    text: pl.Series, pattern: str, change: Callable[[pl.Series], tuple[pl.Series, pl.Series]]
) -> tuple[pl.Series, pl.Series]:
    """Return the texts after `change` of those that match `pattern`, and the counts it gives, 0 for the others."""
    counts = pl.zeros(len(text), dtype=pl.UInt32, eager=True)
    rows = text.str.contains(pattern).fill_null(value=False).arg_true()
    if rows.is_empty():
        return text, counts
    changed, found = change(text.gather(rows))
    return text.scatter(rows, changed), counts.scatter(rows, found.cast(pl.UInt32))


def remove_invisible(text: pl.Series) -> tuple[pl.Series, dict[str, pl.Series]]:
    """Return the texts with uniform line ends and without characters that nobody sees, and the counts by kind."""
    counts = {kind: pl.zeros(len(text), dtype=pl.UInt32, eager=True) for kind in ("line_ends", *REMOVED)}
    rows = text.str.contains(SUSPICIOUS).fill_null(value=False).arg_true()
    if rows.is_empty():
        return text, counts
    flagged = text.gather(rows)
    for kind, pattern in {"line_ends": LINE_ENDS, **REMOVED}.items():
        found = flagged.str.count_matches(pattern)
        counts[kind] = counts[kind].scatter(rows, found)
        if found.sum():
            flagged = flagged.str.replace_all(pattern, "\n" if kind == "line_ends" else "")
    flagged, joiners = change_flagged(flagged, JOINERS, remove_joiners)
    counts["zero_width"] = counts["zero_width"].scatter(rows, counts["zero_width"].gather(rows) + joiners)
    return text.scatter(rows, flagged), counts


def remove_joiners(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the texts without the joiners that neither their script nor an emoji needs, and how many those were."""

    def judge(match: re.Match[str]) -> str:
        return "" if match.group(1) else match.group()

    cleaned = [NEEDED_OR_JOINER.sub(judge, text) for text in texts]
    changed = pl.Series(cleaned, dtype=pl.String)
    return changed, texts.str.len_chars() - changed.str.len_chars()


def repair_lines(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the texts with mojibake undone where ftfy is sure of it, and how many lines of each that was."""
    from ftfy import TextFixerConfig, fix_encoding

    config = TextFixerConfig(replace_lossy_sequences=False)
    suspicious = re.compile(MOJIBAKE)
    repaired, counts = [], []
    for text in texts:
        lines = text.split("\n")
        fixed = [fix_encoding(line, config) if suspicious.search(line) else line for line in lines]
        repaired.append("\n".join(fixed))
        counts.append(sum(old != new for old, new in zip(lines, fixed, strict=True)))
    return pl.Series(repaired, dtype=pl.String), pl.Series(counts, dtype=pl.UInt32)
