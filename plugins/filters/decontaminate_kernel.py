"""The compiled part of decontamination: n-grams of documents looked up in a sorted table."""

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import compiled, inner


@inner
def place_of(value: np.uint64, table: np.ndarray) -> int:
    """Return where `value` stands in the sorted table, -1 if it does not."""
    low, high = 0, table.size
    while low < high:
        middle = (low + high) >> 1
        if table[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < table.size and table[low] == value else -1


@compiled
def match_documents(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects that hold them
    firsts: np.ndarray,
    counts: np.ndarray,
    grams: np.ndarray,
    table: np.ndarray,
    sets: np.ndarray,
    longest: np.ndarray,
    matching: np.ndarray,
    total: np.ndarray,
    which: np.ndarray,
) -> None:
    """Fill for each document the longest run that n-grams of the table cover, in words, and the set of its first n-gram.

    And how many n-grams of the document match, out of how many in `total`. `grams` are the hashes of the n-grams from
    each word on, `counts` their words (0 for none), `firsts` the index of the first word of each document.
    """
    for document in range(longest.size):
        start, after, origin = 0, -1, np.int64(-1)
        for index in range(firsts[document], firsts[document + 1]):
            if counts[index] == 0:
                break
            total[document] += 1
            place = place_of(grams[index], table)
            if place < 0:
                continue
            matching[document] += 1
            if index > after:
                start, origin = index, np.int64(sets[place])
            after = max(after, index + counts[index])
            if after - start > longest[document]:
                longest[document], which[document] = after - start, origin
