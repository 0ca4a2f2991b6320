"""The compiled part of the linear classifiers: hashed n-grams of a text, learning weights for them, adding weights up.

A text is the set of its n-grams: of words, of the characters inside a word (with its ends), and of runs of characters
in scripts written without spaces. Each n-gram that occurs falls into one of 2^k buckets, counts once, and the row of
ones is scaled to length 1, so that neither the length of a text nor what it repeats decides. Sources: Weinberger et al.
2009 (feature hashing), Bojanowski et al. 2017 (character n-grams with word ends), McMahan et al. 2013, algorithm 1
(FTRL-Proximal). Nothing runs in parallel, so equal input gives equal weights.
"""
# ruff: noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects

from __future__ import annotations

from typing import NamedTuple

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

EDGE = np.uint64(0x1F)  # stands before and behind a word; no character folds to it
SEEN_BITS = 12  # words of one text remembered, so that their characters are not hashed again
LONGEST_WORD = 64  # characters of a word that are looked at; beyond it is data, not language
LONGEST_RUN = 8  # words or characters that an n-gram may have


class Shape(NamedTuple):
    """Which n-grams there are: `words` at most in a row, `unspaced` characters at most, `low` to `high` in a word."""

    words: int
    unspaced: int
    low: int
    high: int


@inner
def note(value: np.uint64, document: np.uint32, stamps: np.ndarray, found: np.ndarray, number: int) -> int:
    """Add the bucket of an n-gram to the text's, unless it is there; return how many there are."""
    bucket = np.int64(mixed(value) & np.uint64(stamps.size - 1))
    if stamps[bucket] != document:
        stamps[bucket] = document
        found[number] = bucket
        return number + 1
    return number


@inner
def note_characters(
    letters: np.ndarray,
    length: int,
    shape: tuple[int, int, int, int],
    document: np.uint32,
    stamps: np.ndarray,
    found: np.ndarray,
    number: int,
) -> int:
    """Add the n-grams of characters in a word that stands, with its ends, in the first `length` of `letters`."""
    low, high = shape[2], shape[3]
    for start in range(length):
        value = FNV_OFFSET
        for size in range(1, min(high, length - start) + 1):
            value = (value ^ letters[start + size - 1]) * FNV_PRIME
            if size >= low:
                number = note(value ^ np.uint64(size << 56), document, stamps, found, number)
    return number


@inner
def note_runs(
    words: np.ndarray,
    singles: np.ndarray,
    number_of_words: int,
    shape: tuple[int, int, int, int],
    document: np.uint32,
    stamps: np.ndarray,
    found: np.ndarray,
    number: int,
) -> int:
    """Add the n-grams that end with the last word; `words` is a ring of the last `LONGEST_RUN`."""
    value, all_single, size = np.uint64(0), True, 0
    while size < min(number_of_words, LONGEST_RUN):
        place = (number_of_words - 1 - size) % LONGEST_RUN
        all_single = all_single and singles[place]
        size += 1
        if size > (shape[1] if all_single else shape[0]):
            break
        value = value * ROLL + words[place]
        number = note(value, document, stamps, found, number)
    return number


@inner
def find_buckets(
    content: np.ndarray,
    position: int,
    end: int,
    classes: np.ndarray,
    shape: tuple[int, int, int, int],
    document: np.uint32,
    stamps: np.ndarray,
    found: np.ndarray,
    seen: np.ndarray,
    letters: np.ndarray,
    words: np.ndarray,
    singles: np.ndarray,
) -> int:
    """Fill `found` with the buckets of one text, each once; return how many."""
    number, number_of_words = 0, 0
    while position < end:
        point, width = code_point(content, position)
        kind = class_of(point, classes)
        position += width
        if kind == 0:
            continue
        value, length = (FNV_OFFSET ^ np.uint64(kind)) * FNV_PRIME, 1
        single = kind & SINGLE != 0
        if not single:
            letters[0], letters[1], length = EDGE, np.uint64(kind), 2
            while position < end:
                point, width = code_point(content, position)
                kind = class_of(point, classes)
                if kind == 0 or kind & SINGLE:
                    break
                position += width
                value = (value ^ np.uint64(kind)) * FNV_PRIME
                if length <= LONGEST_WORD:
                    letters[length] = np.uint64(kind)
                    length += 1
            letters[length] = EDGE
            length += 1
        value = mixed(value)
        words[number_of_words % LONGEST_RUN], singles[number_of_words % LONGEST_RUN] = value, single
        number_of_words += 1
        number = note_runs(words, singles, number_of_words, shape, document, stamps, found, number)
        slot = np.int64(value >> np.uint64(64 - SEEN_BITS))
        if not single and seen[slot] != value ^ np.uint64(document):
            seen[slot] = value ^ np.uint64(document)
            number = note_characters(letters, length, shape, document, stamps, found, number)
    return number


