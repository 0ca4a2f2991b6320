"""The compiled part of the rules of C4: one line of a text judged, counted and, if wanted, written.

`scan_kernel` finds the lines, with what is cheap to know of each: its words, and which letters occur in it, so that
hardly any line is searched for a phrase. A line that has citation marks is judged by a copy without them.
"""
# ruff: noqa: C901, PLR2004, PLR0911 - ASCII and UTF-8 are defined by these numbers; compiled code takes no keywords

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from workbench_plugins.filters.byte_access import byte_at, decode
from workbench_plugins.filters.minhash_kernel import bare
from workbench_plugins.filters.text_kinds import (
    BRACKET,
    COOKIE_SIGN,
    CURLY,
    DIGIT,
    ENDING,
    J_SIGN,
    K_SIGN,
    LOREM_SIGN,
    PHRASES,
    PRIVACY_SIGN,
    SPACE,
    TERMS_SIGN,
)

# What became of a line, as columns of the counts of a document; the first six are edits.
FIRST_COLUMN = 18
LONG_WORD, NO_END, FEW_WORDS, JAVASCRIPT, POLICY, CITATION, SENTENCES, LOREM, BRACES = range(18, 27)
NUM_COLUMNS = 27
KEPT = -1
FEWEST_WORDS = 3


class Line(NamedTuple):
    """A line without the blanks at its ends: bytes `first` to `last`, its words and sentences, and all kinds of its characters."""

    first: int
    last: int
    words: int
    sentences: int
    is_long: bool
    kinds: int


class Lines(NamedTuple):
    """Where lines go.

    Attributes:
        wanted: Whether lines are judged at all.
        is_written: Whether those that stay are written.
        output: uint8, the texts that are left.
        places: int64[2]: where to write next; where the text of this document begins.
    """

    wanted: bool
    is_written: bool
    output: np.ndarray
    places: np.ndarray


