"""The compiled entry of all quality filters: each text read once, every statistic written."""
# ruff: noqa: PLR0913, PLR0917 - compiled code takes no keywords

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.c4_kernel import Lines
from workbench_plugins.filters.line_kernel import measure_lines, measure_paragraphs
from workbench_plugins.filters.minhash_kernel import compiled, inner
from workbench_plugins.filters.repetition_kernel import Table, repeated_runs, top_runs
from workbench_plugins.filters.scan_kernel import CHARACTERS, NEWLINE, NEWLINES, WORDS, Room, scan
from workbench_plugins.filters.text_kinds import Tables

NEWLINES_TO_WORDS, NUM_WORDS = 16, 17
N_GRAMS, LINE_SHARES, C4_COUNTS, C4_TEXT = 1, 2, 4, 8  # what is wanted beside what one scan gives
SHORTEST_WORD = 2  # bytes that a word takes with what parts it from the next


@inner
def room_for(longest: int, most_lines: int, tables: Tables) -> Room:
    """Return memory for texts of so many bytes and newlines."""
    words = longest // SHORTEST_WORD + 2
    return Room(
        np.empty(longest + 1, np.uint64), np.empty(words + 1, np.int64), np.empty(words + 1, np.uint64),
        np.empty(words + 1, np.bool_), np.empty(most_lines + 1, np.int64), np.empty(most_lines + 1, np.int64),
        np.empty(most_lines + 1, np.int64), np.zeros(tables.num_marks + 1, np.int64), np.empty(longest + 1, np.uint8),
    )  # fmt: skip


@inner
def table_for(items: int) -> Table:
    """Return a table for so many words or lines."""
    size = 8
    while size < 2 * items:
        size *= 2
    return Table(
        np.empty(size, np.uint64), np.empty(size, np.int32), np.empty(size, np.int32), np.empty((2, items), np.int32),
        np.empty(items, np.int32),
    )  # fmt: skip


@compiled
def measure_texts(
    offsets: np.ndarray,
    content: np.ndarray,
    tables: Tables,
    wanted: int,
    result: np.ndarray,
    counts: np.ndarray,
    output: np.ndarray,
    output_offsets: np.ndarray,
) -> None:
    """Fill statistics (float64) and counts (int64) of each text, and with `C4_TEXT` the texts that C4 leaves.

    Columns of `result` that are undefined or not wanted stay as they are.
    """
    longest = most_lines = 0
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        newlines = 0
        for place in range(start, end):
            newlines += content[place] == NEWLINE
        longest, most_lines = max(longest, end - start), max(most_lines, newlines)
    room = room_for(longest, most_lines + 1, tables)
    table = table_for(max(longest // SHORTEST_WORD, most_lines) + 3)
    places = np.zeros(2, np.int64)
    lines = Lines(wanted & (C4_COUNTS | C4_TEXT) != 0, wanted & C4_TEXT != 0, output, places)
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        own, row = counts[document], result[document]
        places[1] = places[0]
        scan(content, start, end, tables, room, document + 1, lines, own)
        words, total = own[WORDS], own[CHARACTERS]
        row[NUM_WORDS] = words
        if total and wanted & N_GRAMS:
            top_runs(room, table, words, total, row)
            repeated_runs(room, table, words, total, row)
        if total and wanted & LINE_SHARES:
            measure_paragraphs(content, start, room, table, own, total, row)
            measure_lines(content, start, room, table, own, total, row)
            if words:
                row[NEWLINES_TO_WORDS] = own[NEWLINES] / words
        output_offsets[document + 1] = places[0]
