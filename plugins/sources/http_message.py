"""HTTP responses as archives keep them: status, fields, and the body without its transfer and content encodings.

Special here: many archives keep the fields of a body that was decoded long ago. A body that does not begin as its
encoding must is taken as it is; one that begins so and breaks later is damaged.
Source: RFC 9112 (messages, chunks), RFC 9110 section 8.4 (content encodings).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

MAX_HEADER_BYTES = 256 << 10
GZIP, GZIP_BITS = b"\x1f\x8b", 31  # what a member begins with; 16 for its header and 15 for the largest window
MAX_MEMBERS = 1000  # of gzip in one body: each costs a copy of those behind it
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,256})?\r?\n")


class BadMessage(ValueError):
    """Raise for what is no HTTP response: reason and detail."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response.

    Attributes:
        status: 100 to 599.
        fields: Lower-case name → value.
        body: As it was sent.
    """

    status: int
    fields: dict[str, str]
    body: bytes


def parse_response(content: bytes) -> Response:
    r"""Return the response in `content`. Raises `BadMessage`.

    >>> parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody")
    Response(status=200, fields={'a': 'b'}, body=b'body')
    """
    found = _STATUS.match(content)
    if not found:
        raise BadMessage("invalid-http", f"the block begins with {content[:40]!r}, not with HTTP/1.1 and a status")
    end, size = min(
        (
            (place, len(mark))
            for mark in (b"\r\n\r\n", b"\n\n")
            if (place := content.find(mark, 0, MAX_HEADER_BYTES)) > 0
        ),
        default=(len(content), 0),
    )
    if not size and len(content) > MAX_HEADER_BYTES:
        raise BadMessage("invalid-http", f"no end of the header within {MAX_HEADER_BYTES:,} bytes")
    fields: dict[str, str] = {}
    for line in content[:end].splitlines()[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip().decode("latin-1").lower()] = value.strip().decode("latin-1")
    return Response(int(found[1]), fields, content[end + size :])


def decoded_body(response: Response, max_bytes: int, *, is_cut: bool = False) -> bytes:
    """Return the body without chunks and compression.

    Args:
        response: The response.
        max_bytes: What may come out of it.
        is_cut: The archive says that the body was cut short, so that a missing end is no fault.

    Raises:
        BadMessage: `bad-chunked-body`, `bad-content-encoding`, `body-too-long`.
    """
    body = response.body
    if "chunked" in response.fields.get("transfer-encoding", "").lower():
        body = _joined_chunks(body, is_cut=is_cut)
    encodings = [name.strip().lower() for name in response.fields.get("content-encoding", "").split(",")]
    for encoding in reversed(encodings):
        if encoding in _DECODERS and body:
            body = _DECODERS[encoding](body, max_bytes, is_cut)
        elif encoding not in ("", "identity", "none", "utf-8", "deflate") and body and not _looks_decoded(body):
            raise BadMessage("bad-content-encoding", f"the content encoding {encoding[:40]!r} is not known")
    return body


def _joined_chunks(body: bytes, *, is_cut: bool) -> bytes:
    if not _CHUNK.match(body):
        return body  # decoded when it was stored
    parts: list[bytes] = []
    place = 0
    while True:
        size = _CHUNK.match(body, place)
        if not size:
            if is_cut:
                return b"".join(parts)
            raise BadMessage(
                "bad-chunked-body", f"byte {place} of the body: {body[place : place + 20]!r} is no chunk size"
            )
        length, start = int(size[1], 16), size.end()
        if not length:
            return b"".join(parts)
        parts.append(body[start : start + length])
        end = start + length
        if body[end : end + 2] == b"\r\n":
            place = end + 2
        elif body[end : end + 1] == b"\n":
            place = end + 1
        elif is_cut and end >= len(body):
            return b"".join(parts)
        else:
            raise BadMessage(
                "bad-chunked-body", f"byte {place} of the body: no line end after a chunk of {length:,} bytes"
            )


def _looks_decoded(body: bytes) -> bool:
    return body[:256].lstrip().startswith(b"<")


def _gzip(body: bytes, max_bytes: int, is_cut: bool) -> bytes:  # noqa: FBT001  # shape of a decoder
    if not body.startswith(GZIP):
        return body
    return _inflated(body, GZIP_BITS, max_bytes, is_cut=is_cut)


def _deflate(body: bytes, max_bytes: int, is_cut: bool) -> bytes:  # noqa: FBT001
    # Named deflate, it should have a zlib header; some servers send none.
    has_header = body[0] & 0x0F == zlib.DEFLATED and len(body) > 1 and (body[0] << 8 | body[1]) % 31 == 0
    if not has_header and _looks_decoded(body):
        return body
    return _inflated(body, 15 if has_header else -15, max_bytes, is_cut=is_cut)


def _inflated(body: bytes, wbits: int, max_bytes: int, *, is_cut: bool) -> bytes:
    content, is_whole = b"", False
    for _ in range(MAX_MEMBERS):
        decompressor = zlib.decompressobj(wbits=wbits)
        try:
            content += decompressor.decompress(body, max_bytes + 1 - len(content))
        except zlib.error as error:
            raise BadMessage("bad-content-encoding", str(error).partition(":")[2].strip() or str(error)) from error
        is_whole = decompressor.eof
        # Any number of members of gzip may follow each other (RFC 1952, section 2.2); other bytes behind one are passed over.
        following = decompressor.unused_data
        if not following.startswith(GZIP) or wbits != GZIP_BITS or len(content) > max_bytes:
            break
        body, is_whole = following, False
    return _whole(content, max_bytes, is_whole=is_whole or is_cut)


def _brotli(body: bytes, max_bytes: int, is_cut: bool) -> bytes:  # noqa: FBT001
    import brotli

    if _looks_decoded(body):
        return body
    decompressor = brotli.Decompressor()
    parts: list[bytes] = []
    held = 0
    try:
        piece = decompressor.process(body, output_buffer_limit=1 << 20)
        while piece:
            parts.append(piece)
            held += len(piece)
            if held > max_bytes:
                break
            piece = decompressor.process(b"", output_buffer_limit=1 << 20)
    except brotli.error as error:
        raise BadMessage("bad-content-encoding", f"brotli: {error}") from error
    return _whole(b"".join(parts), max_bytes, is_whole=decompressor.is_finished() or is_cut)


def _zstd(body: bytes, max_bytes: int, is_cut: bool) -> bytes:  # noqa: FBT001
    import zstandard

    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return body
    parts: list[bytes] = []
    held = 0
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 23).decompressobj()
    try:
        for start in range(0, len(body), 2048):  # one feed gives 64 MiB at the worst
            parts.append(decompressor.decompress(body[start : start + 2048]))
            held += len(parts[-1])
            if held > max_bytes or decompressor.eof:
                break
    except zstandard.ZstdError as error:
        raise BadMessage("bad-content-encoding", f"zstd: {error}") from error
    return _whole(b"".join(parts), max_bytes, is_whole=decompressor.eof or is_cut)


def _whole(content: bytes, max_bytes: int, *, is_whole: bool) -> bytes:
    if len(content) > max_bytes:
        raise BadMessage("body-too-long", f"more than {max_bytes:,} bytes come out of the content encoding")
    if not is_whole:
        raise BadMessage("bad-content-encoding", "the compressed body ends before its end mark")
    return content


_DECODERS: dict[str, Callable[[bytes, int, bool], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
