"""The frame of WARC records: header, block of the stated length, two line ends; checked, and found again after a fault.

Special here: a stated length is believed only when the two line ends and the next record (or the end of the file)
follow the block. Where they do not, everything up to the next line that begins a record is one bad record, and reading
goes on there, so that a wrong length costs the records it swallows nothing.
Source: WARC 1.1 (ISO 28500:2017), sections 4 and 5.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench_plugins.sources.byte_stream import ByteStream

from workbench.api import BadRecord, DamagedInput, open_input

RECORD_START = b"WARC/"
NEXT_RECORD = b"\nWARC/"
BLOCK_END = b"\r\n\r\n"
MAX_HEADER_BYTES = 64 << 10
_VERSION = re.compile(rb"WARC/\d\.\d\s*\Z")
_LENGTH = re.compile(r"\d{1,15}\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


@dataclass(frozen=True, slots=True)
class WarcRecord:
    """One whole record.

    Attributes:
        offset: Where it begins in the expanded bytes of the file.
        headers: Lower-case name → value; the last one of a repeated name.
        block: Its content.
    """

    offset: int
    headers: dict[str, str]
    block: bytes

    def header(self, name: str) -> str:
        """Return a header, empty when there is none; angle brackets around a URI are no part of it."""
        value = self.headers.get(name, "")
        return value[1:-1] if value.startswith("<") and value.endswith(">") else value


class _Fault(ValueError):
    """Why a record cannot be read: reason and detail."""


def read_records(path: Path, name: str, *, max_bytes: int, check_digests: bool) -> Iterator[WarcRecord | BadRecord]:
    """Yield the records of a file in order, and bad records, fatal where the file is cut or its container damaged.

    Args:
        path: The file, plain or compressed (whole, or each record by itself).
        name: Its name in bad records.
        max_bytes: The longest block that is held.
        check_digests: Whether `WARC-Block-Digest` is held against the block.
    """
    reader = _Reader(name, max_bytes, check_digests=check_digests)
    try:
        with open_input(path) as source:
            yield from reader.records(ByteStream(source.chunks()))
    except DamagedInput as damage:
        detail = f"{damage.what}; records from this one on are lost"
        yield BadRecord(name, reader.place, damage.reason, detail, fatal=True)


class _Reader:
    def __init__(self, name: str, max_bytes: int, *, check_digests: bool) -> None:
        self._name = name
        self._max_bytes = max_bytes
        self._check_digests = check_digests
        self._number = 0
        self.place = "record 1 (byte 0)"

    def records(self, stream: ByteStream) -> Iterator[WarcRecord | BadRecord]:
        while True:
            self._number += 1
            self.place = f"record {self._number} (byte {stream.offset})"
            if not stream.ahead(1):
                return
            offset = stream.offset
            if stream.peek(len(RECORD_START)) != RECORD_START:
                yield self._pass(stream, "not-a-warc-record", "a record begins with WARC/1.0 or WARC/1.1")
                continue
            try:
                length, headers = self._header(stream)
                item = self._block(stream, offset, length, headers)
            except _Fault as fault:
                reason, detail = fault.args
                item = self._pass(stream, reason, detail)
            yield item

    def _pass(self, stream: ByteStream, reason: str, detail: str) -> BadRecord:
        """Go on to the next line that begins a record."""
        passed = stream.pass_to(NEXT_RECORD)
        if stream.ahead(1):
            stream.take(1)
        elif reason == "wrong-content-length":
            # Nothing that looks like a record follows: the file ends inside this one.
            reason, detail = "truncated-record", f"{detail}; the file ends in this record"
        fatal = reason == "truncated-record"
        return passed.as_bad(self._name, self.place, reason, detail, fatal=fatal)

    def _header(self, stream: ByteStream) -> tuple[int, dict[str, str]]:
        """Return the length and the fields of the header ahead. Raises `_Fault`."""
        length = stream.find(BLOCK_END, MAX_HEADER_BYTES)
        if length < 0:
            if stream.ahead(MAX_HEADER_BYTES + 1) <= MAX_HEADER_BYTES:
                raise _Fault("truncated-record", "the file ends in the header of a record")
            raise _Fault("invalid-warc-header", f"no end of the header within {MAX_HEADER_BYTES:,} bytes")
        first, *lines = stream.peek(length).split(b"\r\n")
        if not _VERSION.match(first):
            raise _Fault("invalid-warc-header", f"the first line is {first[:40]!r}, not WARC/1.0 or WARC/1.1")
        return length + len(BLOCK_END), _fields(lines)

    def _block(
        self, stream: ByteStream, offset: int, header_bytes: int, headers: dict[str, str]
    ) -> WarcRecord | BadRecord:
        """Take the record ahead. Raises `_Fault`, taking nothing."""
        stated = headers.get("content-length", "")
        if not _LENGTH.match(stated):
            raise _Fault("wrong-content-length", f"Content-Length is {stated[:40]!r}; expected a whole number")
        if "warc-type" not in headers:
            raise _Fault("invalid-warc-header", "there is no WARC-Type")
        length = int(stated)
        if length > self._max_bytes:
            raise _Fault("record-too-long", f"{length:,} bytes, at most {self._max_bytes:,}")
        whole = header_bytes + length
        available = stream.ahead(whole + len(BLOCK_END) + len(RECORD_START))
        after = stream.peek(len(BLOCK_END) + len(RECORD_START), whole)
        block_digest = headers.get("warc-block-digest", "")
        if not _ends_well(after, stream.peek(length, header_bytes), block_digest):
            raise _Fault("wrong-content-length", f"{length:,} bytes are stated, and no end of a record follows them")
        block = stream.take(whole)[header_bytes:]
        stream.take(min(len(BLOCK_END), available - whole))
        if self._check_digests and not digest_fits(block, block_digest):
            detail = f"the block does not have the digest {block_digest[:80]}"
            return BadRecord.of(block, file=self._name, place=self.place, reason="digest-mismatch", detail=detail)
        return WarcRecord(offset, headers, block)


def _ends_well(after: bytes, block: bytes, labelled: str) -> bool:
    """Return whether a block ends where it is said to; its digest speaks for it where no record follows."""
    if not after.startswith(BLOCK_END):
        return False
    return after[len(BLOCK_END) :] in (b"", RECORD_START) or (bool(labelled) and digest_fits(block, labelled))


def _fields(lines: list[bytes]) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for line in lines:
        if line[:1] in (b" ", b"\t") and last:
            fields[last] += " " + line.strip().decode("utf-8", "replace")
            continue
        name, colon, value = line.partition(b":")
        last = name.decode("latin-1").lower()
        if not colon or not _TOKEN.match(last):
            raise _Fault("invalid-warc-header", f"a line of the header is no field: {line[:60]!r}")
        fields[last] = value.strip().decode("utf-8", "replace")
    return fields


def digest_fits(block: bytes, labelled: str) -> bool:
    """Return whether the block has the digest `algorithm:value`; true for none and for an algorithm not known here.

    The value is in base32, as WARC writers have it, hexadecimal or base64.

    >>> digest_fits(b"", "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"), digest_fits(b"x", "md5:00")
    (True, False)
    """
    algorithm, _, value = labelled.partition(":")
    algorithm = algorithm.lower().replace("-", "")
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        return True
    digest = hashlib.new(algorithm, block, usedforsecurity=False).digest()
    value = value.strip()
    if value == base64.b64encode(digest).decode():
        return True
    return value.upper().rstrip("=") in (base64.b32encode(digest).decode().rstrip("="), digest.hex().upper())
