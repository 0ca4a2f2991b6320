"""What the compiled pass over texts must know of every character: a number of bits each, in two tables.

`wide` serves all code points, 32 bits each: the kinds below, and from bit 16 the number of a function character.
`narrow` serves single bytes, 64 bits each: the same kinds, then bits that only ASCII needs; bytes that begin or go on
a character of several bytes have none.
"""
# ruff: noqa: PLR2004 - ASCII is defined by these numbers

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from workbench_plugins.filters.words import SEPARATING as PARTING
from workbench_plugins.filters.words import UNSPACED as SCRIPTS

Segmentation = Literal["unicode", "spaces"]

SPACE, UNSPACED, SEPARATING, MARK, TERMINAL, LETTER, DIGIT, ENDING = (1 << bit for bit in range(8))
# `ENDING`: a line may end with it, says C4. The end of a line for C4 and `str.splitlines()`; the end of a line whose bullets and ellipses are counted; a sign
# that such a line begins with; white space that patterns do not take for white space.
BREAK, LINE_END, BULLET, FILLING = (1 << bit for bit in range(8, 12))
# Signs that are counted; scripts without stop words; what ends a sentence before a space, and anywhere.
SPECIAL, LISTLESS, STOP, FULL_STOP = (1 << bit for bit in range(12, 16))
# Of ASCII alone: letters of phrases that C4 looks for, and brackets.
J_SIGN, K_SIGN, BRACKET, CURLY = (1 << bit for bit in range(32, 36))
# Of a line: a run of letters in it ends as `lorem`, `terms`, `privacy`, or `use`, `uses` or `cookie` do.
LOREM_SIGN, TERMS_SIGN, PRIVACY_SIGN, COOKIE_SIGN = (1 << bit for bit in range(36, 40))
PHRASES = LOREM_SIGN | TERMS_SIGN | PRIVACY_SIGN | COOKIE_SIGN
FUNCTION, FOLDED = 16, 40  # where the number of a function character begins; where the byte of a stop word begins

# What `str.split()` takes for space; `\s` lacks the four information separators.
SPACES = r"\s\x{1C}-\x{1F}"
# Unicode's Sentence_Terminal, and three Khmer signs that end sentences.
TERMINALS = r"\p{Sentence_Terminal}\x{17D6}\x{17D9}\x{17DA}"
QUOTES = r"”’」』》）\)\]"
BREAKS = r"\n\r\x0B\x0C\x1C-\x1E\x{85}\x{2028}\x{2029}"
BULLETS = r"•‣▶◀◦■□▪▫●○–\-*·"
LISTLESS_SCRIPTS = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
# What datatrove takes for punctuation: controls, Sentence_Terminal, and the signs that CCNet normalises (Wenzek et al.
# 2020), by code point.
SYMBOLS = (
    r"\x{00}-\x{08}\x0B-\x{1F}\x{7F}-\x{9F}!-\x{2F}:-@\x{5B}-`\x{7B}-~«´»–—’“”„…∶━►、。〈〉《》「」【】！％（），．１：；？～"
    + TERMINALS
)


class Tables(NamedTuple):
    """What the compiled pass reads beside the text.

    Attributes:
        narrow: int64[256], kinds of bytes.
        wide: uint32[1114112], kinds of code points.
        stop_keys: uint64: the bytes of a stop word as a number, at the place `number · stop_multiplier >> stop_shift`;
            0 where there is none.
        stop_marks: int64, the number of the stop word in each place of the table.
        stop_multiplier: uint64[1], one that gives every stop word a place of its own.
        stop_shift: What brings a product down to the size of the table.
        num_marks: One more than there are function characters and stop words; those before `first_stop` are characters.
        first_stop: The number of the first stop word.
        assumed: Kinds that every line counts as having.
        by_spaces: Whether words are what stands between spaces.
    """

    narrow: np.ndarray
    wide: np.ndarray
    stop_keys: np.ndarray
    stop_marks: np.ndarray
    stop_multiplier: np.ndarray
    stop_shift: int
    num_marks: int
    first_stop: int
    assumed: int
    by_spaces: bool


# Where Unicode 17 has characters; a plane that has none but those of private use, or none at all, would cost half a
# second in every process.
ASSIGNED = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000))

LONGEST_STOP_WORD = 7  # bytes: one less than a number has, so that a longer word is never taken for one
STOP_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, and so are its powers
TRIALS = 1000  # of multipliers, before the table is made larger


