"""WARC, the format web archives and crawls are kept in: pages with the headers they came with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import polars as pl
from workbench_plugins.sources.charsets import decode_web, is_binary
from workbench_plugins.sources.frames import Document, framed
from workbench_plugins.sources.http_message import BadMessage, decoded_body, parse_response
from workbench_plugins.sources.warc_records import WarcRecord, read_records

from workbench.api import BadRecord, Context, Field, FileSource, document_id

RecordType = Literal["response", "resource", "conversion"]
MAX_RECORD_BYTES = 64 << 20
HTML_TYPES = ("text/html", "application/xhtml+xml")
_HTML = re.compile(rb"\s{0,100}<(?:!doctype\s+html|html|head|body|title|meta)\b", re.IGNORECASE)


class Warc(FileSource):
    """Read web pages from WARC files, plain or compressed, whole or record by record.

    One document for each selected record that holds HTML or plain text. The text is the page itself, with its markup:
    `filter/html-text` takes the main text out of it, in all worker processes, after filters that need the address
    alone. Chunks and content encodings (gzip, deflate, br, zstd) are undone; characters follow byte order mark, HTTP
    header, page, detection, in this order. meta has `url`, `domain`, `date`, `mime`, `language`, `status`,
    `record_id`, `encoding`, `truncated` and `replaced` (characters that did not fit) where they are known.

    Records of other types, statuses and kinds are left out and counted in the log. A wrong length, a wrong digest, a
    broken HTTP message and a broken body are bad records; a file that ends inside a record is damaged. Places are
    bytes of the expanded file.
    """

    version: ClassVar[int] = 1
    record_types: tuple[RecordType, ...] = Field(("response",), min_length=1, description="types of records to read")
    mime: tuple[str, ...] = Field((*HTML_TYPES, "text/plain"), min_length=1, description="kinds of content to read")
    statuses: tuple[int, ...] = Field((200,), min_length=1, description="HTTP statuses of responses to read")
    check_digests: bool = Field(True, description="hold WARC-Block-Digest against the content")
    max_record_bytes: int = Field(MAX_RECORD_BYTES, ge=1024, le=1 << 30, description="longest record, also expanded")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the pages of every file, in the order of names and records."""
        left_out: Counter[str] = Counter()
        yield from framed(self._documents(ctx, left_out))
        log_left_out(ctx, left_out)

    def _documents(self, ctx: Context, left_out: Counter[str]) -> Iterator[Document | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            records = read_records(path, name, max_bytes=self.max_record_bytes, check_digests=self.check_digests)
            for record in records:
                if isinstance(record, BadRecord):
                    yield record
                    continue
                try:
                    found = self._page(record)
                except BadMessage as fault:
                    reason, detail = fault.args
                    place = f"byte {record.offset}"
                    yield BadRecord.of(record.block, file=name, place=place, reason=reason, detail=detail)
                    continue
                if isinstance(found, str):
                    left_out[found] += 1
                    continue
                text, meta = found
                yield Document(document_id(identity, record.offset), text, f"{name}:{record.offset}", meta)

    def _page(self, record: WarcRecord) -> tuple[str, dict[str, Any]] | str:
        """Return text and meta of a record, or why it is left out. Raises `BadMessage`."""
        kind = record.header("warc-type").lower()
        if kind not in self.record_types:
            return f"type {kind}" if kind in _KNOWN_TYPES else "type unknown"
        meta = address(record)
        body, content_type = record.block, record.header("content-type")
        if kind == "response":
            if not content_type.lower().startswith("application/http"):
                return "no HTTP response"
            response = parse_response(record.block)
            meta["status"] = response.status
            if response.status not in self.statuses:
                return f"status {response.status}"
            content_type = response.fields.get("content-type", "")
            meta["language"] = meta["language"] or response.fields.get("content-language", "")
            body = decoded_body(response, self.max_record_bytes, is_cut=bool(meta["truncated"]))
        mime = content_type.partition(";")[0].strip().lower() or ("text/html" if _HTML.match(body) else "unknown")
        meta["mime"] = mime
        if mime not in self.mime:
            return "other kinds of content"
        if is_binary(body):
            raise BadMessage("not-text", f"{mime} is stated, and the content is binary")
        decoded = decode_web(body, content_type)
        return decoded.text, {**meta, "encoding": decoded.encoding, "replaced": decoded.replaced or None}


_KNOWN_TYPES = (
    "warcinfo",
    "response",
    "resource",
    "request",
    "metadata",
    "revisit",
    "conversion",
    "continuation",
)


def address(record: WarcRecord) -> dict[str, Any]:
    """Return what the header of a record tells of its page."""
    url = record.header("warc-target-uri")
    return {
        "url": url,
        "domain": domain_of(url),
        "date": record.header("warc-date"),
        "record_id": record.header("warc-record-id"),
        "language": record.header("warc-identified-content-language"),
        "truncated": record.header("warc-truncated"),
    }


def domain_of(url: str) -> str:
    """Return the host of an address in lower case without `www.`, empty when there is none.

    >>> domain_of("https://www.Example.org:8080/a"), domain_of("urn:x"), domain_of("http://[bad")
    ('example.org', '', '')
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.rstrip(".").removeprefix("www.")


def log_left_out(ctx: Context, left_out: Counter[str]) -> None:
    """Say what the settings left out, most of it first."""
    if left_out:
        counts = ", ".join(
            f"{number} {what}" for what, number in sorted(left_out.items(), key=lambda item: (-item[1], item))
        )
        ctx.log(f"{ctx.step} left out by its settings: {counts}")
