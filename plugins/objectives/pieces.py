"""What a vocabulary's tokens are in text: where words begin, where sentences end.

Three ways of writing tokens are told apart by what the vocabulary holds: WordPiece marks what goes on (`##ing`),
Metaspace what begins (`▁the`, and `<0xE5>` for a byte of a rare character), byte-level ones spell bytes as letters, a
space as `Ġ` (`Ġthe`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.api import Vocab

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Style = Literal["wordpiece", "metaspace", "bytes"]
SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "…", "\n")  # Chinese marks are meant
BYTE = re.compile("<0x[0-9A-F]{2}>")
SPACE = {"metaspace": "▁", "bytes": "Ġ"}


def sentence_ends(vocab: Vocab) -> Bools:
    """Return bool[V]: the tokens with which a sentence ends, in English or Chinese, and the end token."""
    ends_v = np.zeros(vocab.size, dtype=bool)
    known_v = _ends(tuple(vocab.pieces))
    ends_v[: len(known_v)] = known_v
    if vocab.eos is not None:
        ends_v[vocab.eos] = True
    return ends_v


def word_starts(vocab: Vocab) -> Bools:
    """Return bool[V]: the tokens that a word begins with, by spaces and punctuation."""
    starts_v = np.ones(vocab.size, dtype=bool)
    known_v = _starts(tuple(vocab.pieces))
    starts_v[: len(known_v)] = known_v
    return starts_v


@lru_cache(maxsize=4)
def _ends(pieces: tuple[str, ...]) -> Bools:
    return np.array([text.rstrip(" \"'”’)」』").endswith(SENTENCE_ENDS) for text in piece_texts(pieces)], dtype=bool)


@lru_cache(maxsize=4)
def _starts(pieces: tuple[str, ...]) -> Bools:
    style = style_of(pieces)
    if style == "wordpiece":
        return np.array([not piece.startswith("##") for piece in pieces], dtype=bool)
    parts = zip(pieces, piece_texts(pieces), strict=True)
    return np.array([piece.startswith(SPACE[style]) or not text[:1].isalnum() for piece, text in parts], dtype=bool)


def style_of(pieces: Sequence[str]) -> Style:
    """Return how tokens are written.

    >>> style_of(["un", "##known"]), style_of(["Ġthe"]), style_of(["▁the"])
    ('wordpiece', 'bytes', 'metaspace')
    """
    if any(piece.startswith("##") and piece[2:3].isalnum() for piece in pieces):  # `##` and `###` are headings
        return "wordpiece"
    return "metaspace" if any(piece.startswith("▁") for piece in pieces) else "bytes"


@lru_cache(maxsize=4)
def piece_texts(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """Return the text of each token; bytes that are no whole character become a replacement character.

    >>> piece_texts(("Ġthe", "ãĢĤ"))
    (' the', '。')
    """
    return tuple(piece.decode("utf-8", "replace") for piece in piece_bytes(pieces))


@lru_cache(maxsize=4)
def piece_bytes(pieces: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the UTF-8 that each token stands for, a space before it where it says so."""
    style = style_of(pieces)
    if style == "wordpiece":
        return tuple(piece.removeprefix("##").encode() for piece in pieces)
    if style == "metaspace":
        return tuple(
            bytes([int(piece[3:5], 16)]) if BYTE.fullmatch(piece) else piece.replace("▁", " ").encode()
            for piece in pieces
        )
    table = byte_letters()
    return tuple(
        bytes(table[letter] for letter in piece) if set(piece) <= table.keys() else piece.encode() for piece in pieces
    )


@lru_cache(maxsize=1)
def byte_letters() -> dict[str, int]:
    """Return the letter → byte table of byte-level tokenizers (Radford et al. 2019): printable bytes are themselves."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + place): byte for place, byte in enumerate(others)}
