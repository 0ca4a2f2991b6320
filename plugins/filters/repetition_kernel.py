"""The compiled part of the repetition and line statistics: one pass over the words and one over the lines of a text.

Words and lines are compared by 64-bit hashes. A run of words has the hash of its bytes (a polynomial modulo 2⁶⁴ whose
prefixes are kept at the ends of words), so every run of any length costs one multiplication, and runs compare as the
concatenated text does. Two different runs of one document share a hash about once in 10¹⁹ pairs.
"""
# ruff: noqa: C901, PLR2004, PLR0913, PLR0917, FBT001 - UTF-8 is defined by these numbers; compiled code takes no keywords

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import compiled, inner

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that its powers have inverses
MIX_A, MIX_B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64's finaliser
ONE, ZERO = np.uint64(1), np.uint64(0)
NEWLINE = 0x0A

# Bits of the class of a character.
SPACE, UNSPACED, SEPARATING, MARK, TERMINAL = 1, 2, 4, 8, 16

# Columns of the statistics.
FIRST_TOP, FIRST_REPEATED = 0, 3
PARAGRAPHS, PARAGRAPH_CHARACTERS, LINES, LINE_CHARACTERS = 9, 10, 11, 12
ENDING_LINES, SHORT_LINES, REPEATED_LINE_CHARACTERS, NEWLINES_TO_WORDS, NUM_WORDS = 13, 14, 15, 16, 17
NUM_COLUMNS = 18
SHORT = 30  # characters of a short line


@inner
def decode(content: np.ndarray, place: int) -> tuple[np.int64, int]:
    """Return the code point at a byte of valid UTF-8, and how many bytes it takes."""
    lead = np.int64(content[place])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | (np.int64(content[place + 1]) & 0x3F), 2
    if lead < 0xF0:
        high = (lead & 0x0F) << 12 | (np.int64(content[place + 1]) & 0x3F) << 6
        return high | (np.int64(content[place + 2]) & 0x3F), 3
    high = (lead & 0x07) << 18 | (np.int64(content[place + 1]) & 0x3F) << 12
    return high | (np.int64(content[place + 2]) & 0x3F) << 6 | (np.int64(content[place + 3]) & 0x3F), 4


@inner
def mixed(value: np.uint64) -> np.uint64:
    """Return the value with all bits spread over all, for the place in a table."""
    value = (value ^ (value >> np.uint64(30))) * MIX_A
    value = (value ^ (value >> np.uint64(27))) * MIX_B
    return value ^ (value >> np.uint64(31))


@inner
def find_words(
    content: np.ndarray,
    start: int,
    end: int,
    classes: np.ndarray,
    by_spaces: bool,
    joined: np.ndarray,
    powers: np.ndarray,
    lengths: np.ndarray,
    spaced: np.ndarray,
) -> int:
    """Write the prefix hash, the power of the base and the characters after each word; return how many words there are.

    Entry 0 is the empty prefix. `spaced[i]` says whether word `i` (from 1) belongs to text with spaces.
    """
    joined[0], powers[0], lengths[0] = ZERO, ONE, 0
    count = 0
    place = start
    while place < end:
        point, size = decode(content, place)
        kind = np.int64(classes[point])
        if kind & SPACE:
            place += size
            continue
        value, power, characters = joined[count], powers[count], lengths[count]
        alone = (not by_spaces) and (kind & UNSPACED) != 0
        is_word = by_spaces or alone or not kind & SEPARATING
        while True:
            for at in range(place, place + size):
                value = value * BASE + np.uint64(content[at]) + ONE
                power = power * BASE
            characters += 1
            place += size
            if place >= end:
                break
            point, size = decode(content, place)
            kind = np.int64(classes[point])
            if alone:
                if not kind & MARK:
                    break
            elif kind & SPACE or (not by_spaces and kind & UNSPACED):
                break
            is_word = is_word or not kind & SEPARATING
        if is_word:
            count += 1
            joined[count], powers[count], lengths[count] = value, power, characters
            spaced[count] = not alone
    return count


@inner
def run_hash(joined: np.ndarray, shifted: np.ndarray, powers: np.ndarray, first: int, last: int) -> np.uint64:
    """Return the hash of the words from `first` up to before `last`; 0 stands for an empty place in a table."""
    value = mixed(joined[last] - shifted[first] * powers[last])
    return value if value != ZERO else ONE


