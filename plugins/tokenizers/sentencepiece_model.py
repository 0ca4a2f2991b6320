"""SentencePiece's `.model` files as they lie on disk.

Read here and not by a class of protobuf, since sentencepiece and transformers both register one under the same name,
and whichever comes second fails. Only what an encoder needs is read: pieces, special ids, the normaliser.

Source: sentencepiece_model.proto of google/sentencepiece; the wire format of protocol buffers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from workbench.api import StepError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_BITS = 70  # ten groups of seven: the longest number there is


class Kind(IntEnum):
    """What a piece is."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True)
class Piece:
    """One token; its id is its place."""

    text: str
    score: float
    kind: Kind


@dataclass(frozen=True)
class SentencePieceModel:
    """A model file.

    Attributes:
        pieces: By id.
        algorithm: `unigram`, `bpe`, `word` or `char`.
        byte_fallback: Whether unknown characters become bytes.
        ids: `unk`, `bos`, `eos`, `pad` → id, -1 where there is none.
        charsmap: The compiled table of the normaliser, empty for none.
        prefix: Whether a space is put before the text.
        one_space: Whether runs of spaces become one, and none stays at the ends.
        is_prefix_space: Whether `▁` stands before a word, not after it.
        escapes: Whether a space is written `▁`.
    """

    pieces: tuple[Piece, ...]
    algorithm: str
    byte_fallback: bool
    ids: dict[str, int]
    charsmap: bytes
    prefix: bool
    one_space: bool
    is_prefix_space: bool
    escapes: bool


def read_model(content: bytes, where: str) -> SentencePieceModel:
    """Return what a `.model` file holds. Raises `StepError` when it is damaged or something else."""
    try:
        return _model(content)
    except (ValueError, IndexError, KeyError, TypeError, struct.error) as fault:
        raise StepError(
            f"no model of SentencePiece, or a damaged one: {str(fault)[:80]}",
            where=where,
            expected="a .model file that spm_train wrote",
        ) from fault


def _model(content: bytes) -> SentencePieceModel:
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    for number, value in fields(content):
        if number == 1:
            pieces.append(_piece(dict(fields(value))))
        elif number == 2:  # noqa: PLR2004  # trainer_spec
            trainer = dict(fields(value))
        elif number == 3:  # noqa: PLR2004  # normalizer_spec
            normalizer = dict(fields(value))
    if not pieces:
        raise ValueError("it has no pieces")
    return SentencePieceModel(
        pieces=tuple(pieces),
        algorithm={1: "unigram", 2: "bpe", 3: "word", 4: "char"}[trainer.get(3, 1)],
        byte_fallback=bool(trainer.get(35, 0)),
        ids={name: _signed(trainer.get(40 + place, default)) for place, (name, default) in enumerate(_IDS)},
        charsmap=bytes(normalizer.get(2, b"")),
        prefix=bool(normalizer.get(3, 1)),
        one_space=bool(normalizer.get(4, 1)),
        is_prefix_space=not trainer.get(24, 0),
        escapes=bool(normalizer.get(5, 1)),
    )


_IDS = (("unk", 0), ("bos", 1), ("eos", 2), ("pad", -1))  # fields 40 to 43 and their defaults


def _piece(found: dict[int, Any]) -> Piece:
    score = struct.unpack("<f", found[2])[0] if 2 in found else 0.0  # noqa: PLR2004  # the field's number
    if not math.isfinite(score):
        raise ValueError(f"a piece has the score {score}")
    return Piece(bytes(found[1]).decode("utf-8"), score, Kind(found.get(3, 1)))


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def fields(content: bytes) -> Iterator[tuple[int, Any]]:
    r"""Yield (number, value) of every field of a message; numbers as int, everything else as bytes.

    >>> list(fields(b"\x08\x96\x01\x12\x02hi"))
    [(1, 150), (2, b'hi')]
    """
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        wire = key & 7
        if wire == VARINT:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        if wire == BYTES:
            size, place = _varint(content, place)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {place}")
        if place + size > len(content):
            raise ValueError(f"it ends inside a field, at byte {len(content)}")
        yield key >> 3, content[place : place + size]
        place += size


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while shift < MOST_BITS:
        if place >= len(content):
            raise ValueError(f"it ends inside a number, at byte {place}")
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the last group
            return value, place
        shift += 7
    raise ValueError(f"a number without an end at byte {place}")
