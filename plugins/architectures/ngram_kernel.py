"""The loops of the n-gram model, compiled: number the n-grams of a text, walk them, score a text.

An n-gram is a node of a tree: its parent is the n-gram without its last token. Nodes are numbered order by order, those
of order 1 by their token, all others by parent and then token, so that children of a node stand together.

Shapes: N tokens, U distinct n-grams of an order, M nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from workbench_plugins.architectures.compiled import compiled

Array = np.ndarray[Any, np.dtype[Any]]
NONE = np.uint32(0xFFFFFFFF)
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4: multiplicative hashing)
SMALLEST = 16  # bits of the first hash table


@compiled
def number_ngrams(
    ids_n: Array, bounds: Array, before_n: Array, order: int, vocab_size: int
) -> tuple[Array, Array, Array]:
    """Give every distinct n-gram of one order a number, in the order in which they first appear.

    Args:
        ids_n: Token ids.
        bounds: int64[D + 1], where documents begin, and the end.
        before_n: uint32[N], the number of the (order - 1)-gram that ends at each token.
        order: At least 2.
        vocab_size: More than any id.

    Returns:
        keys uint64[U] (number of the parent · vocab_size + token), counts uint32[U], and numbers uint32[N] of the n-gram
        that ends at each token, `NONE` where a document is not that long yet.
    """
    numbers_n = np.full(len(ids_n), NONE, dtype=np.uint32)
    bits = SMALLEST
    slots = np.full(1 << bits, NONE, dtype=np.uint32)
    keys = np.empty(1 << (bits - 1), dtype=np.uint64)
    counts = np.empty(len(keys), dtype=np.uint32)
    num = 0
    size = np.uint64(vocab_size)
    for document in range(len(bounds) - 1):
        for place in range(bounds[document] + order - 1, bounds[document + 1]):
            key = np.uint64(before_n[place - 1]) * size + np.uint64(ids_n[place])
            mask = np.uint64((1 << bits) - 1)
            slot = (key * SPREAD) >> np.uint64(64 - bits)
            while slots[slot] != NONE and keys[slots[slot]] != key:
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] != NONE:
                found = slots[slot]
                counts[found] += np.uint32(1)
                numbers_n[place] = found
                continue
            slots[slot] = np.uint32(num)
            keys[num] = key
            counts[num] = np.uint32(1)
            numbers_n[place] = np.uint32(num)
            num += 1
            if num < len(keys):
                continue
            bits += 1
            keys = np.concatenate((keys, np.empty(num, dtype=np.uint64)))
            counts = np.concatenate((counts, np.empty(num, dtype=np.uint32)))
            slots = np.full(1 << bits, NONE, dtype=np.uint32)
            mask = np.uint64((1 << bits) - 1)
            for other in range(num):
                slot = (keys[other] * SPREAD) >> np.uint64(64 - bits)
                while slots[slot] != NONE:
                    slot = (slot + np.uint64(1)) & mask
                slots[slot] = np.uint32(other)
    return keys[:num], counts[:num], numbers_n


@compiled
def renumber(numbers_n: Array, rank: Array) -> None:
    """Replace each number by its rank, in place; `NONE` stays."""
    for place in range(len(numbers_n)):
        if numbers_n[place] != NONE:
            numbers_n[place] = rank[numbers_n[place]]


@compiled
def child_of(children: Array, tokens: Array, node: int, token: int) -> int:
    """Return the node of `node`'s n-gram with `token` behind it, or -1.

    Args:
        children: Node m has the children children[m] to children[m + 1].
        tokens: The last token of each node.
        node: The n-gram.
        token: What comes behind it.
    """
    low: Any = np.int64(children[node])
    end: Any = np.int64(children[node + 1])
    high = end
    while low < high:
        middle = (low + high) >> 1
        if tokens[middle] < token:
            low = middle + 1
        else:
            high = middle
    if low < end and tokens[low] == token:
        return low  # type: ignore[no-any-return]
    return -1


@compiled
def find_suffixes(children: Array, tokens: Array, vocab_size: int) -> Array:
    """Return int64[M]: the node of each n-gram without its first token; -1 for order 1 and where there is none."""
    suffixes = np.full(len(tokens), -1, dtype=np.int64)
    for node in range(len(children) - 1):
        for child in range(children[node], children[node + 1]):
            if node < vocab_size:
                suffixes[child] = tokens[child]
            elif suffixes[node] >= 0:
                suffixes[child] = child_of(children, tokens, suffixes[node], tokens[child])
    return suffixes


@compiled
def walk(children: Array, tokens: Array, order: int, before: Array, after: Array, token: int) -> None:
    """Fill `after` with the nodes that end with `token`, given those that ended before it.

    Both are int64[order + 1]: entry k is the node of the k-gram at the end of the text, -1 where it was never seen.
    """
    after[:] = -1
    after[1] = token
    for length in range(2, order + 1):
        if before[length - 1] < 0:
            return
        after[length] = child_of(children, tokens, before[length - 1], token)
        if after[length] < 0:  # a longer one would contain it
            return


@compiled
def score_documents(
    children: Array, tokens: Array, order: int, log_probability: Array, log_rest: Array, ids_n: Array, bounds: Array
) -> Array:
    """Return float64[N]: the log-probability of each token given those before it in its document.

    Args:
        children: See `child_of`.
        tokens: See `child_of`.
        order: Of the model.
        log_probability: Of each node: of its last token after those before.
        log_rest: Of each node that can be a context: the share that goes to the next shorter one.
        ids_n: Token ids, all below the size of the vocabulary.
        bounds: int64[D + 1].
    """
    scores_n = np.empty(len(ids_n), dtype=np.float64)
    before = np.full(order + 1, -1, dtype=np.int64)
    after = np.full(order + 1, -1, dtype=np.int64)
    for document in range(len(bounds) - 1):
        before[:] = -1
        for place in range(bounds[document], bounds[document + 1]):
            walk(children, tokens, order, before, after, ids_n[place])
            longest = 1
            while longest < order and after[longest + 1] >= 0:
                longest += 1
            score = log_probability[after[longest]]
            for length in range(longest, order):
                if before[length] >= 0:
                    score += log_rest[before[length]]
            scores_n[place] = score
            before, after = after, before
    return scores_n


@compiled
def walk_to_end(children: Array, tokens: Array, order: int, ids_t: Array) -> Array:
    """Return int64[order + 1]: the nodes at the end of a text, see `walk`."""
    before = np.full(order + 1, -1, dtype=np.int64)
    after = np.full(order + 1, -1, dtype=np.int64)
    for place in range(len(ids_t)):
        walk(children, tokens, order, before, after, ids_t[place])
        before, after = after, before
    return before
