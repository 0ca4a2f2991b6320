"""Books: Project Gutenberg texts and EPUB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl
from workbench_plugins.sources.charsets import decode_web, is_binary
from workbench_plugins.sources.epub import BadBook, read_epub
from workbench_plugins.sources.frames import Document, framed
from workbench_plugins.sources.gutenberg import read_gutenberg

from workbench.api import BadRecord, Context, Field, FileSource, document_id, read_whole

MAX_EPUB_BYTES = 256 << 20
ZIP = b"PK\x03\x04"
_DECLARED = re.compile(r"^Character set encoding:\s*([A-Za-z0-9_.\-]{2,30})", re.IGNORECASE | re.MULTILINE)
# A number in words stands at the beginning of a heading; any word may stand at that of a sentence (`Part owner of …`).
_ORDINAL = (
    r"(?:the +)?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven(?:th)?|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen(?:th)?|twenty|twentieth|thirty|forty|fifty|twelfth|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)"
)
_CHAPTER = re.compile(
    rf"^[ \t]*(?:(?:CHAPTER|BOOK|PART|LETTER|ACT)\s+(?:(?-i:[IVXLCDM]{{1,8}})|[ivxlcdm]{{1,8}}(?=[.:]|\s*$)|\d{{1,3}}|{_ORDINAL})\b.{{0,80}}"
    r"|第[0-9０-９零一二三四五六七八九十百千]{1,6}(?:章.{0,40}|[回卷节節](?:[\s:：、.．].{0,40})?))$",
    re.IGNORECASE,
)
MIN_CHAPTER_CHARACTERS = 200  # less between two headings is a table of contents


class Books(FileSource):
    """Read books: plain text from Project Gutenberg, other plain text, and EPUB 2 and 3, told by their bytes.

    Of a Gutenberg text, header, licence, footer and transcriber's notes go; title, author, language and release of the
    header stand in meta. Plain text without those marks is taken whole (`format: text`). Of an EPUB, the spine is
    read in its order, without navigation; one under DRM, or damaged, is a bad record that says so. Text is decoded by
    byte order mark, the header's word, UTF-8, then what fits; meta has `replaced`, the places that did not fit.

    With `unit: chapter` a document is a chapter: of an EPUB a document of the spine, of a text what stands between
    headings such as `CHAPTER IV` or `第四章`; what stands before the first is a document too.
    """

    version: ClassVar[int] = 1
    unit: Literal["book", "chapter"] = Field("book", description="what one document is")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the books, in the order of names and chapters."""
        yield from framed(self._documents(ctx))

    def _documents(self, ctx: Context) -> Iterator[Document | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            content = _content(path, name)
            if isinstance(content, BadRecord):
                yield content
            elif content.startswith(ZIP):
                yield from self._epub(content, name, identity)
            elif is_binary(content):
                detail = "neither plain text nor EPUB; expected one of them"
                yield BadRecord.of(content, file=name, place="byte 0", reason="not-a-book", detail=detail)
            else:
                yield from self._text(content, name, identity)

    def _text(self, content: bytes, name: str, identity: str) -> Iterator[Document]:
        declared = _DECLARED.search(content[:4000].decode("latin-1"))
        decoded = decode_web(content, f"charset={declared[1]}" if declared else "")
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        found = read_gutenberg(text)
        book, about = found or (text, {})
        shared = {**about, "format": "gutenberg" if found else "text", "encoding": decoded.encoding}
        shared["replaced"] = str(decoded.replaced or "")
        if self.unit == "book":
            yield Document(document_id(identity, 0), book, name, shared)
            return
        for number, (title, chapter) in enumerate(split_chapters(book)):
            meta = {**shared, "chapter": title, "chapter_number": number}
            yield Document(document_id(identity, number), chapter, f"{name}#{number}", meta)

    def _epub(self, content: bytes, name: str, identity: str) -> Iterator[Document | BadRecord]:
        try:
            about, chapters = read_epub(content)
        except BadBook as fault:
            yield _bad(fault, content, name)
            return
        meta = {**about, "format": "epub"}
        good = [chapter for chapter in chapters if not isinstance(chapter, BadBook)]
        faults = [chapter for chapter in chapters if isinstance(chapter, BadBook)]
        for lost in faults:
            yield _bad(lost, content, name)
        if self.unit == "chapter":
            for number, chapter in enumerate(good):
                about_chapter = {**meta, "chapter": chapter.title, "chapter_number": number}
                place = f"{name}#{chapter.member}"
                yield Document(document_id(identity, chapter.member), chapter.text, place, about_chapter)
        elif not faults:  # a book that lacks a chapter is no whole one
            text = "\n\n".join(chapter.text for chapter in good if chapter.text)
            yield Document(document_id(identity, 0), text, name, meta)


def _content(path: Path, name: str) -> bytes | BadRecord:
    """Return the bytes of a file; an EPUB, which is a zip archive, is read as it is."""
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return read_whole(path, name)
        file.seek(0)
        content = file.read(MAX_EPUB_BYTES + 1)
    if len(content) > MAX_EPUB_BYTES:
        return BadRecord(name, "byte 0", "file-too-long", f"more than {MAX_EPUB_BYTES:,} bytes", content[:256])
    return content


def _bad(fault: BadBook, content: bytes, name: str) -> BadRecord:
    reason, detail, member = fault.args
    place = f"member {member}" if member else "byte 0"
    record = BadRecord.of(content, file=name, place=place, reason=reason, detail=detail)
    is_damage = reason in ("damaged-zip", "expands-too-much")
    return BadRecord(name, place, reason, detail, record.head, record.digest, fatal=is_damage)


def split_chapters(book: str) -> list[tuple[str, str]]:
    """Return (heading, text with it) of every chapter; the heading of what stands before the first is empty."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    is_after_blank = True
    for line in book.split("\n"):
        if is_after_blank and _CHAPTER.match(line):
            held = "\n".join(parts[-1][1][1:])
            if parts[-1][0] and len(held.strip()) < MIN_CHAPTER_CHARACTERS:
                # A heading with nothing under it: a list of them, or a part before its chapter.
                heading, lines = parts.pop()
                parts = parts or [("", [])]
                parts[-1][1].extend(lines)
                del heading
            parts.append((" ".join(line.split()), []))
        parts[-1][1].append(line)
        is_after_blank = not line.strip()
    joined = [(title, "\n".join(lines).strip()) for title, lines in parts]
    return [(title, text) for title, text in joined if text]
