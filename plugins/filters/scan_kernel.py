"""The one pass over the characters of a text that all quality filters share.

It finds words, lines and the signs that rules count, and leaves tables for the rest: `prefixes` of a hash over the
characters of all words, where each word ends among them, and where each line ends. Whatever the rules ask of words,
runs of words and lines is then answered from these tables.

Words are hashed by a polynomial modulo 2⁶⁴ over code points: `prefixes[k]` is Σ (point + 1)·C^i over the first k
characters of words, C the inverse of an odd B, so (prefixes[b] - prefixes[a])·B^a depends on the characters from a to
b alone. A run of words has the hash of its concatenated text, whichever words it is cut into.
"""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004, SIM109 - one loop, its state in registers

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from workbench_plugins.filters.byte_access import byte_at, decode
from workbench_plugins.filters.c4_kernel import NO_END, Line, Lines, judge_line
from workbench_plugins.filters.minhash_kernel import bare
from workbench_plugins.filters.text_kinds import (
    BRACKET,
    BREAK,
    BULLET,
    COOKIE_SIGN,
    ENDING,
    FILLING,
    FOLDED,
    FULL_STOP,
    FUNCTION,
    LETTER,
    LINE_END,
    LISTLESS,
    LOREM_SIGN,
    MARK,
    PRIVACY_SIGN,
    SEPARATING,
    SPACE,
    SPECIAL,
    STOP,
    TERMINAL,
    TERMS_SIGN,
    UNSPACED,
    Tables,
)

BASE = np.uint64(0x9E3779B97F4A7C15)
INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
ONE, ZERO, EIGHT = np.uint64(1), np.uint64(0), np.uint64(8)
NEWLINE, RETURN, HASH, DOT, ELLIPSIS = 0x0A, 0x0D, 0x23, 0x2E, 0x2026
# What stands for the end of the text: white space that ends every kind of line.
FINAL = SPACE | BREAK | LINE_END
FOREIGN = np.uint64(0xFF)  # no byte of ASCII: spoils the number of a stop word
# Words that C4's phrases cannot stand in a line without, and how many bits of a run's number are compared to them.
LOREM, TERMS, PRIVACY, COOKIE, USE, USES = (
    np.uint64(int.from_bytes(word, "big")) for word in (b"lorem", b"terms", b"privacy", b"cookie", b"use", b"uses")
)
BITS_24, BITS_32, BITS_40, BITS_48, BITS_56 = (np.uint64((1 << bits) - 1) for bits in (24, 32, 40, 48, 56))
LONGEST_WORD = 1000
FILLED, ENDS_WELL = 1, 2  # bits of `line_marks`: the line is not blank; it ends with the punctuation of a sentence

# Columns of the counts of a document; C4's follow from `c4_kernel.FIRST_COLUMN`.
WORDS, LETTERED, ALONE, JUDGED_WORDS, JUDGED_CHARACTERS, HASHES, ELLIPSES = range(7)
LINES, BULLET_LINES, ELLIPSIS_LINES, LISTLESS_WORDS, STOP_WORDS, CHARACTERS, NEWLINES = range(7, 14)
FIRST, LAST, FIRST_CHARACTER, LAST_CHARACTER = range(14, 18)  # where the text without blanks at its ends lies


class Room(NamedTuple):
    """Memory that all documents of a batch use in turn.

    Attributes:
        prefixes: uint64, the hash after each character of words.
        ends: int64, where each word ends among these characters; entry 0 is 0.
        powers: uint64, B to the power of `ends`.
        spaced: Whether each word (from 1) belongs to text with spaces.
        line_ends: int64, the byte behind each line; line_characters: how many characters stand up to there.
        line_marks: int64, `FILLED` and `ENDS_WELL`.
        marks: int64, the number of the last document in which a function character or stop word was seen.
        copy: uint8, for a line without its citation marks.
    """

    prefixes: np.ndarray
    ends: np.ndarray
    powers: np.ndarray
    spaced: np.ndarray
    line_ends: np.ndarray
    line_characters: np.ndarray
    line_marks: np.ndarray
    marks: np.ndarray
    copy: np.ndarray


@bare
def note_run(
    packed: np.uint64, multiplier: np.uint64, shift: np.uint64, keys: np.ndarray, numbers: np.ndarray,
    marks: np.ndarray, mark: int,
) -> int:  # fmt: skip
    """Mark a run of letters as seen if it is a stop word, and return the kinds of phrases that may begin with it."""
    slot = np.int64((packed * multiplier) >> shift)
    marks[(keys[slot] == packed) * numbers[slot]] = mark
    cookie = ((packed & BITS_24) == USE) | ((packed & BITS_32) == USES) | ((packed & BITS_48) == COOKIE)
    found = int(cookie) * COOKIE_SIGN | int((packed & BITS_40) == LOREM) * LOREM_SIGN
    return found | int((packed & BITS_40) == TERMS) * TERMS_SIGN | int((packed & BITS_56) == PRIVACY) * PRIVACY_SIGN


