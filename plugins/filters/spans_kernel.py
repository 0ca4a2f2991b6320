"""The compiled part of what looks for repeated spans: units and words of a text, their places and their hashes.

Only integers are used and the character table is that of `minhash_kernel`, so that the same text gives the same spans
and hashes on every machine. Two different spans of a corpus of n share a 64-bit hash with a chance of about n²/2⁶⁵;
whoever knows the hash can make two that do, so it guards against chance and not against malice.
"""
# ruff: noqa: PLR2004 - UTF-8 and Unicode are defined by these numbers

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import (
    FNV_OFFSET,
    FNV_PRIME,
    ROLL,
    SINGLE,
    class_of,
    code_point,
    compiled,
    inner,
    mixed,
)

LINE, PARAGRAPH, SENTENCE = 0, 1, 2


SPACE, LINE_END, STOP, FULL_STOP, CLOSING, OPENING = 1, 2, 4, 8, 16, 32
ROLES = {
    SPACE: "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))),
    LINE_END: "\n\r\x85\u2028\u2029",
    STOP: ".!?",  # ends a sentence when white space follows
    FULL_STOP: "\u3002\uff01\uff1f\uff61\u0964\u0965\u061f\u06d4\u17d4\u104b\u1362",  # ends one whatever follows
    CLOSING: "\"')]}\xbb\u2019\u201d\u3009\u300b\u300d\u300f\u3011\uff09",
    OPENING: "([{\xab\u2018\u201c\u3008\u300a\u300c\u300e\u3010\uff08",
}


def character_roles() -> np.ndarray:
    """Return uint8[65536]: the roles of each character of the basic plane, as bits."""
    roles = np.zeros(65536, dtype=np.uint8)
    for role, characters in ROLES.items():
        roles[[ord(character) for character in characters]] |= role
    return roles


CHARACTER_ROLES = character_roles()


@inner
def has_role(point: np.int64, roles: int) -> bool:
    """Return whether the character has one of these roles."""
    return bool(point < 65536 and CHARACTER_ROLES[point] & roles != 0)


@inner
def after_spaces(content: np.ndarray, position: int, end: int) -> int:
    """Return where the white space at `position` ends."""
    while position < end:
        point, width = code_point(content, position)
        if not has_role(point, SPACE):
            return position
        position += width
    return position


@inner
def after_line(content: np.ndarray, position: int, end: int) -> int:
    """Return where the next line starts; CR LF is one line end."""
    while position < end:
        point, width = code_point(content, position)
        position += width
        if point == 0x0D and position < end and content[position] == 0x0A:
            return position + 1
        if has_role(point, LINE_END):
            return position
    return position


@inner
def after_paragraph(content: np.ndarray, position: int, end: int) -> int:
    """Return where the next paragraph starts: after blank lines."""
    while position < end:
        position = after_line(content, position, end)
        blank = position
        while blank < end:
            following = after_line(content, blank, end)
            if after_spaces(content, blank, following) < following:
                break
            blank = following
        if blank > position:
            return blank
    return position


@inner
def after_sentence(content: np.ndarray, position: int, end: int) -> int:
    """Return where the next sentence starts: after a full stop and the closing marks and white space behind it."""
    while position < end:
        point, width = code_point(content, position)
        position += width
        if has_role(point, LINE_END):
            return after_spaces(content, position, end)
        wide = has_role(point, FULL_STOP)
        if not wide and not has_role(point, STOP):
            continue
        while position < end:
            point, width = code_point(content, position)
            if not (has_role(point, FULL_STOP | CLOSING | STOP)):
                break
            wide = wide or has_role(point, FULL_STOP)
            position += width
        following = after_spaces(content, position, end)
        if wide or following > position:
            return following
    return position


@inner
def after_unit(content: np.ndarray, position: int, end: int, unit: int) -> int:
    """Return where the next unit of a kind starts."""
    if unit == LINE:
        return after_line(content, position, end)
    return after_paragraph(content, position, end) if unit == PARAGRAPH else after_sentence(content, position, end)


@inner
def hash_loosely(content: np.ndarray, position: int, end: int, classes: np.ndarray) -> tuple[np.uint64, int]:
    """Return the hash of the letters and digits, folded, every digit as 0; and how many there are."""
    value, count = FNV_OFFSET, 0
    while position < end:
        point, width = code_point(content, position)
        position += width
        kind = np.uint64(class_of(point, classes))
        if kind == np.uint64(0):
            continue
        if np.uint64(0x30) <= kind <= np.uint64(0x39):
            kind = np.uint64(0x30)
        value = (value ^ kind) * FNV_PRIME
        count += 1
    return mixed(value), count


@inner
def hash_exactly(content: np.ndarray, position: int, end: int) -> tuple[np.uint64, int]:
    """Return the hash of all characters, runs of white space as one space, none at the edges; and how many not white."""
    value, count, waiting = FNV_OFFSET, 0, False
    while position < end:
        point, width = code_point(content, position)
        position += width
        if has_role(point, SPACE):
            waiting = count > 0
            continue
        if waiting:
            value = (value ^ np.uint64(0x20)) * FNV_PRIME
            waiting = False
        value = (value ^ np.uint64(point)) * FNV_PRIME
        count += 1
    return mixed(value), count


