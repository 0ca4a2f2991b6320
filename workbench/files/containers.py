"""Containers: plain bytes, gzip, zstd, bzip2 and xz, each told by its first bytes and never by its name.

Special here: a stream counts as whole only when its own end mark was seen (`zstandard` and `zlib` return quietly from
a stream that is cut short), any number of members may follow each other, and what follows the last one is damage.
Memory is bounded whatever the ratio: at most `PIECE_BYTES` come out at a time, or, for zstd, what 2 KiB can
expand to.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import zstandard

PIECE_BYTES = 1 << 20
ZSTD_FEED_BYTES = 2048  # a 4-byte RLE block gives 128 KiB, so one feed gives 64 MiB at the worst
GATHERED_BYTES = 1 << 18  # many small pieces cost more to cut into lines than to expand
ZSTD_MAX_WINDOW = 1 << 27  # what the zstd command accepts without --long
XZ_MAX_MEMORY = 1 << 28
SNIFF_BYTES = 8

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    *((bytes([first]) + b"\x2a\x4d\x18", "zstd") for first in range(0x50, 0x60)),  # skippable frames
    (b"\xfd7zXZ\x00", "xz"),
)
_NAMED = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00"}
_FOREIGN = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"%PDF-", "a PDF document"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"\x00\x00\xfe\xff", "UTF-32 text"),
)


class Damage(Exception):
    """What is wrong with a container.

    Attributes:
        reason: A slug: `truncated-gzip`, `damaged-zstd`, `trailing-garbage`, `expands-too-much`.
        detail: One sentence.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


class _Decompressor(Protocol):
    """What the decompressors of the standard library share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


@dataclass
class _Stream:
    """One member being expanded.

    Attributes:
        decompressor: Knows whether the end mark was seen, and what followed it.
        feed: Takes input; gives bytes, and what of the input is still to be fed.
        is_hungry: Whether it can go on only with more input.
    """

    decompressor: _Decompressor
    feed: Callable[[bytes], tuple[bytes, bytes]]
    is_hungry: Callable[[], bool] = lambda: True


def container_of(head: bytes) -> str:
    r"""Return the container that the first bytes belong to: `gzip`, `zstd`, `bzip2`, `xz` or `plain`.

    Raises `Damage` for a kind of file that no reader of lines or text can take.

    >>> container_of(b"\x1f\x8b\x08"), container_of(b"{}")
    ('gzip', 'plain')
    """
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise Damage("unsupported-file", f"this is {what}; expected UTF-8 text, plain, gzip, zstd, bzip2 or xz")
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    # "BZh" alone could begin a text; the level and the block mark make it sure.
    if head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:8] in (b"1AY&", b"\x17rE8"):
        return "bzip2"
    return "plain"


def refuse_stump(head: bytes, suffix: str) -> None:
    """Raise `Damage` for a file of a few bytes that a cut left of the container its name speaks of."""
    magic = _NAMED.get(suffix.lower(), b"")
    # The mark of bzip2 goes on behind its three letters, see `container_of`; with fewer bytes it is not told.
    least = SNIFF_BYTES if magic == b"BZh" else len(magic)
    if magic and len(head) < least and (magic.startswith(head) or head.startswith(magic)):
        raise Damage("truncated-file", f"{len(head)} bytes are left of a {suffix} file")


def expand(file: BinaryIO, container: str) -> Iterator[bytes]:
    """Yield the content of `file` in bounded pieces. Raises `Damage` where the container is not whole."""
    if container == "plain":
        while piece := file.read(PIECE_BYTES):
            yield piece
        return
    waiting: list[bytes] = []
    num_bytes = 0
    try:
        for piece in _expand_members(file, container):
            waiting.append(piece)
            num_bytes += len(piece)
            if num_bytes >= GATHERED_BYTES:
                yield b"".join(waiting)
                waiting, num_bytes = [], 0
    except Damage:
        yield b"".join(waiting)
        raise
    yield b"".join(waiting)


def _expand_members(file: BinaryIO, container: str) -> Iterator[bytes]:
    start, feed_bytes = _STREAMS[container]
    pending = file.read(feed_bytes)
    while pending:
        stream = start()
        while not stream.decompressor.eof:
            at_end = False
            if not pending and stream.is_hungry():
                pending = file.read(feed_bytes)
                at_end = not pending
            try:
                piece, pending = stream.feed(pending)
            except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError) as error:
                raise Damage(f"damaged-{container}", _readable(error)) from error
            if piece:
                yield piece
            elif at_end and not stream.decompressor.eof:
                raise Damage(f"truncated-{container}", f"the {container} stream ends before its end mark")
        pending = stream.decompressor.unused_data or file.read(feed_bytes)
        pending = _next_member(file, pending, container)


def _next_member(file: BinaryIO, pending: bytes, container: str) -> bytes:
    """Return the bytes at the start of the next member, none at the end. Raises `Damage` when it is neither."""
    if container in ("gzip", "xz"):  # both allow zeros as padding
        while pending and not pending.strip(b"\x00"):
            pending = file.read(PIECE_BYTES)
        pending = pending.lstrip(b"\x00")
    if len(pending) < SNIFF_BYTES:
        pending += file.read(SNIFF_BYTES)
    if pending and _container_or_plain(pending) != container:
        raise Damage("trailing-garbage", f"bytes that are no {container} stream follow the end of the last one")
    return pending


def _container_or_plain(head: bytes) -> str:
    try:
        return container_of(head)
    except Damage:
        return "plain"


def _readable(error: Exception) -> str:
    return str(error).partition(":")[2].strip() or str(error)


def _gzip() -> _Stream:
    decompressor = zlib.decompressobj(wbits=31)  # 16 + 15: gzip header and check sum, largest window

    def feed(data: bytes) -> tuple[bytes, bytes]:
        return decompressor.decompress(data, PIECE_BYTES), decompressor.unconsumed_tail

    return _Stream(decompressor, feed)


def _zstd() -> _Stream:
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW).decompressobj()
    return _Stream(decompressor, lambda data: (decompressor.decompress(data) if data else b"", b""))


def _holding(decompressor: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> _Stream:
    """Wrap a decompressor that keeps the input it did not get to, and takes no bytes to go on."""

    def feed(data: bytes) -> tuple[bytes, bytes]:
        return decompressor.decompress(data, PIECE_BYTES), b""

    return _Stream(decompressor, feed, lambda: decompressor.needs_input)


_STREAMS: dict[str, tuple[Callable[[], _Stream], int]] = {
    "gzip": (_gzip, PIECE_BYTES),
    "zstd": (_zstd, ZSTD_FEED_BYTES),
    "bzip2": (lambda: _holding(bz2.BZ2Decompressor()), PIECE_BYTES),
    "xz": (lambda: _holding(lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MAX_MEMORY)), PIECE_BYTES),
}
