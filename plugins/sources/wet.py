"""WET, the text that a crawl took from its pages: WARC files of conversion records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import polars as pl
from workbench_plugins.sources.frames import Document, framed
from workbench_plugins.sources.warc import MAX_RECORD_BYTES, address, log_left_out
from workbench_plugins.sources.warc_records import WarcRecord, read_records

from workbench.api import BadRecord, Context, Field, FileSource, document_id


class Wet(FileSource):
    """Read the plain text of web pages from WET files, as Common Crawl gives it: one document for each page.

    meta has `url`, `domain`, `date`, `language` and `record_id`. Text that is no UTF-8 is a bad record; other records
    (`warcinfo`) are left out and counted in the log.
    """

    version: ClassVar[int] = 1
    check_digests: bool = Field(True, description="hold WARC-Block-Digest against the content")
    max_record_bytes: int = Field(MAX_RECORD_BYTES, ge=1024, le=1 << 30, description="longest record")

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
                elif record.header("warc-type").lower() != "conversion":
                    left_out["records that are no conversion"] += 1
                elif record.header("content-type").partition(";")[0].strip().lower() not in ("", "text/plain"):
                    left_out["conversions to other kinds than text/plain"] += 1
                else:
                    yield _document(record, name, identity)


def _document(record: WarcRecord, name: str, identity: str) -> Document | BadRecord:
    try:
        text = record.block.decode()
    except UnicodeDecodeError as error:
        place, detail = f"byte {record.offset}", f"byte {error.start} of the text: {error.reason}"
        return BadRecord.of(record.block, file=name, place=place, reason="invalid-utf8", detail=detail)
    return Document(
        document_id(identity, record.offset),
        text.removeprefix("\ufeff").replace("\r\n", "\n"),
        f"{name}:{record.offset}",
        address(record),
    )
