"""Repeated runs of words: the compiled part of Gopher's statistics over n-grams.

Words are numbered by where they first occur, and runs of two, three and four words by pairs of such numbers: a run
can only come again where both runs one shorter do, so few are ever looked up. Longer runs are compared by the hash of
their concatenated text, and only where the characters that a run begins with come again at the beginning of a word.
Two different runs of one document share a hash about once in 10¹⁹ pairs.
"""
# ruff: noqa: PLR2004 - runs of two to ten words are what the paper asks for

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from workbench_plugins.filters.minhash_kernel import bare
from workbench_plugins.filters.scan_kernel import Room

SPREAD = np.uint64(0xBF58476D1CE4E5B9)
ONE, ZERO, HALF, FULL = np.uint64(1), np.uint64(0), np.uint64(32), np.uint64(64)
FIRST_TOP, FIRST_REPEATED = 0, 3  # columns of the statistics: n = 2 to 4, n = 5 to 10
LONG_WINDOW, SHORT_WINDOW = 16, 5  # characters; a run of five words has five or more


class Table(NamedTuple):
    """An open-addressing table that is cleared for each use, as far as it is used.

    Attributes:
        keys: uint64, 0 for an empty place.
        firsts: int32, where the key came first; counts: int32, how often it came.
        numbers: int32 of two rows: for each word, the number of the run that begins there, -1 for one that comes once.
        candidates: int32, the words where a run may begin that comes again.
    """

    keys: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray
    numbers: np.ndarray
    candidates: np.ndarray


@bare
def cleared(keys: np.ndarray, items: int) -> np.uint64:
    """Clear a table that is at most half full with so many items; return by how much a product is shifted for a place."""
    size, shift = 8, 61
    while size < 2 * items:
        size, shift = size * 2, shift - 1
    for slot in range(size):
        keys[slot] = ZERO
    return np.uint64(shift)


@bare
def slot_of(keys: np.ndarray, key: np.uint64, shift: np.uint64) -> int:
    """Return the place of a key, which is empty when the key is new."""
    mask = int(np.int64((ONE << (FULL - shift)) - ONE))
    slot = int(np.int64(((key ^ (key >> HALF)) * SPREAD) >> shift))
    while keys[slot] != ZERO and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@bare
def entered(
    keys: np.ndarray, firsts: np.ndarray, counts: np.ndarray, shift: np.uint64, key: np.uint64, first: int
) -> int:
    """Count a key, note where it came first, and return its place."""
    slot = slot_of(keys, key, shift)
    if keys[slot] == ZERO:
        keys[slot], firsts[slot], counts[slot] = key, first, 0
    counts[slot] += 1
    return slot


@bare
def never_zero(key: np.uint64) -> np.uint64:
    """Return the key; 1 for 0, which stands for an empty place."""
    return key if key != ZERO else ONE


@bare
def top_runs(room: Room, table: Table, words: int, total: int, row: np.ndarray) -> None:
    """Fill the share of characters in the most frequent run of two, three and four words; of equals, the first."""
    ends, spaced = room.ends, room.spaced
    number_words(room.prefixes, ends, room.powers, table, words)
    for n in range(2, min(4, words) + 1):
        often, best = count_runs(table, words - n + 1, n)
        characters = ends[best + n] - ends[best]
        for word in range(best + 1, best + n):
            characters += spaced[word] and spaced[word + 1]
        row[FIRST_TOP + n - 2] = often * characters / total


@bare
def number_words(prefixes: np.ndarray, ends: np.ndarray, powers: np.ndarray, table: Table, words: int) -> None:
    """Number the words by where each first occurs, -1 for one that occurs once."""
    keys, firsts, counts, slots = table.keys, table.firsts, table.counts, table.candidates
    single, shorter = table.numbers[0], table.numbers[1]
    shift = cleared(keys, words)
    for first in range(words):
        key = (prefixes[ends[first + 1]] - prefixes[ends[first]]) * powers[first]
        slots[first] = entered(keys, firsts, counts, shift, never_zero(key), first)
    for first in range(words):
        slot = slots[first]
        single[first] = shorter[first] = firsts[slot] if counts[slot] > 1 else -1


@bare
def count_runs(table: Table, runs: int, n: int) -> tuple[int, int]:
    """Number the runs of n words by those of n - 1, and return how often the most frequent comes and where first."""
    keys, firsts, counts, waiting = table.keys, table.firsts, table.counts, table.candidates
    single, shorter = table.numbers[0], table.numbers[1]
    number = 0
    for first in range(runs):
        waiting[number] = first
        number += (shorter[first] | shorter[first + 1] | single[first + n - 1]) >= 0
    shift = cleared(keys, number)
    best, best_first, done = 1, 0, 0
    for place in range(number):
        first = waiting[place]
        key = (np.uint64(shorter[first]) << HALF | np.uint64(single[first + n - 1])) + ONE
        slot = entered(keys, firsts, counts, shift, key, first)
        count, before = counts[slot], firsts[slot]
        if count > best or (count == best and before < best_first):
            best, best_first = count, before
        while done < first:
            shorter[done] = -1
            done += 1
        shorter[first] = slot
        done = first + 1
    for first in range(done, runs):
        shorter[first] = -1
    for place in range(number):
        first = waiting[place]
        slot = shorter[first]
        shorter[first] = firsts[slot] if counts[slot] > 1 else -1
    return best, best_first


@bare
def find_candidates(room: Room, table: Table, words: int) -> int:
    """List the words where a run of five words or more may begin that comes again; return how many there are."""
    ends, prefixes, powers = room.ends, room.prefixes, room.powers
    keys, firsts, candidates, again = table.keys, table.firsts, table.candidates, table.numbers[0]
    window = LONG_WINDOW if ends[words] >= 3 * words else SHORT_WINDOW
    shift = cleared(keys, words)
    for first in range(words):
        again[first] = 0
        last = ends[first] + window
        if last <= ends[words]:
            key = never_zero((prefixes[last] - prefixes[ends[first]]) * powers[first])
            slot = slot_of(keys, key, shift)
            if keys[slot] == ZERO:
                keys[slot], firsts[slot] = key, first
            else:
                again[first] = again[firsts[slot]] = 1
    count = 0
    for first in range(words - 4):
        candidates[count] = first
        count += again[first] != 0 or ends[first + 5] - ends[first] < window
    return count


@bare
def repeated_runs(room: Room, table: Table, words: int, total: int, row: np.ndarray) -> None:
    """Fill the share of characters in runs of five to ten words that came before; one found is stepped over."""
    ends, prefixes, powers, keys, candidates = room.ends, room.prefixes, room.powers, table.keys, table.candidates
    count = find_candidates(room, table, words) if words >= 5 else 0
    for n in range(5, 11):
        repeated, behind = 0, 0
        shift = cleared(keys, count)
        for place in range(count):
            first = candidates[place]
            if first < behind or first > words - n:
                continue
            key = never_zero((prefixes[ends[first + n]] - prefixes[ends[first]]) * powers[first])
            slot = slot_of(keys, key, shift)
            if keys[slot] == ZERO:
                keys[slot] = key
            else:
                repeated += ends[first + n] - ends[first]
                behind = first + n
        row[FIRST_REPEATED + n - 5] = repeated / total
