"""The compiled part of MinHash: from Arrow bytes to signatures, and from buckets to clusters.

Words are found in the UTF-8 itself, by Unicode: letters, digits and marks make words, everything else parts them;
characters of scripts written without spaces are words of their own. Only integers are used and every table is
written out here, so the same text gives the same signature on every machine and with every version of Python.
"""
# ruff: noqa: PLR2004 - UTF-8 and Unicode are defined by these numbers

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

F = TypeVar("F", bound=Callable[..., Any])

# The bit of a class that says: this character is a word by itself.
SINGLE = 1 << 20
# Code points that part words: white space, punctuation, symbols, controls (Unicode 15 general categories Z, P, S, C),
# inclusive ranges of the basic plane; private use and surrogates among them.
SEPARATORS = (
    (0x00, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0xA9), (0xAB, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7),
    (0xF7, 0xF7), (0x2C2, 0x2C5), (0x2D2, 0x2DF), (0x37E, 0x37E), (0x387, 0x387), (0x482, 0x482), (0x55A, 0x55F),
    (0x589, 0x58F), (0x5BE, 0x5BE), (0x5C0, 0x5C0), (0x5C3, 0x5C3), (0x5C6, 0x5C6), (0x5F3, 0x5F4), (0x600, 0x60F),
    (0x61B, 0x61F), (0x66A, 0x66D), (0x6D4, 0x6D4), (0x6DD, 0x6DE), (0x6E9, 0x6E9), (0x700, 0x70F), (0x964, 0x965),
    (0x970, 0x970), (0xDF4, 0xDF4), (0xE3F, 0xE3F), (0xE4F, 0xE4F), (0xE5A, 0xE5B), (0xF01, 0xF17), (0xF3A, 0xF3D),
    (0x104A, 0x104F), (0x10FB, 0x10FB), (0x1360, 0x1368), (0x166D, 0x166E), (0x1680, 0x1680), (0x169B, 0x169C),
    (0x17D4, 0x17DB), (0x1800, 0x180E), (0x2000, 0x206F), (0x207A, 0x207E), (0x208A, 0x208E), (0x20A0, 0x20CF),
    (0x2100, 0x2101), (0x2103, 0x2106), (0x2190, 0x245F), (0x249C, 0x24E9), (0x2500, 0x2775), (0x2794, 0x2BFF),
    (0x2E00, 0x2E7F), (0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0x303D, 0x303F), (0x30A0, 0x30A0),
    (0x30FB, 0x30FB), (0xD800, 0xF8FF), (0xFD3E, 0xFD3F), (0xFDFC, 0xFDFF), (0xFE10, 0xFE1F), (0xFE30, 0xFE6F),
    (0xFEFF, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65), (0xFFE0, 0xFFFF),
)  # fmt: skip
# Scripts written without spaces, each character a word: Thai, Lao, Myanmar, Khmer, Kana and Bopomofo, Han.
UNSPACED = (
    (0xE01, 0xE4E), (0xE81, 0xEDF), (0x1000, 0x1049), (0x1050, 0x109F), (0x1780, 0x17D3), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3041, 0x30FF), (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9D),
)  # fmt: skip
# Upper case → lower case: first, last, step between capitals, distance to the small letter.
CAPITALS = (
    (0x41, 0x5A, 1, 32), (0xC0, 0xD6, 1, 32), (0xD8, 0xDE, 1, 32), (0x100, 0x136, 2, 1), (0x139, 0x147, 2, 1),
    (0x14A, 0x176, 2, 1), (0x179, 0x17D, 2, 1), (0x1E00, 0x1E94, 2, 1), (0x1EA0, 0x1EFE, 2, 1), (0x391, 0x3A1, 1, 32),
    (0x3A3, 0x3AB, 1, 32), (0x410, 0x42F, 1, 32), (0x400, 0x40F, 1, 80), (0x460, 0x480, 2, 1), (0x48A, 0x4BE, 2, 1),
    (0x4D0, 0x52E, 2, 1), (0x531, 0x556, 1, 48),
)  # fmt: skip
# Full-width digits and letters count as their narrow forms.
WIDE = ((0xFF10, 0xFF19, 0xFEE0), (0xFF21, 0xFF3A, 0xFEC0), (0xFF41, 0xFF5A, 0xFEE0))

