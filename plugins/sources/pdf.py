"""PDF: the text of papers and books, page after page, by pypdf, each file in a process that may be ended.

Special here: a hostile file can keep any PDF library busy for ever or make it fill the memory. So files are read in a
child process with limits of CPU time and address space; what breaks them costs one file.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import polars as pl
from workbench_plugins.sources.frames import Document, framed

from workbench.api import BadRecord, Context, Field, FileSource, Runtime, document_id

MAGIC = b"%PDF-"
EDGE_LINES = 2  # lines at the top and bottom of a page that may be a running head
MIN_PAGES_FOR_HEADS = 3
_DIGITS = re.compile(r"\d+|\b[ivxlc]{1,7}\b")
# Looks at no letter but the three around the hyphen, so that time is linear in a page without one.
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})[-\u00ad\u2010]\n(?=[a-zß-öø-ÿ])")


class Pdf(FileSource):
    """Read PDF files: one document each, pages in order, without running heads, feet and page numbers.

    Words cut at the end of a line are joined, where the next line goes on in lower case. A line at the edge of a page
    goes when, numbers apart, it stands on more than half of at least three pages. meta has `title`, `author`, `pages`.
    A file without a text layer (scanned images) is a document without text, rejected as `empty`, with
    `empty: no-text-layer` in meta. Encrypted and damaged files, and those beyond the limits, are bad records.
    """

    version: ClassVar[int] = 1
    join_hyphens: bool = Field(True, description="join words cut at the end of a line")
    drop_heads: bool = Field(True, description="drop lines that recur at the edges of pages")
    max_file_bytes: int = Field(128 << 20, ge=1024, description="longest file")
    max_pages: int = Field(5000, ge=1, description="most pages of a file")
    max_seconds: Annotated[int, Runtime] = Field(120, ge=1, description="CPU seconds for one file")
    max_memory_bytes: Annotated[int, Runtime] = Field(2 << 30, ge=256 << 20, description="memory for one file")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the text of every file, in the order of names."""
        yield from framed(self._documents(ctx))

    def _documents(self, ctx: Context) -> Iterator[Document | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            with path.open("rb") as file:
                content = file.read(self.max_file_bytes + 1)
            fault = self._fault(content)
            found = fault or self._pages(path)
            if isinstance(found, tuple):
                reason, detail = found
                yield BadRecord.of(content, file=name, place="byte 0", reason=reason, detail=detail)
                continue
            text = self._text(found["pages"])
            meta = {"title": found["title"], "author": found["author"], "pages": len(found["pages"])}
            if not text:
                meta["empty"] = "no-text-layer"
            yield Document(document_id(identity, 0), text, name, meta)

    def _fault(self, content: bytes) -> tuple[str, str] | None:
        if len(content) > self.max_file_bytes:
            return "file-too-long", f"more than {self.max_file_bytes:,} bytes"
        if MAGIC not in content[:1024]:
            return "not-a-pdf", "no %PDF- in the first 1,024 bytes"
        return None

    def _pages(self, path: Path) -> dict[str, Any] | tuple[str, str]:
        """Return title, author and the text of the pages, or reason and detail."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_CPU, (self.max_seconds, self.max_seconds + 1))
            resource.setrlimit(resource.RLIMIT_AS, (self.max_memory_bytes, self.max_memory_bytes))

        command = [sys.executable, "-P", "-m", "workbench_plugins.sources.pdf_pages", str(path), str(self.max_pages)]
        try:
            done = subprocess.run(  # the child sets limits and runs Python, nothing of ours is held
                command, capture_output=True, check=False, preexec_fn=limit, timeout=self.max_seconds * 4 + 30
            )
        except subprocess.TimeoutExpired:
            return "too-slow", f"more than {self.max_seconds} CPU seconds"
        if done.returncode:
            is_slow = done.returncode in (-24, -9)
            return (
                ("too-slow", f"more than {self.max_seconds} CPU seconds")
                if is_slow
                else (
                    "damaged-pdf",
                    "the reader broke off: out of memory, or the file is damaged",
                )
            )
        answer: dict[str, Any] = json.loads(done.stdout)
        return (answer["reason"], answer["detail"]) if "reason" in answer else answer

    def _text(self, pages: list[str]) -> str:
        if self.drop_heads:
            pages = without_heads(pages)
        text = "\n\n".join(page for page in pages if page)
        return _HYPHEN.sub("", text) if self.join_hyphens else text


def without_heads(pages: list[str]) -> list[str]:
    """Return the pages without the lines at their edges that, numbers apart, stand on more than half of them."""
    cut = [[line.strip() for line in page.strip().split("\n")] for page in pages]
    counts: Counter[str] = Counter()
    for lines in cut:
        counts.update({_shape(line) for line in (*lines[:EDGE_LINES], *lines[-EDGE_LINES:])})
    filled = sum(1 for lines in cut if any(lines))
    if filled < MIN_PAGES_FOR_HEADS:
        return ["\n".join(lines).strip() for lines in cut]
    recurring = {shape for shape, count in counts.items() if shape and count > filled / 2}
    kept = []
    for lines in cut:
        edge = {*range(EDGE_LINES), *range(len(lines) - EDGE_LINES, len(lines))}
        remaining = [line for place, line in enumerate(lines) if place not in edge or _shape(line) not in recurring]
        kept.append("\n".join(remaining).strip())
    return kept


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)
