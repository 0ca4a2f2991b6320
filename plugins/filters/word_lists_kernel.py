"""The compiled part of word lists: one pass over a text finds every entry of every list.

The automaton of Aho and Corasick 1975 over folded characters. A state's edges stand in one hash table for all states,
so a list of a hundred thousand entries takes a few megabytes and not a table of characters for each state.
"""
# ruff: noqa: PLR2004, PLR0913, PLR0917 - UTF-8 and Unicode are numbers; compiled code takes arrays, not objects

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import SINGLE, class_of, code_point, compiled, inner, mixed
from workbench_plugins.filters.spans_kernel import SPACE, has_role

NONE = -1
BLANK = 0x20
SPACED, UNSPACED, NEITHER = 1, 2, 0  # what a character is: of a word with others, a word alone, no part of a word


@inner
def folded(point: np.int64, classes: np.ndarray) -> tuple[np.int64, int]:
    """Return the character without case and width, and what it is; white space is one blank; -1 for invisible ones."""
    kind = class_of(point, classes)
    if kind & SINGLE:
        return np.int64(kind) ^ SINGLE, UNSPACED
    if kind:
        return np.int64(kind), SPACED
    if has_role(point, SPACE):
        return np.int64(BLANK), NEITHER
    if point in (0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF):
        return np.int64(NONE), NEITHER
    if 0xFF01 <= point <= 0xFF5E:  # full-width punctuation
        return point - 0xFEE0, NEITHER
    return point, NEITHER


@compiled
def fold(content: np.ndarray, classes: np.ndarray, points: np.ndarray, kinds: np.ndarray) -> int:
    """Fill the folded characters of one entry and what each is, runs of white space as one blank; return how many."""
    number, position = 0, 0
    while position < content.size:
        point, width = code_point(content, position)
        position += width
        value, kind = folded(point, classes)
        if value == NONE or (value == BLANK and number and points[number - 1] == BLANK):
            continue
        points[number], kinds[number] = value, kind
        number += 1
    return number


@inner
def edge(state: np.int64, value: np.int64, keys: np.ndarray, targets: np.ndarray) -> np.int64:
    """Return the state behind an edge, or -1."""
    key = state << 21 | value
    slot = np.int64(mixed(np.uint64(key)) & np.uint64(keys.size - 1))
    while keys[slot] != NONE:
        if keys[slot] == key:
            return np.int64(targets[slot])
        slot = (slot + 1) & (keys.size - 1)
    return np.int64(NONE)


@inner
def after(state: np.int64, value: np.int64, keys: np.ndarray, targets: np.ndarray, fails: np.ndarray) -> np.int64:
    """Return the state after one more character."""
    target = edge(state, value, keys, targets)
    while target == NONE and state != 0:
        state = np.int64(fails[state])
        target = edge(state, value, keys, targets)
    return np.int64(0) if target == NONE else target


@inner
def next_character(
    content: np.ndarray, position: int, end: int, classes: np.ndarray, last: np.int64
) -> tuple[np.int64, int, bool, int]:
    """Return the next folded character, what it is, whether there is one, and where the one behind it starts.

    Invisible characters are passed over, and blanks behind a blank (`last`).
    """
    while position < end:
        point, width = code_point(content, position)
        position += width
        value, kind = folded(point, classes)
        if value != NONE and not (value == BLANK and last == BLANK):
            return value, kind, True, position
    return np.int64(NONE), NEITHER, False, position


@compiled
def lay_out(edges: np.ndarray, keys: np.ndarray, targets: np.ndarray) -> None:
    """Put edges int64[E, 3] (state, character, target) into the hash table; `keys` is -1 everywhere, a power of two."""
    for index in range(edges.shape[0]):
        key = edges[index, 0] << 21 | edges[index, 1]
        slot = np.int64(mixed(np.uint64(key)) & np.uint64(keys.size - 1))
        while keys[slot] != NONE:
            slot = (slot + 1) & (keys.size - 1)
        keys[slot], targets[slot] = key, edges[index, 2]


@compiled
def find_entries(  # noqa: C901 - one pass over a text, whose state is not worth an array
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    keys: np.ndarray,
    targets: np.ndarray,
    fails: np.ndarray,
    outputs: np.ndarray,
    entries: np.ndarray,
    lengths: np.ndarray,
    edges_spaced: np.ndarray,
    entry_words: np.ndarray,
    found: np.ndarray,
    covered: np.ndarray,
    words: np.ndarray,
    first: np.ndarray,
) -> None:
    """Fill, for each text: entries found, words in them, words of the text, and the number of the first entry or -1.

    Args:
        offsets: Where each text starts in `content`.
        content: UTF-8.
        classes: `minhash_kernel.CLASSES`.
        keys: Edges of the automaton: state and character; -1 where there is none.
        targets: The state behind each.
        fails: For each state, that of its longest end which is a beginning of an entry.
        outputs: For each state, itself or the next along `fails` in which an entry ends; 0 for none.
        entries: For each state, the number of the entry that ends in it, or -1.
        lengths: Characters of each entry.
        edges_spaced: bool[entries, 2]: whether its first and last character must stand at the edge of a word.
        entry_words: Words of each entry.
        found: uint32, filled.
        covered: uint32, filled.
        words: uint32, filled.
        first: int64, filled.

    Of entries that overlap the one that starts first counts, and the longest of those that start together.
    """
    longest = 1
    for index in range(lengths.size):
        longest = max(longest, lengths[index])
    ring = longest + 2
    before = np.zeros(ring, dtype=np.int8)  # what the character before each of the last places is
    waiting = np.full(ring, NONE, dtype=np.int64)  # the longest entry that starts at each of the last places
    for document in range(offsets.size - 1):
        position, end = offsets[document], offsets[document + 1]
        state, place, last_kind = np.int64(0), np.int64(0), NEITHER
        settled, last_end, number_waiting = np.int64(0), np.int64(0), 0
        first[document] = NONE
        value, kind, has_next = np.int64(NONE), NEITHER, False
        while True:
            # `value` is the character to take now, `following` the one behind it
            following, following_kind, is_there, position = next_character(content, position, end, classes, value)
            if has_next:
                words[document] += kind == UNSPACED or (kind == SPACED and last_kind != SPACED)
                before[place % ring] = last_kind
                state = after(state, value, keys, targets, fails)
                place += 1
                is_inside = is_there and following_kind == SPACED
                ending = np.int64(outputs[state])
                while ending != 0:
                    entry = np.int64(entries[ending])
                    start = (place - lengths[entry]) % ring
                    opens = not (edges_spaced[entry, 0] and before[start] == SPACED)
                    if opens and not (edges_spaced[entry, 1] and is_inside):
                        number_waiting += waiting[start] == NONE
                        waiting[start] = entry
                    ending = np.int64(outputs[fails[ending]])
                last_kind = kind
            final = place + 1 - longest if is_there else place  # nothing found later starts before
            if number_waiting == 0:
                settled = max(settled, final)
            while settled < final and number_waiting:
                entry = waiting[settled % ring]
                if entry != NONE:
                    waiting[settled % ring] = NONE
                    number_waiting -= 1
                    if settled >= last_end:
                        last_end = settled + lengths[entry]
                        found[document] += 1
                        covered[document] += entry_words[entry]
                        if first[document] == NONE:
                            first[document] = entry
                settled += 1
            if not is_there:
                break
            value, kind, has_next = following, following_kind, True
