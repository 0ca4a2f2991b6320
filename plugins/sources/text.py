"""Text and Markdown: a document for each file, paragraph or line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

import polars as pl

from workbench.api import BadRecord, Context, Field, FileSource, Line, document_id, read_lines, read_whole

BATCH_DOCUMENTS = 2048
BATCH_CHARACTERS = 4 << 20
MAX_PARAGRAPH_BYTES = 16 << 20  # as much as a line may have
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Found = tuple[int, str]  # number of the first line, 0 for a whole file, and the text


class Text(FileSource):
    r"""Read UTF-8 text and Markdown. Line ends become `\n`; meta holds the name of the folder.

    A paragraph ends at a blank line. What is no UTF-8 is a bad record: the file, paragraph or line it stands in.
    """

    unit: Literal["file", "paragraph", "line"] = Field("file", description="what one document is")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents of every file, in the order of names and places."""
        rows: list[dict[str, str]] = []
        num_characters = 0
        for item in self._documents(ctx):
            if isinstance(item, BadRecord):
                yield item
                continue
            rows.append(item)
            num_characters += len(item["text"])
            if len(rows) >= BATCH_DOCUMENTS or num_characters >= BATCH_CHARACTERS:
                yield pl.DataFrame(rows)
                rows, num_characters = [], 0
        if rows:
            yield pl.DataFrame(rows)

    def _documents(self, ctx: Context) -> Iterator[dict[str, str] | BadRecord]:
        read = {"file": _whole, "paragraph": _paragraphs, "line": _lines}[self.unit]
        for name, path, identity in self.identified_files(ctx.base):
            meta = json.dumps({"folder": PurePosixPath(name).parent.name}, ensure_ascii=False)
            for item in read(path, name):
                if isinstance(item, BadRecord):
                    yield item
                else:
                    line, text = item
                    source = f"{name}:{line}" if line else name
                    yield {"id": document_id(identity, line), "text": text, "source": source, "meta": meta}


def _whole(path: Path, name: str) -> Iterator[Found | BadRecord]:
    content = read_whole(path, name)
    if isinstance(content, BadRecord):
        is_long = content.reason == "file-too-long"
        yield dataclasses.replace(content, detail=f"{content.detail}; unit: paragraph reads it") if is_long else content
    else:
        yield _decoded(content.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n"), name, 0)


def _lines(path: Path, name: str) -> Iterator[Found | BadRecord]:
    for line in read_lines(path, name):
        if isinstance(line, BadRecord):
            yield line
        elif not _is_blank(line):
            yield _decoded(line.content, name, line.number)


def _paragraphs(path: Path, name: str) -> Iterator[Found | BadRecord]:
    paragraph = _Paragraph(name)
    for line in read_lines(path, name):
        if isinstance(line, BadRecord):
            # With it the paragraph cannot be whole; a damaged container takes the one it cuts with it.
            paragraph.spoil(line)
        elif _is_blank(line):
            yield from paragraph.end()
        else:
            paragraph.add(line)
    yield from paragraph.end()


class _Paragraph:
    """The lines since the last blank one, at most `MAX_PARAGRAPH_BYTES` of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[Line] = []
        self._bytes = 0
        self._bad: BadRecord | None = None

    def add(self, line: Line) -> None:
        self._bytes += len(line.content)
        if self._bytes > MAX_PARAGRAPH_BYTES and self._bad is None:
            detail = f"more than {MAX_PARAGRAPH_BYTES:,} bytes without a blank line"
            first = self._lines[0] if self._lines else line
            place = f"line {first.number}"
            self._bad = BadRecord(self._name, place, "paragraph-too-long", detail, first.content[:256])
            self._lines = []
        if self._bad is None:
            self._lines.append(line)

    def spoil(self, record: BadRecord) -> None:
        """Turn the paragraph into a bad record, placed where it begins."""
        if self._bad is None or record.fatal:
            place = f"line {self._lines[0].number}" if self._lines else record.place
            self._bad = dataclasses.replace(record, place=place)
        self._lines = []

    def end(self) -> Iterator[Found | BadRecord]:
        """Yield what the paragraph came to, and begin the next."""
        if self._bad is not None:
            yield self._bad
        elif self._lines:
            text = b"\n".join(line.content for line in self._lines)
            yield _decoded(text, self._name, self._lines[0].number)
        self._lines, self._bytes, self._bad = [], 0, None


def _is_blank(line: Line) -> bool:
    return not line.content or line.content.isspace()


def _decoded(content: bytes, name: str, line: int) -> Found | BadRecord:
    try:
        return line, content.decode()
    except UnicodeDecodeError as error:
        place = f"line {line}" if line else f"byte {error.start}"
        detail = f"byte {error.start} of it: {error.reason}"
        return BadRecord.of(content, file=name, place=place, reason="invalid-utf8", detail=detail)