@bare
def scan(
    content: np.ndarray, start: int, end: int, tables: Tables, room: Room, mark: int, lines: Lines, counts: np.ndarray
) -> None:
    """Fill `room` and the counts (int64) of one document, and judge and write its lines by C4's rules if asked to."""
    narrow, wide, by_spaces = tables.narrow, tables.wide, tables.by_spaces
    prefixes, marks, ends, powers, spaced = room.prefixes, room.marks, room.ends, room.powers, room.spaced
    line_ends, line_characters, line_marks, copy = room.line_ends, room.line_characters, room.line_marks, room.copy
    keys, numbers, shift, multiplier = (
        tables.stop_keys, tables.stop_marks, np.uint64(tables.stop_shift), tables.stop_multiplier[0],
    )  # fmt: skip
    is_judged = lines.wanted
    value, offset, power, size_of_words = ZERO, ONE, ONE, 0  # of the characters of words so far
    kept_value, kept_offset, kept_power, first = ZERO, ONE, ONE, 0  # the same where the token began
    prefixes[0], ends[0], powers[0] = ZERO, 0, ONE
    words = lettered = alone_words = judged_words = judged_characters = characters = newlines = 0
    hashes = ellipses = num_lines = bullet_lines = ellipsis_lines = listless = 0
    is_open, alone, mask, wanted = False, False, 0, 0
    union, plain, last_kind, packed, line_kinds = 0, 0, 0, ZERO, tables.assumed
    token_end, filling_end, listless_end, ellipsis_end, run_end, run = start - 1, start - 1, -1, -1, -1, 0
    fresh, line_start, newline_end = True, start, start
    c4_first, c4_words, is_long, sentences, is_stopped, full_stop_end = -1, 0, False, 0, False, -1
    counts[FIRST] = counts[LAST] = end
    breaks_word = SPACE if by_spaces else SPACE | UNSPACED
    foreign = SEPARATING | (0 if by_spaces else UNSPACED)
    place = start
    while True:
        here = place
        if here >= end:
            kind, point, lead = FINAL, NEWLINE, NEWLINE
        else:
            lead = byte_at(content, here)
            if lead < 0x80:
                kind, point, place = narrow[lead], lead, here + 1
            else:
                point, size = decode(content, here)
                kind, place = int(np.int64(wide[point])), here + size
            characters += 1
        if (kind & mask) != wanted:  # the token ends here
            if packed:
                line_kinds |= note_run(packed, multiplier, shift, keys, numbers, marks, mark)
                packed = ZERO
            length = size_of_words - first
            is_long = is_long or (length > LONGEST_WORD and not alone)
            lettered += alone or (union & LETTER) != 0
            if by_spaces or alone or plain:
                words += 1
                alone_words += alone
                ends[words], powers[words], spaced[words] = size_of_words, power, not alone
                if by_spaces and plain:
                    judged_words += 1
                    judged_characters += length
            else:
                value, offset, power, size_of_words = kept_value, kept_offset, kept_power, first
            line_kinds |= union
            is_open, mask, wanted, token_end = False, 0, 0, here
            is_stopped = (last_kind & STOP) != 0 and (kind & SPACE) != 0
            counts[LAST], counts[LAST_CHARACTER] = here, characters - (here < end)
        if kind & SPACE:
            if kind & FILLING:
                num_lines, fresh, filling_end = num_lines + fresh, False, place
            if kind & LINE_END:
                ellipsis_lines += (not fresh) and token_end == ellipsis_end and token_end > filling_end
                if by_spaces and (here > line_start or here < end):
                    num_lines += not (lead == NEWLINE and here > start and byte_at(content, here - 1) == RETURN)
                fresh, line_start = True, place
            if kind & BREAK:
                if is_judged and c4_first >= 0 and not (line_kinds & BRACKET or last_kind & ENDING or is_long):
                    counts[NO_END] += 1
                elif is_judged and c4_first >= 0:
                    sentences += token_end != full_stop_end
                    line = Line(c4_first, token_end, words - c4_words, sentences, is_long, line_kinds)
                    judge_line(content, line, wide, copy, lines, counts)
                c4_first, c4_words, is_long, line_kinds = -1, words, False, tables.assumed
                sentences, is_stopped = 0, False
            if lead == NEWLINE:
                filled = token_end > newline_end
                line_ends[newlines], line_characters[newlines] = here, characters - (here < end)
                ends_well = filled and token_end == here and (last_kind & TERMINAL) != 0
                line_marks[newlines] = filled * FILLED | ends_well * ENDS_WELL
                newlines, newline_end = newlines + 1, place
                if here >= end:
                    break
            continue
        if not is_open:
            is_open, first, union, plain = True, size_of_words, 0, 0
            kept_value, kept_offset, kept_power = value, offset, power
            alone = (kind & UNSPACED) != 0
            mask, wanted = (MARK, MARK) if alone else (breaks_word, 0)
            sentences, is_stopped = sentences + is_stopped, False
            if c4_first < 0:
                c4_first = here
            if fresh:
                fresh = False
                num_lines += not by_spaces
                bullet_lines += (kind & BULLET) != 0
            if counts[FIRST] == end:
                counts[FIRST], counts[FIRST_CHARACTER] = here, characters - 1
        # one character of a token
        value += (np.uint64(point) + ONE) * offset
        offset, power, size_of_words = offset * INVERSE, power * BASE, size_of_words + 1
        prefixes[size_of_words] = value
        union, plain, last_kind = union | kind, plain | (~kind & SEPARATING), kind
        judged_characters += (kind & foreign) == 0 and not by_spaces
        folded = (kind >> FOLDED) & 0xFF if lead < 0x80 else 0
        if folded:
            packed = packed << EIGHT | np.uint64(folded)
        elif by_spaces:
            packed = packed << EIGHT | FOREIGN
        elif packed:
            line_kinds |= note_run(packed, multiplier, shift, keys, numbers, marks, mark)
            packed = ZERO
        marks[(kind >> FUNCTION) & 0xFFFF] = mark
        if kind & (SPECIAL | LISTLESS | MARK | FULL_STOP):
            if kind & FULL_STOP:
                sentences, full_stop_end = sentences + 1, place
            if point == HASH:
                hashes += 1
            elif point == DOT or point == ELLIPSIS:  # noqa: PLR1714  # a set costs an allocation
                dots = point == DOT
                run = run + 1 if run_end == here and (byte_at(content, here - 1) == DOT) == dots else 1
                run_end = place
                ellipses += run % 3 == 0 if dots else (by_spaces or run % 2 == 1)
                if not dots or run >= 3:
                    ellipsis_end = place
            if kind & LISTLESS and not (kind & MARK and listless_end == here):
                listless += 1
                listless_end = place
            elif listless_end == here and kind & (LISTLESS | MARK):
                listless_end = place
        if alone:
            continue
        # Letters and digits of ASCII, and letters beyond it that are nothing else, need no more than this.
        before = size_of_words
        while place < end:
            lead = byte_at(content, place)
            if lead < 0x80:
                kind, point, after = narrow[lead], lead, place + 1
                folded = (kind >> FOLDED) & 0xFF
                if folded == 0:
                    break
                packed = packed << EIGHT | np.uint64(folded)
            else:
                point, size = decode(content, place)
                kind, after = int(np.int64(wide[point])), place + size
                if kind != LETTER:
                    break
                if by_spaces:
                    packed = packed << EIGHT | FOREIGN
                elif packed:
                    line_kinds |= note_run(packed, multiplier, shift, keys, numbers, marks, mark)
                    packed = ZERO
            value += (np.uint64(point) + ONE) * offset
            offset, power, size_of_words = offset * INVERSE, power * BASE, size_of_words + 1
            prefixes[size_of_words] = value
            union, plain, last_kind = union | kind, plain | (~kind & SEPARATING), kind
            place = after
        characters += size_of_words - before
        if not by_spaces:
            judged_characters += size_of_words - before
    if not by_spaces:
        judged_words = words
    counts[WORDS], counts[LETTERED], counts[ALONE] = words, lettered, alone_words
    counts[JUDGED_WORDS], counts[JUDGED_CHARACTERS], counts[HASHES] = judged_words, judged_characters, hashes
    counts[ELLIPSES], counts[LINES], counts[BULLET_LINES] = ellipses, num_lines, bullet_lines
    counts[ELLIPSIS_LINES], counts[LISTLESS_WORDS] = ellipsis_lines, listless
    counts[CHARACTERS], counts[NEWLINES] = characters, newlines - 1
    seen = 0
    for number in range(1, tables.num_marks):
        seen += marks[number] == mark
    counts[STOP_WORDS] = seen