@inner
def most_buckets(offsets: np.ndarray, shape: tuple[int, int, int, int]) -> int:
    """Return how many buckets a text can have at most."""
    longest = 0
    for document in range(offsets.size - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    return longest * (max(shape[0], shape[1]) + 3 * (shape[3] - shape[2] + 1)) + 1


@compiled
def add_up(
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    shape: tuple[int, int, int, int],
    weights: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Fill `sums` (float64) with the weights of each text's n-grams added up and divided by √(number of n-grams)."""
    stamps = np.zeros(weights.size, dtype=np.uint32)
    found = np.empty(most_buckets(offsets, shape), dtype=np.int32)
    seen = np.zeros(1 << SEEN_BITS, dtype=np.uint64)
    letters = np.empty(LONGEST_WORD + 2, dtype=np.uint64)
    words, singles = np.empty(LONGEST_RUN, dtype=np.uint64), np.empty(LONGEST_RUN, dtype=np.bool_)
    for document in range(offsets.size - 1):
        number = find_buckets(
            content, offsets[document], offsets[document + 1], classes, shape, np.uint32(document + 1), stamps, found,
            seen, letters, words, singles,
        )  # fmt: skip
        total = 0.0
        for index in range(number):
            total += np.float64(weights[found[index]])
        sums[document] = total / np.sqrt(max(1, number))


@inner
def weight_of(gradient_sum: float, square_sum: float, rate: float, l2: float) -> float:
    """Return the weight that FTRL-Proximal has for these sums (no L1, beta 1)."""
    weight: float = -gradient_sum / ((1.0 + np.sqrt(square_sum)) / rate + l2)
    return weight


@compiled
def learn(
    offsets: np.ndarray,
    content: np.ndarray,
    classes: np.ndarray,
    shape: tuple[int, int, int, int],
    targets: np.ndarray,
    importances: np.ndarray,
    orders: np.ndarray,
    rate: float,
    l2: float,
    buckets: int,
) -> tuple[np.ndarray, float]:
    """Return weights (float32[buckets]) and bias of logistic regression, learned one text after the other.

    Args:
        offsets: Where each text starts in `content`.
        content: UTF-8.
        classes: `minhash_kernel.CLASSES`.
        shape: `Shape` as a plain tuple.
        targets: 1.0 or 0.0 for each text.
        importances: What an error on each text costs.
        orders: int64[epochs, texts]: the order of the texts in each epoch.
        rate: Learning rate alpha of FTRL-Proximal.
        l2: Its penalty on the squares of the weights.
        buckets: A power of two.
    """
    gradients, squares = np.zeros(buckets, dtype=np.float64), np.zeros(buckets, dtype=np.float64)
    bias_gradient, bias_square = 0.0, 0.0
    stamps = np.zeros(buckets, dtype=np.uint32)
    found = np.empty(most_buckets(offsets, shape), dtype=np.int32)
    seen = np.zeros(1 << SEEN_BITS, dtype=np.uint64)
    letters = np.empty(LONGEST_WORD + 2, dtype=np.uint64)
    words, singles = np.empty(LONGEST_RUN, dtype=np.uint64), np.empty(LONGEST_RUN, dtype=np.bool_)
    stamp = np.uint32(0)
    for epoch in range(orders.shape[0]):
        for document in orders[epoch]:
            stamp += np.uint32(1)
            number = find_buckets(
                content, offsets[document], offsets[document + 1], classes, shape, stamp, stamps, found, seen, letters,
                words, singles,
            )  # fmt: skip
            scale = 1.0 / np.sqrt(max(1, number))
            total = weight_of(bias_gradient, bias_square, rate, 0.0)
            for index in range(number):
                total += scale * weight_of(gradients[found[index]], squares[found[index]], rate, l2)
            error = importances[document] * (1.0 / (1.0 + np.exp(-total)) - targets[document])
            step, square = error * scale, error * error * scale * scale
            for index in range(number):
                bucket = found[index]
                sigma = (np.sqrt(squares[bucket] + square) - np.sqrt(squares[bucket])) / rate
                gradients[bucket] += step - sigma * weight_of(gradients[bucket], squares[bucket], rate, l2)
                squares[bucket] += square
            sigma = (np.sqrt(bias_square + error * error) - np.sqrt(bias_square)) / rate
            bias_gradient += error - sigma * weight_of(bias_gradient, bias_square, rate, 0.0)
            bias_square += error * error
    weights = np.empty(buckets, dtype=np.float32)
    for bucket in range(buckets):
        weights[bucket] = weight_of(gradients[bucket], squares[bucket], rate, l2)
    return weights, weight_of(bias_gradient, bias_square, rate, 0.0)
