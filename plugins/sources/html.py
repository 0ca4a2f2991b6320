"""HTML files, one document each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import polars as pl
from workbench_plugins.sources.charsets import decode_web, is_binary
from workbench_plugins.sources.frames import Document, framed

from workbench.api import BadRecord, Context, Field, FileSource, document_id, read_whole

MAX_FILE_BYTES = 64 << 20


class Html(FileSource):
    """Read HTML files, plain or compressed: the text is the page with its markup, for `filter/html-text`.

    Characters follow byte order mark, the page's own declaration, then what fits. meta has `encoding` and `replaced`,
    the number of places that did not fit. A file that is no text, and one over `max_file_bytes`, is a bad record.
    """

    version: ClassVar[int] = 1
    max_file_bytes: int = Field(MAX_FILE_BYTES, ge=1024, le=1 << 30, description="longest file, expanded")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the page in every file, in the order of names."""
        yield from framed(self._documents(ctx))

    def _documents(self, ctx: Context) -> Iterator[Document | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            content = read_whole(path, name, max_bytes=self.max_file_bytes)
            if isinstance(content, BadRecord):
                yield content
            elif is_binary(content):
                detail = "control characters that no page has; this is another kind of file"
                yield BadRecord.of(content, file=name, place="byte 0", reason="not-text", detail=detail)
            else:
                decoded = decode_web(content)
                meta = {"encoding": decoded.encoding, "replaced": decoded.replaced or None}
                yield Document(document_id(identity, 0), decoded.text, name, meta)
