"""Repeated lines and paragraphs: the compiled part of Gopher's and FineWeb's statistics over lines."""

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.byte_access import byte_at, eight_at
from workbench_plugins.filters.minhash_kernel import bare
from workbench_plugins.filters.repetition_kernel import ONE, SPREAD, ZERO, Table, cleared, slot_of
from workbench_plugins.filters.scan_kernel import (
    ENDS_WELL,
    FILLED,
    FIRST,
    FIRST_CHARACTER,
    LAST,
    LAST_CHARACTER,
    NEWLINES,
    Room,
)

# Columns of the statistics.
PARAGRAPHS, PARAGRAPH_CHARACTERS, LINES, LINE_CHARACTERS = 9, 10, 11, 12
ENDING_LINES, SHORT_LINES, REPEATED_LINE_CHARACTERS = 13, 14, 15
SHORT = 30  # characters of a short line
EIGHT, HALF = np.uint64(8), np.uint64(32)


@bare
def mixed_in(value: np.uint64, more: np.uint64) -> np.uint64:
    """Return a hash that takes in 64 more bits."""
    value = (value ^ more) * SPREAD
    return value ^ (value >> HALF)


@bare
def hash_bytes(content: np.ndarray, start: int, end: int) -> np.uint64:
    """Return a hash of bytes, never 0."""
    value = np.uint64(end - start) * SPREAD + ONE
    place = start
    while place + 8 <= end:
        value = mixed_in(value, eight_at(content, place))
        place += 8
    rest = ZERO
    while place < end:
        rest = rest << EIGHT | np.uint64(byte_at(content, place))
        place += 1
    value = mixed_in(mixed_in(value, rest), ONE)
    return value if value != ZERO else ONE


@bare
def is_seen(keys: np.ndarray, key: np.uint64, shift: np.uint64) -> bool:
    """Return whether the key is in the table, and put it there."""
    slot = slot_of(keys, key, shift)
    if keys[slot] == ZERO:
        keys[slot] = key
        return False
    return True


@bare
def measure_lines(
    content: np.ndarray, start: int, room: Room, table: Table, counts: np.ndarray, total: int, row: np.ndarray
) -> None:
    """Fill the columns over lines.

    For Gopher, lines are what one newline or more part, empty ones at both ends of the text included; for FineWeb,
    lines that are not blank.
    """
    newlines, keys = counts[NEWLINES], table.keys
    line_ends, line_characters, line_marks = room.line_ends, room.line_characters, room.line_marks
    shift = cleared(keys, newlines + 2)
    number = repeated = repeated_characters = 0
    filled = ending = short = repeated_filled = 0
    begin, begin_character = start, 0
    for line in range(newlines + 1):
        end, characters = line_ends[line], line_characters[line] - begin_character
        is_filled = line_marks[line] & FILLED != 0
        if end > begin:
            number += 1
            if is_seen(keys, hash_bytes(content, begin, end), shift):
                repeated += 1
                repeated_characters += characters
                repeated_filled += characters if is_filled else 0
        filled += is_filled
        ending += line_marks[line] & ENDS_WELL != 0
        short += is_filled and characters <= SHORT
        begin, begin_character = end + 1, line_characters[line] + 1
    empty_first = newlines > 0 and line_ends[0] == start
    empty_last = newlines > 0 and line_ends[newlines] == line_ends[newlines - 1] + 1
    number += empty_first + empty_last
    repeated += empty_first and empty_last
    row[LINES] = repeated / number
    row[LINE_CHARACTERS] = repeated_characters / total
    if filled:
        row[ENDING_LINES] = ending / filled
        row[SHORT_LINES] = short / filled
        row[REPEATED_LINE_CHARACTERS] = repeated_filled / (total - newlines)


@bare
def measure_paragraphs(
    content: np.ndarray, start: int, room: Room, table: Table, counts: np.ndarray, total: int, row: np.ndarray
) -> None:
    """Fill the columns over paragraphs: what two newlines or more part, of the text without the blanks at its ends."""
    first, last, newlines = counts[FIRST], counts[LAST], counts[NEWLINES]
    keys, line_ends, line_characters = table.keys, room.line_ends, room.line_characters
    shift = cleared(keys, newlines + 2)
    number = repeated = repeated_characters = 0
    value, characters, is_open = ONE, 0, False
    begin, begin_character = start, 0
    for line in range(newlines + 1):
        end, end_character = line_ends[line], line_characters[line]
        is_last = line == newlines or line_ends[line] >= last
        if end > begin and end > first:
            low, low_character = (begin, begin_character) if begin >= first else (first, counts[FIRST_CHARACTER])
            high, high_character = (end, end_character) if end <= last else (last, counts[LAST_CHARACTER])
            value = mixed_in(value, hash_bytes(content, low, high))
            characters += high_character - low_character + is_open
            is_open = True
        if is_open and (is_last or end == begin):
            number += 1
            if is_seen(keys, value if value != ZERO else ONE, shift):
                repeated += 1
                repeated_characters += characters
            value, characters, is_open = ONE, 0, False
        if is_last:
            break
        begin, begin_character = end + 1, end_character + 1
    if number == 0:  # nothing but blanks is one empty paragraph
        number = 1
    row[PARAGRAPHS] = repeated / number
    row[PARAGRAPH_CHARACTERS] = repeated_characters / total