BLOCK = 512  # shingles hashed before the minima are taken: 2 KiB, stays in the first-level cache
FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
ROLL = np.uint64(0x9E3779B97F4A7C15)  # odd: the base of the rolling polynomial over word hashes
MIX_A, MIX_B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64's finaliser
EMPTY = np.uint32(0xFFFFFFFF)
MAX_COMPARED = 64


def inner(function: F) -> F:
    """Compile with numba a function that only compiled ones call; without the wrappers that Python would need."""
    jit: Any = njit  # numba's types do not name the two options
    return cast("F", jit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))


def bare(function: F) -> F:
    """Compile like `inner`, without counting references to arrays, which costs more than a hot loop does.

    Such a function may make no array and call only bare ones; whoever calls it holds the arrays meanwhile.
    """
    jit: Any = njit
    options = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", jit(_nrt=False, **options)(function))


def compiled(function: F) -> F:
    """Compile with numba; keep the machine code on disk where a cache folder can be written, else for this process."""
    try:
        dispatcher: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no folder that it may write to
        return cast("F", njit(nogil=True, error_model="numpy")(function))
    # numba asks only whether the file of `function` has changed, but the code holds what it calls from others too.
    dispatcher._cache._cache_file._source_stamp = _source_stamp()  # noqa: SLF001
    return cast("F", dispatcher)


@cache
def _source_stamp() -> list[tuple[str, int, int]]:
    """Return name, time of change and size of every file that compiled code may come from."""
    files = sorted(path for path in Path(__file__).parent.glob("*.py"))
    return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files]


def character_classes() -> np.ndarray:
    """Return uint32[65536]: 0 parts words, else the folded code point, with `SINGLE` where it is a word alone."""
    classes = np.arange(65536, dtype=np.uint32)
    for first, last, step, distance in CAPITALS:
        classes[first : last + 1 : step] += distance
    for first, last, distance in WIDE:
        classes[first : last + 1] -= distance
    for first, last in UNSPACED:
        classes[first : last + 1] |= SINGLE
    for first, last in SEPARATORS:
        classes[first : last + 1] = 0
    return classes


CLASSES = character_classes()


