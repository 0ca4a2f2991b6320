"""The compiled part of the rules of C4: each line of a text judged, and the text that is left.

A line is copied without its citation marks, as code points; all rules look at the copy. What is kept is written as
UTF-8 into one buffer for the whole batch.
"""
# ruff: noqa: C901, PLR2004, PLR0912, PLR0913, PLR0917, FBT001 - UTF-8 is defined by these numbers; compiled code takes no keywords

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import compiled, inner
from workbench_plugins.filters.repetition_kernel import MARK, SEPARATING, SPACE, TERMINAL, UNSPACED, decode

DIGIT, QUOTE, BREAK = 32, 64, 128  # further bits of a class: a decimal digit, a closing quote, the end of a line

# What became of a line; the first five are counted as edits.
LONG_WORD, NO_END, FEW_WORDS, JAVASCRIPT, POLICY, CITATION = 0, 1, 2, 3, 4, 5
SENTENCES, LOREM, CURLY = 6, 7, 8
NUM_COLUMNS = 9
KEPT = -1

LONGEST_WORD, FEWEST_WORDS = 1000, 3


def ascii_codes(phrases: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """Return the code points of small ASCII letters of each phrase."""
    return tuple(np.array([ord(letter) for letter in phrase], dtype=np.int32) for phrase in phrases)


LOREM_IPSUM, SCRIPT = ascii_codes(("lorem ipsum", "javascript"))
EDIT, NEEDED = ascii_codes(("edit]", "citation needed]"))
POLICIES = ascii_codes(
    ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
)


@inner
def citation_length(content: np.ndarray, place: int, end: int, classes: np.ndarray) -> int:
    """Return the bytes of the citation mark (`[12]`, `[]`, `[edit]`, `[citation needed]`) that begins here, or 0."""
    for phrase in (EDIT, NEEDED):
        if place + 1 + len(phrase) <= end:
            same = True
            for at in range(len(phrase)):
                if content[place + 1 + at] != phrase[at]:
                    same = False
                    break
            if same:
                return 1 + len(phrase)
    at = place + 1
    while at < end:
        if content[at] == 0x5D:
            return at + 1 - place
        point, size = decode(content, at)
        if not classes[point] & DIGIT:
            return 0
        at += size
    return 0


@inner
def contains(line: np.ndarray, length: int, phrase: np.ndarray) -> bool:
    """Return whether the phrase of small ASCII letters stands in the line, in any case."""
    for start in range(length - len(phrase) + 1):
        for at in range(len(phrase)):
            point = line[start + at]
            if 65 <= point <= 90:
                point += 32
            if point != phrase[at]:
                break
        else:
            return True
    return False


@inner
def count_sentences(line: np.ndarray, length: int, classes: np.ndarray) -> int:
    """Return the sentences of a line: what `.`, `!` or `?` before a space ends, or `。`, `！` or `？` anywhere."""
    count, filled = 0, False
    for place in range(length):
        point = line[place]
        if not classes[point] & SPACE:
            filled = True
        is_end = point in (0x3002, 0xFF01, 0xFF1F)
        if point in (0x2E, 0x21, 0x3F) and place + 1 < length:
            is_end = classes[line[place + 1]] & SPACE != 0
        if is_end and filled:
            count += 1
            filled = False
    return count + filled


@inner
def judge_line(
    content: np.ndarray, start: int, end: int, classes: np.ndarray, by_spaces: bool, line: np.ndarray, row: np.ndarray
) -> tuple[int, int]:
    """Return what becomes of the line in these bytes (blanks at its ends cut off), and how long its copy is."""
    words = characters = length = 0
    filled = alone = False
    place = start
    while place < end:  # words, of the line with its citation marks
        point, size = decode(content, place)
        kind = classes[point]
        if kind & SPACE:
            characters, filled, alone = 0, False, False
        elif not by_spaces and kind & UNSPACED:
            words, characters, filled, alone = words + 1, 1, False, True
        elif not (alone and kind & MARK):
            if not filled and (by_spaces or not kind & SEPARATING):
                words, filled = words + 1, True
            alone = False
        characters += not kind & SPACE
        if characters > LONGEST_WORD:
            return LONG_WORD, 0
        place += size
    place = start
    while place < end:
        if content[place] == 0x5B:
            cited = citation_length(content, place, end, classes)
            if cited:
                row[CITATION] += 1
                place += cited
                continue
        point, size = decode(content, place)
        line[length] = point
        length += 1
        place += size
    last = line[length - 1] if length else 0
    ends = last in (0x2E, 0x3F, 0x21, 0x22, 0x27)
    if not by_spaces:
        ends = ends or classes[last] & (TERMINAL | QUOTE) != 0
    if length >= 3 and last == 0x2E and line[length - 2] == 0x2E and line[length - 3] == 0x2E:
        ends = False
    if not ends:
        return NO_END, 0
    if words < FEWEST_WORDS:
        return FEW_WORDS, 0
    if contains(line, length, LOREM_IPSUM):
        row[LOREM] += 1
        return KEPT, length
    if contains(line, length, SCRIPT):
        return JAVASCRIPT, 0
    for place in range(length):
        if line[place] == 0x7B:
            row[CURLY] += 1
            return KEPT, length
    for phrase in POLICIES:
        if contains(line, length, phrase):
            return POLICY, 0
    return KEPT, length


@inner
def encode(line: np.ndarray, first: int, last: int, output: np.ndarray, place: int) -> int:
    """Write code points as UTF-8 and return the place behind them."""
    for at in range(first, last):
        point = line[at]
        if point < 0x80:
            output[place] = point
            place += 1
        elif point < 0x800:
            output[place], output[place + 1] = 0xC0 | point >> 6, 0x80 | point & 0x3F
            place += 2
        elif point < 0x10000:
            output[place], output[place + 1] = 0xE0 | point >> 12, 0x80 | point >> 6 & 0x3F
            output[place + 2] = 0x80 | point & 0x3F
            place += 3
        else:
            output[place], output[place + 1] = 0xF0 | point >> 18, 0x80 | point >> 12 & 0x3F
            output[place + 2], output[place + 3] = 0x80 | point >> 6 & 0x3F, 0x80 | point & 0x3F
            place += 4
    return place


@inner
def judge_text(
    content: np.ndarray, start: int, end: int, classes: np.ndarray, by_spaces: bool, line: np.ndarray, row: np.ndarray,
    output: np.ndarray, written: int,
) -> int:  # fmt: skip
    """Judge all lines of one text, write those that stay, and return the place behind them."""
    head = written
    while start < end:
        stop = start
        while stop < end:
            point, size = decode(content, stop)
            if classes[point] & BREAK:
                break
            stop += size
        first, last, place = -1, start, start  # the line without the blanks at its ends
        while place < stop:
            point, size = decode(content, place)
            if not classes[point] & SPACE:
                first, last = place if first < 0 else first, place + size
            place += size
        if first >= 0:
            fate, length = judge_line(content, first, last, classes, by_spaces, line, row)
            if fate >= 0:
                row[fate] += 1
            else:
                row[SENTENCES] += count_sentences(line, length, classes)
                if written > head:
                    output[written] = 0x0A
                    written += 1
                written = encode(line, 0, length, output, written)
        start = stop + (decode(content, stop)[1] if stop < end else 0)
    return written


@compiled
def judge_texts(
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    by_spaces: bool,
    counts: np.ndarray,
    output: np.ndarray,
    output_offsets: np.ndarray,
) -> None:
    """Fill the counts of each text, and the texts that are left as UTF-8 with their offsets."""
    longest = 0
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    line = np.empty(longest + 1, np.int32)
    written = 0
    for document in range(len(offsets) - 1):
        written = judge_text(
            content, offsets[document], offsets[document + 1], classes, by_spaces, line, counts[document], output,
            written,
        )  # fmt: skip
        output_offsets[document + 1] = written
