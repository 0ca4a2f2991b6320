"""The compiled part of `url-list`: is a host, a domain above it, or a beginning of its path on a list of millions.

A list is its entries' 64-bit hashes in order, eight bytes each, and a directory that says where the hashes with the
same first bits begin; looking one up reads two places of memory. Two different addresses of n share a hash with a
chance of about n²/2⁶⁵: one in three hundred thousand for ten million.
"""

from __future__ import annotations

import numpy as np
from workbench_plugins.filters.minhash_kernel import FNV_OFFSET, FNV_PRIME, compiled, inner, mixed

DOT, SLASH, QUESTION = 0x2E, 0x2F, 0x3F
NONE = -1


@compiled
def hash_keys(offsets: np.ndarray, content: np.ndarray, hashes: np.ndarray) -> None:
    """Fill the hash of each key (`host`, or host and path as one)."""
    for key in range(offsets.size - 1):
        value = FNV_OFFSET
        for position in range(offsets[key], offsets[key + 1]):
            value = (value ^ np.uint64(content[position])) * FNV_PRIME
        hashes[key] = mixed(value)


@inner
def place_of(value: np.uint64, hashes: np.ndarray, directory: np.ndarray, shift: np.uint64) -> int:
    """Return where a hash stands among the hashes, or -1."""
    bucket = np.int64(value >> shift)
    for place in range(directory[bucket], directory[bucket + 1]):
        if hashes[place] == value:
            return place
    return NONE


@inner
def longest_path(
    value: np.uint64, path: np.ndarray, hashes: np.ndarray, directory: np.ndarray, shift: np.uint64
) -> tuple[int, int]:
    """Return the place of the longest entry that the host with this hash so far and its path begin with; and how long.

    A path is cut before each `/` and `?` and at its end.
    """
    best, length = place_of(mixed(value), hashes, directory, shift), 0
    for position in range(path.size):
        value = (value ^ np.uint64(path[position])) * FNV_PRIME
        following = path[position + 1] if position + 1 < path.size else SLASH
        if following in (SLASH, QUESTION):
            place = place_of(mixed(value), hashes, directory, shift)
            if place != NONE:
                best, length = place, position + 1
    return best, length


@compiled
def look_up(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects that hold them
    host_offsets: np.ndarray,
    hosts: np.ndarray,
    path_offsets: np.ndarray,
    paths: np.ndarray,
    is_numeric: np.ndarray,
    hashes: np.ndarray,
    directory: np.ndarray,
    places: np.ndarray,
    cuts: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Fill, for each address, the place of the entry that covers it (-1: none), its first byte of host, bytes of path.

    Domains are tried from the host itself upwards, so the most special entry is named; of an address that is a number
    (`is_numeric`) the whole alone.
    """
    shift = np.uint64(64)
    size = directory.size - 1
    while size > 1:
        shift, size = shift - np.uint64(1), size >> 1
    for row in range(host_offsets.size - 1):
        start, end = host_offsets[row], host_offsets[row + 1]
        path = paths[path_offsets[row] : path_offsets[row + 1]]
        places[row] = NONE
        for first in range(start, end):
            if first > start and (is_numeric[row] or hosts[first - 1] != DOT):
                continue
            value = FNV_OFFSET
            for position in range(first, end):
                value = (value ^ np.uint64(hosts[position])) * FNV_PRIME
            place, length = longest_path(value, path, hashes, directory, shift)
            if place != NONE:
                places[row], cuts[row], lengths[row] = place, first - start, length
                break