@inner
def most_frequent(
    keys: np.ndarray,
    counts: np.ndarray,
    firsts: np.ndarray,
    stamps: np.ndarray,
    stamp: int,
    mask: int,
    hashes: np.ndarray,
) -> tuple[int, int]:
    """Return how often the most frequent hash occurs and where it occurs first; of equals, the one that came first."""
    best, best_first = 0, 0
    for place in range(len(hashes)):
        key = hashes[place]
        slot = np.int64(key & np.uint64(mask))
        while stamps[slot] == stamp and keys[slot] != key:
            slot = (slot + 1) & mask
        if stamps[slot] != stamp:
            stamps[slot], keys[slot], counts[slot], firsts[slot] = stamp, key, 0, place
        counts[slot] += 1
        if counts[slot] > best or (counts[slot] == best and firsts[slot] < best_first):
            best, best_first = counts[slot], firsts[slot]
    return best, best_first


@inner
def is_seen(keys: np.ndarray, stamps: np.ndarray, stamp: int, mask: int, key: np.uint64) -> bool:
    """Return whether the key is in the table of this stamp, and put it there."""
    slot = np.int64(key & np.uint64(mask))
    while stamps[slot] == stamp:
        if keys[slot] == key:
            return True
        slot = (slot + 1) & mask
    stamps[slot], keys[slot] = stamp, key
    return False


@inner
def table_mask(items: int) -> int:
    """Return the size less one of a table that is at most half full."""
    size = 8
    while size < 2 * items:
        size *= 2
    return size - 1


@compiled
def measure_words(
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    by_spaces: bool,
    num_characters: np.ndarray,
    result: np.ndarray,
) -> None:
    """Fill the columns over words: top n-grams for n = 2, 3, 4 and repeated n-grams for n = 5 to 10."""
    longest = 0
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    room = longest // 2 + 3  # a word takes two bytes or more, with what parts it from the next
    joined, shifted, powers = np.empty(room, np.uint64), np.empty(room, np.uint64), np.empty(room, np.uint64)
    lengths, spaced, gaps = np.empty(room, np.int64), np.empty(room, np.bool_), np.empty(room, np.int64)
    hashes, singles = np.empty(room, np.uint64), np.empty(room, np.uint64)
    room = table_mask(room) + 1
    keys, stamps = np.empty(room, np.uint64), np.zeros(room, np.int32)
    counts, firsts = np.empty(room, np.int32), np.empty(room, np.int32)
    stamp = 0
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        words = find_words(content, start, end, classes, by_spaces, joined, powers, lengths, spaced)
        result[document, NUM_WORDS] = words
        total = num_characters[document]
        if total == 0:
            continue
        mask = table_mask(words + 1)
        shifted[0], gaps[0] = ZERO, 0
        for word in range(1, words + 1):
            singles[word - 1] = mixed(joined[word] - shifted[word - 1] * powers[word])
            shifted[word] = joined[word] * inverse_of(powers[word])
            gaps[word] = gaps[word - 1] + (word > 1 and spaced[word] and spaced[word - 1])
        for n in range(2, min(4, words) + 1):
            for first in range(words - n + 1):
                value = singles[first]
                for word in range(first + 1, first + n):
                    value = value * BASE + singles[word]
                hashes[first] = mixed(value)
            stamp += 1
            often, first = most_frequent(keys, counts, firsts, stamps, stamp, mask, hashes[: words - n + 1])
            characters = lengths[first + n] - lengths[first] + gaps[first + n] - gaps[first + 1]
            result[document, FIRST_TOP + n - 2] = often * characters / total
        for n in range(5, 11):
            stamp += 1
            repeated, first = 0, 0
            while first < words - n + 1:
                if is_seen(keys, stamps, stamp, mask, run_hash(joined, shifted, powers, first, first + n)):
                    repeated += lengths[first + n] - lengths[first]
                    first += n
                else:
                    first += 1
            result[document, FIRST_REPEATED + n - 5] = repeated / total


@inner
def inverse_of(value: np.uint64) -> np.uint64:
    """Return the inverse of an odd number modulo 2⁶⁴, by Newton's method: each step doubles the right bits."""
    inverse = value * np.uint64(3) ^ np.uint64(2)  # right in 5 bits
    for _ in range(4):
        inverse = inverse * (np.uint64(2) - value * inverse)
    return inverse


