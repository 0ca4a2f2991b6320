"""Which tokens of a row make up a word, in English and in Chinese.

Where there are spaces, the tokens say where words begin. Chinese has none: runs of tokens without any ASCII are put
together as text again and cut by a dictionary (jieba's, through its Rust port), as Cui et al. 2021 do with LTP for
their whole-word BERT. A token that reaches over the end of a word belongs to the word it begins in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.objectives.pieces import piece_bytes, word_starts

if TYPE_CHECKING:
    from workbench.api import Vocab

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
BEYOND_ASCII = 0x80
BROKEN = re.compile("[\udc80-\udcff]")  # bytes of a character that the row begins or ends in


def words_of(ids_t: Ints, segments_t: Ints, vocab: Vocab) -> Ints:
    """Return int64[T]: the number of the word that each token belongs to, counted through the row."""
    starts_t = word_starts(vocab)[ids_t]
    starts_t[0] = True
    starts_t[1:] |= segments_t[1:] != segments_t[:-1]
    unspaced_v = np.zeros(vocab.size, dtype=bool)
    known_v = _unspaced(tuple(vocab.pieces))
    unspaced_v[: len(known_v)] = known_v
    unspaced_t = unspaced_v[ids_t]
    edges_t = np.flatnonzero(np.diff(unspaced_t, prepend=False) | (np.diff(segments_t, prepend=segments_t[0]) != 0))
    for begin, end in pairwise([*edges_t.tolist(), len(ids_t)]):
        if unspaced_t[begin]:
            starts_t[begin:end] = _cut([piece_bytes(tuple(vocab.pieces))[number] for number in ids_t[begin:end]])
    return np.cumsum(starts_t, dtype=np.int64)


def _cut(pieces: list[bytes]) -> list[bool]:
    """Return which of these tokens a word of the dictionary begins in."""
    import rjieba

    pieces = [pieces[0].lstrip(b" "), *pieces[1:]]
    text = BROKEN.sub("?", b"".join(pieces).decode("utf-8", "surrogateescape"))  # one byte for one byte
    begins = {0}
    place = 0
    for word in rjieba.cut(text):
        place += len(word.encode())
        begins.add(place)
    starts, place = [], 0
    for piece in pieces:
        starts.append(place in begins)
        place += len(piece)
    return starts


@lru_cache(maxsize=4)
def _unspaced(pieces: tuple[str, ...]) -> Bools:
    """Return bool[V]: the tokens that hold no ASCII but for a space in front."""
    return np.array(
        [
            bool(text.lstrip(b" ")) and all(byte >= BEYOND_ASCII for byte in text.lstrip(b" "))
            for text in piece_bytes(pieces)
        ],
        dtype=bool,
    )