def ascii_bytes(phrases: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """Return the bytes of phrases of small ASCII letters."""
    return tuple(np.frombuffer(phrase.encode(), dtype=np.uint8) for phrase in phrases)


LOREM_IPSUM, SCRIPT, TERMS, PRIVACY = ascii_bytes(("lorem ipsum", "javascript", "terms of use", "privacy policy"))
EDIT, NEEDED = ascii_bytes(("edit]", "citation needed]"))
COOKIES = ascii_bytes(("cookie policy", "uses cookies", "use of cookies", "use cookies"))


@bare
def judge_line(
    content: np.ndarray, line: Line, wide: np.ndarray, copy: np.ndarray, lines: Lines, counts: np.ndarray
) -> None:
    """Count what becomes of a line, and write it if it stays."""
    if line.is_long:
        counts[LONG_WORD] += 1
        return
    if line.kinds & BRACKET:
        length, citations = copy_uncited(content, line.first, line.last, wide, copy)
        if citations:
            counts[CITATION] += citations
            fate = fate_of(copy, 0, length, line.words, line.kinds | PHRASES, wide)  # `lorem[1] ipsum`
            settle(copy, 0, length, fate, count_sentences(copy, 0, length, wide), lines, counts)
            return
    fate = fate_of(content, line.first, line.last, line.words, line.kinds, wide)
    settle(content, line.first, line.last, fate, line.sentences, lines, counts)


@bare
def settle(
    text: np.ndarray, first: int, last: int, fate: int, sentences: int, lines: Lines, counts: np.ndarray
) -> None:
    """Count a judged line; write it if it stays."""
    if fate != KEPT:
        counts[fate] += 1
        if fate < CITATION:
            return
    counts[SENTENCES] += sentences
    if not lines.is_written:
        return
    place = lines.places[0]
    if place > lines.places[1]:
        lines.output[place] = 0x0A
        place += 1
    for at in range(first, last):
        lines.output[place] = text[at]
        place += 1
    lines.places[0] = place


@bare
def fate_of(text: np.ndarray, first: int, last: int, words: int, kinds: int, wide: np.ndarray) -> int:
    """Return the column that counts what becomes of a line, or `KEPT`; lines in `LOREM` and `BRACES` stay too."""
    if not ends_well(text, first, last, wide):
        return NO_END
    if words < FEWEST_WORDS:
        return FEW_WORDS
    if kinds & LOREM_SIGN and contains(text, first, last, LOREM_IPSUM):
        return LOREM
    if kinds & J_SIGN and contains(text, first, last, SCRIPT):
        return JAVASCRIPT
    if kinds & CURLY:
        return BRACES
    if kinds & TERMS_SIGN and contains(text, first, last, TERMS):
        return POLICY
    if kinds & PRIVACY_SIGN and contains(text, first, last, PRIVACY):
        return POLICY
    if kinds & K_SIGN and kinds & COOKIE_SIGN:
        for phrase in COOKIES:
            if contains(text, first, last, phrase):
                return POLICY
    return KEPT


@bare
def ends_well(text: np.ndarray, first: int, last: int, wide: np.ndarray) -> bool:
    """Return whether a line ends as a sentence does, and not with three full stops."""
    if last <= first:
        return False
    at = last - 1
    while byte_at(text, at) & 0xC0 == 0x80:
        at -= 1
    point, _ = decode(text, at)
    if point == 0x2E and last - first >= 3 and byte_at(text, last - 2) == 0x2E and byte_at(text, last - 3) == 0x2E:
        return False
    return bool(wide[point] & ENDING)


@bare
def contains(text: np.ndarray, first: int, last: int, phrase: np.ndarray) -> bool:
    """Return whether the phrase of small ASCII letters stands in the line, in any case."""
    for start in range(first, last - len(phrase) + 1):
        for at in range(len(phrase)):
            byte = byte_at(text, start + at)
            if 65 <= byte <= 90:
                byte += 32
            if byte != phrase[at]:
                break
        else:
            return True
    return False


@bare
def count_sentences(text: np.ndarray, first: int, last: int, wide: np.ndarray) -> int:
    """Return the sentences of a line: what `.`, `!` or `?` before a space ends, or `。`, `！` or `？` anywhere."""
    count, filled, place = 0, False, first
    while place < last:
        byte = byte_at(text, place)
        if byte < 0x80:
            place += 1
            filled = filled or wide[byte] & SPACE == 0
            is_end = (byte == 0x2E or byte == 0x21 or byte == 0x3F) and place < last  # noqa: PLR1714
            if is_end:
                following, _ = decode(text, place)
                is_end = wide[following] & SPACE != 0
        else:
            point, size = decode(text, place)
            place += size
            filled = filled or wide[point] & SPACE == 0
            is_end = point == 0x3002 or point == 0xFF01 or point == 0xFF1F  # noqa: PLR1714
        if is_end and filled:
            count += 1
            filled = False
    return count + filled


@bare
def copy_uncited(content: np.ndarray, first: int, last: int, wide: np.ndarray, copy: np.ndarray) -> tuple[int, int]:
    """Copy a line without its citation marks; return the bytes written and how many marks there were."""
    length, citations, place = 0, 0, first
    while place < last:
        if byte_at(content, place) == 0x5B:
            cited = citation_length(content, place, last, wide)
            if cited:
                citations += 1
                place += cited
                continue
        copy[length] = content[place]
        length += 1
        place += 1
    return length, citations


@bare
def citation_length(content: np.ndarray, place: int, end: int, wide: np.ndarray) -> int:
    """Return the bytes of the citation mark (`[12]`, `[]`, `[edit]`, `[citation needed]`) that begins here, or 0."""
    for phrase in (EDIT, NEEDED):
        if place + 1 + len(phrase) <= end:
            same = True
            for at in range(len(phrase)):
                if byte_at(content, place + 1 + at) != phrase[at]:
                    same = False
                    break
            if same:
                return 1 + len(phrase)
    at = place + 1
    while at < end:
        if byte_at(content, at) == 0x5D:
            return at + 1 - place
        point, size = decode(content, at)
        if wide[point] & DIGIT == 0:
            return 0
        at += size
    return 0