@compiled
def count_units(places: np.ndarray, content: np.ndarray, unit: int) -> int:
    """Return how many units (`LINE`, `PARAGRAPH`, `SENTENCE`) the documents have."""
    total = 0
    for document in range(places.size - 1):
        position = places[document]
        while position < places[document + 1]:
            position = after_unit(content, position, places[document + 1], unit)
            total += 1
    return total


@compiled
def find_units(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects that hold them
    places: np.ndarray,
    content: np.ndarray,
    unit: int,
    loose: bool,  # noqa: FBT001
    classes: np.ndarray,
    rows: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    hashes: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Fill, for each of the units that `count_units` counts: row of its document, bytes from, to, hash, characters."""
    index = 0
    for document in range(places.size - 1):
        origin, end = places[document], places[document + 1]
        position = origin
        while position < end:
            following = after_unit(content, position, end, unit)
            if loose:
                value, count = hash_loosely(content, position, following, classes)
            else:
                value, count = hash_exactly(content, position, following)
            rows[index], starts[index], ends[index] = document, position - origin, following - origin
            hashes[index], lengths[index] = value, count
            index += 1
            position = following


@inner
def next_span(content: np.ndarray, position: int, end: int, classes: np.ndarray) -> tuple[int, int, np.uint64, bool]:
    """Return where the next word starts and ends, its hash, and whether it is one character; start is end if none."""
    kind = np.uint32(0)
    width = 0
    while position < end:
        point, width = code_point(content, position)
        kind = class_of(point, classes)
        if kind:
            break
        position += width
    start, value = position, FNV_OFFSET
    while position < end:
        value = (value ^ np.uint64(kind)) * FNV_PRIME
        position += width
        if kind & SINGLE or position >= end:
            break
        point, width = code_point(content, position)
        following = class_of(point, classes)
        if following == 0 or following & SINGLE:
            break
        kind = following
    return start, position, mixed(value), bool(kind & SINGLE)


@inner
def after_marks(content: np.ndarray, position: int, end: int, classes: np.ndarray) -> int:
    """Return where the punctuation behind a word, and the white space behind that, ends."""
    while position < end:
        point, width = code_point(content, position)
        if class_of(point, classes) or has_role(point, SPACE | OPENING):
            break
        position += width
    return after_spaces(content, position, end)


@compiled
def count_words(places: np.ndarray, content: np.ndarray, classes: np.ndarray) -> int:
    """Return how many words the documents have, those of scripts without spaces being characters."""
    total = 0
    for document in range(places.size - 1):
        position, end = places[document], places[document + 1]
        while position < end:
            start, position, _, _ = next_span(content, position, end, classes)
            total += start < position
    return total


@compiled
def find_words(  # noqa: PLR0913, PLR0917
    places: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    firsts: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    hashes: np.ndarray,
    singles: np.ndarray,
) -> None:
    """Fill, for each of the words that `count_words` counts: bytes from, to (with marks behind it), hash, if a character.

    `firsts`, one longer than there are documents, gets the index of the first word of each.
    """
    index = 0
    for document in range(places.size - 1):
        firsts[document] = index
        position, end = places[document], places[document + 1]
        while position < end:
            start, position, value, single = next_span(content, position, end, classes)
            if start < position:
                starts[index] = start - places[document]
                ends[index] = after_marks(content, position, end, classes) - places[document]
                hashes[index], singles[index] = value, single
                index += 1
    firsts[places.size - 1] = index


@compiled
def find_windows(
    firsts: np.ndarray, words: np.ndarray, singles: np.ndarray, size: int, characters: int, hashes: np.ndarray
) -> np.ndarray:
    """Fill `hashes` with the hash of the n-gram from each word on; return how many words it has, 0 where it is cut off.

    An n-gram is the fewest words from there that make up `size` words, or `characters` words of one character, or a
    mixture of both in proportion.
    """
    counts = np.zeros(words.size, dtype=np.int32)
    longest = max(size, characters)
    powers = np.ones(longest + 1, dtype=np.uint64)
    for index in range(longest):
        powers[index + 1] = powers[index] * ROLL
    for document in range(firsts.size - 1):
        after, weight, rolling = firsts[document], 0, np.uint64(0)
        for index in range(firsts[document], firsts[document + 1]):
            while weight < size * characters and after < firsts[document + 1]:
                weight += size if singles[after] else characters
                rolling = rolling * ROLL + words[after]
                after += 1
            if weight < size * characters:
                break
            counts[index] = after - index
            hashes[index] = mixed(rolling ^ np.uint64(after - index))
            rolling -= words[index] * powers[after - index - 1]
            weight -= size if singles[index] else characters
    return counts
