"""Replacing pieces of the texts of a batch, in compiled code."""

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import compiled


@compiled
def splice(
    offsets: np.ndarray,
    content: np.ndarray,
    places: np.ndarray,
    bounds: np.ndarray,
    instead: np.ndarray,
    new_offsets: np.ndarray,
    output: np.ndarray,
) -> None:
    """Write the texts with the bytes `places[0]` to `places[1]` (int64[2, n], in order) replaced.

    What stands instead of the i-th are the bytes `bounds[i]` to `bounds[i + 1]` of `instead`. A piece lies within one
    text; `output` (uint8) has room for all, and `new_offsets` says where the texts begin in it.
    """
    edit, read, written = 0, offsets[0], 0
    new_offsets[0] = 0
    for row in range(offsets.size - 1):
        end = offsets[row + 1]
        while edit < places.shape[1] and places[0, edit] < end:
            size = places[0, edit] - read
            output[written : written + size] = content[read : read + size]
            written += size
            for place in range(bounds[edit], bounds[edit + 1]):
                output[written] = instead[place]
                written += 1
            read = places[1, edit]
            edit += 1
        size = end - read
        output[written : written + size] = content[read : read + size]
        written, read = written + size, end
        new_offsets[row + 1] = written