@compiled
def measure_lines(
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    num_characters: np.ndarray,
    result: np.ndarray,
) -> None:
    """Fill the columns over lines and paragraphs. `result` has the number of words already."""
    longest = 0
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    room = table_mask(longest + 2) + 1
    keys, stamps = np.empty(room, np.uint64), np.zeros(room, np.int32)
    stamp = 0
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        total = num_characters[document]
        if total == 0:
            continue
        newlines = 0
        for place in range(start, end):
            newlines += content[place] == NEWLINE
        mask = table_mask(newlines + 2)
        stamp += 3
        paragraphs(content, start, end, classes, keys, stamps, stamp, mask, total, result[document])
        lines(content, start, end, keys, stamps, stamp + 1, mask, total, result[document])
        filled_lines(content, start, end, classes, keys, stamps, stamp + 2, mask, total - newlines, result[document])
        words = result[document, NUM_WORDS]
        if words > 0:
            result[document, NEWLINES_TO_WORDS] = newlines / words


@inner
def paragraphs(
    content: np.ndarray, start: int, end: int, classes: np.ndarray, keys: np.ndarray, stamps: np.ndarray, stamp: int,
    mask: int, total: int, row: np.ndarray,
) -> None:  # fmt: skip
    """Fill the columns over paragraphs: what two newlines or more part, of the text without the blanks at its ends."""
    while start < end:
        point, size = decode(content, start)
        if not np.int64(classes[point]) & SPACE:
            break
        start += size
    while start < end:
        last = end - 1
        while content[last] & 0xC0 == 0x80:
            last -= 1
        point, _ = decode(content, last)
        if not np.int64(classes[point]) & SPACE:
            break
        end = last
    number = repeated = repeated_characters = 0
    value, characters, place = ZERO, 0, start
    while True:
        is_end = place >= end
        is_break = not is_end and content[place] == NEWLINE and place + 1 < end and content[place + 1] == NEWLINE
        if is_end or is_break:
            number += 1
            key = mixed(value * BASE + np.uint64(characters) + ONE)
            if is_seen(keys, stamps, stamp, mask, key):
                repeated += 1
                repeated_characters += characters
            if is_end:
                break
            while place < end and content[place] == NEWLINE:
                place += 1
            value, characters = ZERO, 0
            continue
        value = value * BASE + np.uint64(content[place]) + ONE
        characters += content[place] & 0xC0 != 0x80
        place += 1
    row[PARAGRAPHS] = repeated / number
    row[PARAGRAPH_CHARACTERS] = repeated_characters / total


@inner
def lines(
    content: np.ndarray, start: int, end: int, keys: np.ndarray, stamps: np.ndarray, stamp: int, mask: int, total: int,
    row: np.ndarray,
) -> None:  # fmt: skip
    """Fill the columns over lines: what one newline or more parts, empty ones at both ends of the text included."""
    number = repeated = repeated_characters = 0
    value, characters, place = ZERO, 0, start
    while True:
        if place >= end or content[place] == NEWLINE:
            number += 1
            if is_seen(keys, stamps, stamp, mask, mixed(value * BASE + np.uint64(characters) + ONE)):
                repeated += 1
                repeated_characters += characters
            if place >= end:
                break
            while place < end and content[place] == NEWLINE:
                place += 1
            value, characters = ZERO, 0
            continue
        value = value * BASE + np.uint64(content[place]) + ONE
        characters += content[place] & 0xC0 != 0x80
        place += 1
    row[LINES] = repeated / number
    row[LINE_CHARACTERS] = repeated_characters / total


@inner
def filled_lines(
    content: np.ndarray, start: int, end: int, classes: np.ndarray, keys: np.ndarray, stamps: np.ndarray, stamp: int,
    mask: int, total: int, row: np.ndarray,
) -> None:  # fmt: skip
    """Fill FineWeb's columns over the lines that are not blank; `total` is the characters without newlines."""
    number = ending = short = repeated_characters = 0
    value, characters, blank, kind, place = ZERO, 0, True, np.int64(0), start
    while True:
        if place >= end or content[place] == NEWLINE:
            if not blank:
                number += 1
                ending += kind & TERMINAL != 0
                short += characters <= SHORT
                if is_seen(keys, stamps, stamp, mask, mixed(value * BASE + np.uint64(characters) + ONE)):
                    repeated_characters += characters
            if place >= end:
                break
            value, characters, blank, kind = ZERO, 0, True, np.int64(0)
            place += 1
            continue
        point, size = decode(content, place)
        kind = np.int64(classes[point])
        blank = blank and kind & SPACE != 0
        for at in range(place, place + size):
            value = value * BASE + np.uint64(content[at]) + ONE
        characters += 1
        place += size
    if number:
        row[ENDING_LINES] = ending / number
        row[SHORT_LINES] = short / number
        row[REPEATED_LINE_CHARACTERS] = repeated_characters / total
