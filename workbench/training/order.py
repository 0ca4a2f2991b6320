"""The order of the data: a pure function of (seed, position), so that any step can be found without replaying.

Every epoch visits each example once, in an order of its own. The order is never stored: a keyed permutation of
0 … n-1 gives the example at any position at once. It is a Feistel network over the next power of four (Luby and
Rackoff 1988) with cycle walking (Black and Rogaway 2002): what falls outside is permuted again until it falls
inside, less than four times on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.int64]]
Unsigned = np.ndarray[Any, np.dtype[np.uint64]]

ROUNDS = 6  # four give a strong pseudo-random permutation in theory; six leave room for a plain mixing function
MASK64 = (1 << 64) - 1


def example_at(seed: int, position: int, num_examples: int) -> int:
    """Return the example at `position` of the endless sequence of epochs.

    >>> sorted(example_at(7, position, 5) for position in range(5, 10))
    [0, 1, 2, 3, 4]
    """
    return int(_examples(seed, np.array([position], dtype=np.uint64), num_examples)[0])


def batch_examples(seed: int, step: int, batch_size: int, num_examples: int) -> Indices:
    """Return the examples of a step. Steps count from 1; an epoch may end within a batch."""
    first = (step - 1) * batch_size
    return _examples(seed, np.arange(first, first + batch_size, dtype=np.uint64), num_examples)


def permutation(seed: int, epoch: int, index_n: np.ndarray[Any, Any], size: int) -> Indices:
    """Return where the permutation of an epoch puts each index of 0 … size-1.

    >>> sorted(permutation(7, 1, np.arange(5), 5).tolist())
    [0, 1, 2, 3, 4]
    """
    return permuted(index_n.astype(np.uint64), size, _round_keys(seed, epoch)).astype(np.int64)


def _examples(seed: int, position_n: Unsigned, num_examples: int) -> Indices:
    epoch_n, within_n = np.divmod(position_n, np.uint64(num_examples))
    example_n = np.empty(len(position_n), dtype=np.int64)
    for epoch in np.unique(epoch_n):
        here = epoch_n == epoch
        example_n[here] = permuted(within_n[here], num_examples, _round_keys(seed, int(epoch)))
    return example_n


def permuted(index_n: Unsigned, size: int, keys: Unsigned) -> Unsigned:
    """Return where the permutation of 0 … size-1 with these round keys puts each index."""
    half_bits = max(1, -(-(size - 1).bit_length() // 2))
    result_n = _feistel(index_n, half_bits, keys)
    outside_n = result_n >= size
    while outside_n.any():
        result_n[outside_n] = _feistel(result_n[outside_n], half_bits, keys)
        outside_n = result_n >= size
    return result_n


def _feistel(value_n: Unsigned, half_bits: int, keys: Unsigned) -> Unsigned:
    low = np.uint64((1 << half_bits) - 1)
    shift = np.uint64(half_bits)
    left_n, right_n = value_n >> shift, value_n & low
    for key in keys:
        left_n, right_n = right_n, left_n ^ (_mix(right_n ^ key) & low)
    return (left_n << shift) | right_n


def _mix(value_n: Unsigned) -> Unsigned:
    """Mix 64 bits, the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    value_n = (value_n ^ (value_n >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value_n = (value_n ^ (value_n >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value_n ^ (value_n >> np.uint64(31))


def _round_keys(seed: int, epoch: int) -> Unsigned:
    words = np.random.SeedSequence([seed & MASK64, epoch]).generate_state(ROUNDS, dtype=np.uint64)
    return words.astype(np.uint64)