def permutations(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return odd multipliers and offsets (uint32) of `number` permutations x → a·x + b modulo 2³², drawn once for all.

    splitmix64 (Steele et al. 2014) written out, because the streams of library generators may change.
    """
    state, draws = 0, []
    for _ in range(number):
        state = (state + int(ROLL)) % 2**64
        value = ((state ^ (state >> 30)) * int(MIX_A)) % 2**64
        value = ((value ^ (value >> 27)) * int(MIX_B)) % 2**64
        draws.append(value ^ (value >> 31))
    multipliers = np.array([(draw >> 32) | 1 for draw in draws], dtype=np.uint32)
    offsets = np.array([draw % 2**32 for draw in draws], dtype=np.uint32)
    return multipliers, offsets


@inner
def mixed(value: np.uint64) -> np.uint64:
    """Return all 64 bits of `value` spread over each other (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * MIX_A
    value = (value ^ (value >> np.uint64(27))) * MIX_B
    return value ^ (value >> np.uint64(31))


@inner
def code_point(content: np.ndarray, position: int) -> tuple[np.int64, int]:
    """Return the code point that starts at `position` of valid UTF-8, and how many bytes it takes."""
    byte = np.int64(content[position])
    if byte < 0x80:
        return byte, 1
    second = np.int64(content[position + 1]) & 0x3F
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, 2
    third = np.int64(content[position + 2]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, 3
    fourth = np.int64(content[position + 3]) & 0x3F
    return (byte & 0x07) << 18 | second << 12 | third << 6 | fourth, 4


@inner
def class_of(point: np.int64, classes: np.ndarray) -> Any:
    """Return the class of any code point, as `character_classes` has it for the basic plane."""
    if point < 0x10000:
        return classes[point]
    if 0x20000 <= point < 0x40000:  # Han beyond the basic plane
        return np.uint32(SINGLE | point)
    return np.uint32(point) if point < 0x1D000 else np.uint32(0)  # above are symbols, emoji and private use


@inner
def next_word(content: np.ndarray, position: int, end: int, classes: np.ndarray) -> tuple[int, np.uint64, bool]:
    """Return where the next word ends, its hash (FNV-1a over folded code points), and whether there was one."""
    word, inside = FNV_OFFSET, False
    while position < end:
        point, width = code_point(content, position)
        kind = class_of(point, classes)
        if kind & SINGLE:
            if inside:
                return position, word, True
            return position + width, (word ^ np.uint64(kind)) * FNV_PRIME, True
        position += width
        if kind:
            word = (word ^ np.uint64(kind)) * FNV_PRIME
            inside = True
        elif inside:
            return position, word, True
    return position, word, inside


@inner
def shingle_hashes(words: np.ndarray, count: int, size: int, shingles: np.ndarray) -> int:
    """Fill `shingles` with the hash of every `size` words in a row among the first `count`; return how many."""
    oldest = np.uint64(1)  # ROLL to the power of `size`: what the word that leaves has been multiplied by
    for _ in range(size):
        oldest *= ROLL
    rolling = np.uint64(0)
    for index in range(count):
        rolling = rolling * ROLL + words[index]
        if index >= size:
            rolling -= words[index - size] * oldest
        if index >= size - 1:
            shingles[index - size + 1] = np.uint32(mixed(rolling) >> np.uint64(32))
    return max(0, count - size + 1)


@inner
def take_minima(
    shingles: np.ndarray, count: int, multipliers: np.ndarray, offsets: np.ndarray, signature: np.ndarray
) -> None:
    """Lower every minimum of `signature` to the least permuted value among the first `count` shingles."""
    for permutation in range(signature.size):
        multiplier, offset = multipliers[permutation], offsets[permutation]
        least = signature[permutation]
        for index in range(count):
            least = min(least, np.uint32(shingles[index] * multiplier + offset))
        signature[permutation] = least


@compiled
def sign_documents(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects that hold them
    starts: np.ndarray,
    content: np.ndarray,
    size: int,
    classes: np.ndarray,
    multipliers: np.ndarray,
    offsets: np.ndarray,
    signatures: np.ndarray,
    num_words: np.ndarray,
) -> None:
    """Fill `signatures`, uint32 (documents, permutations) of ones, and `num_words`, uint32 (documents).

    A shingle is `size` words in a row; a document with fewer words is one shingle of them all, and one without words
    keeps its signature of ones.
    """
    words = np.empty(BLOCK + size - 1, dtype=np.uint64)
    shingles = np.empty(BLOCK, dtype=np.uint32)
    for document in range(num_words.size):
        position, end = starts[document], starts[document + 1]
        filled, total = 0, 0
        while True:
            position, word, found = next_word(content, position, end, classes)
            if not found:
                break
            words[filled] = word
            filled += 1
            total += 1
            if filled == words.size:
                count = shingle_hashes(words, filled, size, shingles)
                take_minima(shingles, count, multipliers, offsets, signatures[document])
                for index in range(size - 1):  # the last words begin the next block
                    words[index] = words[filled - size + 1 + index]
                filled = size - 1
        if total > 0:
            count = shingle_hashes(words, filled, min(total, size), shingles)
            take_minima(shingles, count, multipliers, offsets, signatures[document])
        num_words[document] = total


@compiled
def summarise(
    signatures: np.ndarray,
    bands: int,
    rows: int,
    keys: np.ndarray,
    digests: np.ndarray,
    low_bytes: np.ndarray,
) -> None:
    """Fill what a sketch keeps of signatures.

    Args:
        signatures: Minima, uint32 (documents, permutations).
        bands: How many bands there are.
        rows: Minima in a band.
        keys: uint64 (bands, documents): a polynomial over the minima of each band, mixed.
        digests: uint64 (documents): the same over all minima.
        low_bytes: uint8 (documents, permutations): the lowest eight bits of each minimum.
    """
    for document in range(signatures.shape[0]):
        whole = np.uint64(0)
        for place in range(signatures.shape[1]):
            minimum = signatures[document, place]
            whole = whole * ROLL + np.uint64(minimum)
            low_bytes[document, place] = np.uint8(minimum & np.uint32(0xFF))
        digests[document] = mixed(whole)
        for band in range(bands):
            key = np.uint64(0)
            for place in range(band * rows, (band + 1) * rows):
                key = key * ROLL + np.uint64(signatures[document, place])
            keys[band, document] = mixed(key)


@inner
def root_of(parents: np.ndarray, item: int) -> int:
    """Return the least member of the cluster of `item`, shortening the way there."""
    while parents[item] != item:
        parents[item] = parents[parents[item]]
        item = parents[item]
    return item


@inner
def agreement(one: np.ndarray, other: np.ndarray) -> int:
    """Return in how many places two signatures agree."""
    equal = 0
    for index in range(one.size):
        equal += one[index] == other[index]
    return equal


@compiled
def join_buckets(
    members: np.ndarray, ends: np.ndarray, signatures: np.ndarray, least_equal: int, parents: np.ndarray
) -> None:
    """Join, in `parents`, the members of every bucket whose signatures agree in at least `least_equal` places.

    Bucket `i` holds `members[ends[i - 1]:ends[i]]`, in increasing order. A member is compared with those before it, as
    long as they are not joined already: with the first `MAX_COMPARED` that matched none before them and as many that
    did. So work in a bucket of ten thousand documents stays linear; what is missed there meets in other buckets.
    """
    compared = np.empty(2 * MAX_COMPARED, dtype=np.int64)
    start = 0
    for end in ends:
        num_alone, num_matched = 0, 0
        for place in range(start, end):
            item = members[place]
            matched = False
            for rank in range(num_alone + num_matched):
                # The first half of `compared` holds those that matched none, the second half those that did.
                other = compared[rank if rank < num_alone else MAX_COMPARED + rank - num_alone]
                one, another = root_of(parents, other), root_of(parents, item)
                if one == another:
                    matched = True
                elif agreement(signatures[other], signatures[item]) >= least_equal:
                    matched = True
                    parents[max(one, another)] = min(one, another)
            if not matched and num_alone < MAX_COMPARED:
                compared[num_alone] = item
                num_alone += 1
            elif matched and num_matched < MAX_COMPARED:
                compared[MAX_COMPARED + num_matched] = item
                num_matched += 1
        start = end


@compiled
def agreements(ones: np.ndarray, others: np.ndarray, signatures: np.ndarray, equal: np.ndarray) -> None:
    """Fill `equal` with the number of places in which the signatures of each pair agree."""
    for pair in range(equal.size):
        equal[pair] = agreement(signatures[ones[pair]], signatures[others[pair]])


@compiled
def crowded(keys: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the wanted rows whose key may be another wanted row's too: all of those, and a few others.

    Args:
        keys: uint64 (rows), well mixed.
        wanted: bool (rows).
        counts: uint8, zeros, as many as a power of two: one for all keys with the same lowest bits.
    """
    last = np.uint64(counts.size - 1)
    number = 0
    for row in range(keys.size):
        if wanted[row]:
            place = keys[row] & last
            if counts[place] < 2:
                counts[place] += np.uint8(1)
            number += 1
    rows = np.empty(number, dtype=np.int64)
    number = 0
    for row in range(keys.size):
        if wanted[row] and counts[keys[row] & last] > 1:
            rows[number] = row
            number += 1
    return rows[:number].copy()