@cache
def tables(segmentation: Segmentation, stop_words: tuple[str, ...], function_characters: str) -> Tables:
    """Return the tables for one way to find words; every stop word must be one that `is_plain` agrees to.

    With `spaces`, function characters are not counted, punctuation is datatrove's, and so are bullets and lines.
    """
    by_spaces = segmentation == "spaces"
    wide = _kinds(segmentation).copy()
    functions = [] if by_spaces else sorted(set(function_characters))
    for number, character in enumerate(functions, 1):
        wide[ord(character)] |= number << FUNCTION
        if character.isascii():
            wide[ord(character)] |= SPECIAL
    narrow = np.zeros(256, dtype=np.int64)
    narrow[:128] = wide[:128]
    for byte in range(128):
        narrow[byte] |= _folded(byte, int(narrow[byte]), by_spaces=by_spaces) << FOLDED
    for bit, signs in (
        (J_SIGN, "jJ"),
        (K_SIGN, "kK"),
        (BRACKET, "["),
        (CURLY, "{"),
    ):
        narrow[[ord(sign) for sign in signs]] |= bit
    words = sorted({word if by_spaces else word.lower() for word in stop_words})
    keys, marks, multiplier = _stop_table(words, len(functions) + 1)
    first_stop = len(functions) + 1
    broken = by_spaces or any(character.isascii() for character in functions)  # runs of letters are not what they seem
    assumed = PHRASES if broken else 0
    shift = 65 - len(keys).bit_length()
    return Tables(narrow, wide, keys, marks, multiplier, shift, first_stop + len(words), first_stop, assumed, by_spaces)


def is_plain(word: str, segmentation: Segmentation) -> bool:
    """Return whether the pass itself finds a stop word: one to seven characters of ASCII, none but letters and digits.

    With `spaces`, where words are whole, other signs may stand in it, but no `#` and no full stop.
    """
    plain = word.isascii() and 0 < len(word) <= LONGEST_STOP_WORD
    return plain and (word.isalnum() if segmentation == "unicode" else not re.search(r"[\s\x1c-\x1f#.]", word))


def _folded(byte: int, kind: int, *, by_spaces: bool) -> int:
    """Return the byte that stands for this one in a stop word: a small letter, or 0 where none goes on."""
    if by_spaces:
        return 0 if kind & (SPACE | SPECIAL) else byte
    if kind & SPECIAL:
        return 0
    return byte | 0x20 if chr(byte).isalnum() or byte == 0x5F else 0


def _stop_table(words: list[str], first_mark: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return keys, numbers and a multiplier by which no two words share a place, found by trying one after the other."""
    values = [int.from_bytes(word.encode(), "big") for word in words]
    bits, multiplier = 6, STOP_MULTIPLIER
    while True:
        for _ in range(TRIALS):
            slots = [(value * multiplier) % 2**64 >> (64 - bits) for value in values]
            if len(set(slots)) == len(slots):
                keys, marks = np.zeros(1 << bits, dtype=np.uint64), np.zeros(1 << bits, dtype=np.int64)
                keys[slots] = values
                marks[slots] = range(first_mark, first_mark + len(words))
                return keys, marks, np.array([multiplier], dtype=np.uint64)
            multiplier = multiplier * STOP_MULTIPLIER % 2**64
        bits += 1


@cache
def _kinds(segmentation: Segmentation) -> np.ndarray:
    """Return uint32[1114112] without function characters, by polars' tables of Unicode."""
    points = np.array([point for planes in ASSIGNED for point in planes])
    letters = pl.Series([chr(point) for point in points])
    kinds = np.zeros(0x110000, dtype=np.uint32)
    shared = (
        (SPACE, SPACES), (MARK, r"\p{M}"), (TERMINAL, TERMINALS), (LETTER, r"\p{L}"), (DIGIT, r"\p{Nd}"),
        (BREAK, BREAKS), (SPECIAL, r"#.…"),
        (STOP, ".!?"), (FULL_STOP, "。！？"), (ENDING, ".!?\"'"),
    )  # fmt: skip
    own = {
        "unicode": ((UNSPACED, SCRIPTS), (SEPARATING, PARTING), (LINE_END, r"\n"), (BULLET, BULLETS),
                    (FILLING, r"\x{1C}-\x{1F}"), (LISTLESS, LISTLESS_SCRIPTS), (ENDING, TERMINALS + QUOTES)),
        "spaces": ((SEPARATING, SYMBOLS), (LINE_END, BREAKS), (BULLET, r"•\-")),
    }  # fmt: skip
    for bit, pattern in (*shared, *own[segmentation]):
        kinds[points[letters.str.contains(f"[{pattern}]").to_numpy()]] |= bit
    return kinds
