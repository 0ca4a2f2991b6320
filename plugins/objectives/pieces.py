"""What a vocabulary's tokens are in text: where words begin, where sentences end.

Three ways of writing tokens are told apart by what the vocabulary holds: WordPiece marks what goes on (`##ing`),
Metaspace what begins (`▁the`), byte-level ones spell bytes as letters, a space as `Ġ` (`Ġthe`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.api import Vocab

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Style = Literal["wordpiece", "metaspace", "bytes"]
SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "…", "\n")  # Chinese marks are meant
SPACE = {"metaspace": "▁", "bytes": "Ġ"}


def sentence_ends(vocab: Vocab) -> Bools:
    """Return bool[V]: the tokens with which a sentence ends, in English or Chinese, and the end token."""
    ends_v = np.zeros(vocab.size, dtype=bool)
    texts = piece_texts(tuple(vocab.pieces))
    ends_v[: len(texts)] = [text.rstrip(" \"'”’)」』").endswith(SENTENCE_ENDS) for text in texts]
    if vocab.eos is not None:
        ends_v[vocab.eos] = True
    return ends_v


def word_starts(vocab: Vocab) -> Bools:
    """Return bool[V]: the tokens that a word begins with, by spaces and punctuation."""
    starts_v = np.ones(vocab.size, dtype=bool)
    style = style_of(vocab.pieces)
    if style == "wordpiece":
        starts_v[: len(vocab.pieces)] = [not piece.startswith("##") for piece in vocab.pieces]
        return starts_v
    space = SPACE[style]
    texts = piece_texts(tuple(vocab.pieces))
    starts_v[: len(texts)] = [
        piece.startswith(space) or not text[:1].isalnum() for piece, text in zip(vocab.pieces, texts, strict=True)
    ]
    return starts_v


def style_of(pieces: Sequence[str]) -> Style:
    """Return how tokens are written.

    >>> style_of(["un", "##known"]), style_of(["Ġthe"]), style_of(["▁the"])
    ('wordpiece', 'bytes', 'metaspace')
    """
    if any(piece.startswith("##") and len(piece) > 2 for piece in pieces):  # noqa: PLR2004  # `##` alone is a heading
        return "wordpiece"
    return "metaspace" if any(piece.startswith("▁") for piece in pieces) else "bytes"


@lru_cache(maxsize=4)
def piece_texts(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """Return the text of each token; bytes that are no whole character become a replacement character.

    >>> piece_texts(("Ġthe", "ãĢĤ"))
    (' the', '。')
    """
    style = style_of(pieces)
    if style == "wordpiece":
        return tuple(piece.removeprefix("##") for piece in pieces)
    if style == "metaspace":
        return tuple(piece.replace("▁", " ") for piece in pieces)
    table = byte_letters()
    return tuple(
        bytes(table[letter] for letter in piece).decode("utf-8", "replace") if set(piece) <= table.keys() else piece
        for piece in pieces
    )


@lru_cache(maxsize=1)
def byte_letters() -> dict[str, int]:
    """Return the letter → byte table of byte-level tokenizers (Radford et al. 2019): printable bytes are themselves."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + place): byte for place, byte in enumerate(others)}
