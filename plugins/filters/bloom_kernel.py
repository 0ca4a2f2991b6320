"""The compiled part of a Bloom filter."""

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import compiled


@compiled
def add_to_bits(high: np.ndarray, low: np.ndarray, bits: np.ndarray, size: int, places: int, seen: np.ndarray) -> None:
    """Set in `bits`, 64 to a number, the `places` bits of each item out of `size`; `seen` says where all were set."""
    for item in range(high.size):
        place, step = high[item], low[item] | np.uint64(1)
        known = True
        for _ in range(places):
            bit = place % np.uint64(size)
            word, mask = bit >> np.uint64(6), np.uint64(1) << (bit & np.uint64(63))
            known = known and bits[word] & mask != np.uint64(0)
            bits[word] |= mask
            place += step
        seen[item] = known
