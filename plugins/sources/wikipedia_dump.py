"""MediaWiki XML dumps: one document for each page, its wikitext reduced to prose.

Special here: the pages are cut out by their tags before anything is parsed, so a page that is no XML costs itself and
nothing after it, and what stands in the head of the file (a DOCTYPE, entities) is never read by a parser. Element
names inside a page's text are escaped, so the tags cannot stand there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import Element, ParseError

import polars as pl
from workbench_plugins.sources.byte_stream import ByteStream
from workbench_plugins.sources.frames import Document, framed
from workbench_plugins.sources.warc import log_left_out
from workbench_plugins.sources.wikitext import Links, strip_wikitext

from workbench.api import BadRecord, Context, DamagedInput, Field, FileSource, document_id, open_input

OPEN, CLOSE, END = b"<page>", b"</page>", b"</mediawiki>"
HEAD_BYTES = 1 << 20
_NAMESPACE = re.compile(r'<namespace key="(6|14)"[^>]*>([^<]{1,80})</namespace>')
_DISAMBIGUATION = re.compile(
    r"\{\{\s*+(?:[\w -]{0,40}[ (-])?(?:disambiguation|disambig|dab|hndis|geodis|消歧义|消歧義|消歧义页|消歧義頁|曖昧さ回避"
    r"|begriffsklärung|homonymie|desambiguación|disambigua)\s*[|}]|__DISAMBIG__",
    re.IGNORECASE,
)
Page = tuple[int, bytes]  # where it begins, its bytes


class WikipediaDump(FileSource):
    """Read the pages of a MediaWiki XML dump (`pages-articles`), bz2 (multistream too), gzip, zstd, xz or plain.

    The text is prose: templates, tables, references, files, categories, comments and markup are gone, the labels of
    links and headings stay, formulas stay as TeX (see `workbench_plugins.sources.wikitext`). With `markup` it is the
    wikitext. meta has `title`, `page_id`, `revision_id`, `timestamp`, `namespace`.

    Pages of other namespaces, redirects and disambiguations are left out and counted in the log. A page that is no
    XML, has no text element, or is over `max_page_bytes` is a bad record; a dump that ends before its end tag is
    damaged. Places are bytes of the expanded file.
    """

    version: ClassVar[int] = 1
    namespaces: tuple[int, ...] = Field((0,), min_length=1, description="namespaces to read; 0 holds the articles")
    redirects: bool = Field(False, description="read redirects too")
    disambiguations: bool = Field(False, description="read disambiguation pages too")
    markup: bool = Field(False, description="keep the wikitext as it is")
    math: bool = Field(True, description="keep formulas, as TeX between dollar signs")
    max_page_bytes: int = Field(16 << 20, ge=1024, le=1 << 30, description="longest page")

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the pages of every file, in the order of names and places."""
        left_out: Counter[str] = Counter()
        yield from framed(self._documents(ctx, left_out))
        log_left_out(ctx, left_out)

    def _documents(self, ctx: Context, left_out: Counter[str]) -> Iterator[Document | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            cutter = _Cutter(name, self.max_page_bytes)
            for item in cutter.pages(path):
                if isinstance(item, BadRecord):
                    yield item
                    continue
                offset, content = item
                try:
                    found = self._document(content, cutter.links)
                except _BadPage as fault:
                    reason, detail = fault.args
                    place = f"byte {offset}"
                    yield BadRecord.of(content, file=name, place=place, reason=reason, detail=detail)
                    continue
                if isinstance(found, str):
                    left_out[found] += 1
                else:
                    text, meta = found
                    yield Document(document_id(identity, offset), text, f"{name}:{offset}", meta)

    def _document(self, content: bytes, links: Links) -> tuple[str, dict[str, Any]] | str:
        """Return text and meta of a page, or why it is left out. Raises `_BadPage`."""
        page = _parsed(content)
        namespace = page.findtext("ns", "0").strip()
        if namespace not in map(str, self.namespaces):
            return "pages of other namespaces"
        if not self.redirects and page.find("redirect") is not None:
            return "redirects"
        revision = page.find("revision")
        element = None if revision is None else revision.find("text")
        if revision is None or element is None:
            raise _BadPage("text-missing", "the page has no revision with a text")
        text = element.text or ""
        if not self.disambiguations and _DISAMBIGUATION.search(text):
            return "disambiguations"
        meta = {
            "title": page.findtext("title", ""),
            "page_id": page.findtext("id"),
            "revision_id": revision.findtext("id"),
            "timestamp": revision.findtext("timestamp"),
            "namespace": namespace,
        }
        return text if self.markup else strip_wikitext(text, links, math=self.math), meta


class _BadPage(ValueError):
    """Why a page cannot be read: reason and detail."""


def _parsed(content: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        page: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise _BadPage("invalid-xml", f"{type(error).__name__}: {error}"[:200]) from error
    return page


class _Cutter:
    """Cuts the pages out of a dump."""

    def __init__(self, name: str, max_page_bytes: int) -> None:
        self._name = name
        self._max_page_bytes = max_page_bytes
        self._number = 0
        self._place = "byte 0"
        self.links = Links()

    def pages(self, path: Path) -> Iterator[Page | BadRecord]:
        try:
            with open_input(path) as source:
                yield from self._cut(ByteStream(source.chunks()))
        except DamagedInput as damage:
            detail = f"{damage.what}; pages from this one on are lost"
            yield BadRecord(self._name, self._place, damage.reason, detail, fatal=True)

    def _cut(self, stream: ByteStream) -> Iterator[Page | BadRecord]:
        if not stream.ahead(1):
            return
        head = stream.peek(HEAD_BYTES)
        if b"<mediawiki" not in head:
            passed = stream.pass_to(OPEN)
            detail = "no <mediawiki> in the first bytes; expected a MediaWiki XML dump"
            yield passed.as_bad(self._name, self._place, "not-a-mediawiki-dump", detail)
        else:
            self.links = Links.named(_NAMESPACE.findall(head.partition(OPEN)[0].decode("utf-8", "replace")))
            stream.take(max(head.find(b"<mediawiki"), 0))
            before = stream.find(OPEN, HEAD_BYTES)
            closing = stream.find(END, HEAD_BYTES)
            if before < 0 or 0 <= closing < before:
                before = closing
            if before > 0:
                stream.take(before)
        while True:
            self._place = f"page {self._number + 1} (byte {stream.offset})"
            blank = len(stream.peek(4096)) - len(stream.peek(4096).lstrip())
            stream.take(blank)
            if stream.peek(len(END)) == END:
                stream.take(len(END))
                if stream.peek(4096).strip():
                    detail = "content follows the end tag of the dump"
                    yield stream.pass_to(OPEN).as_bad(self._name, self._place, "trailing-garbage", detail, fatal=True)
                    if stream.ahead(1):
                        continue
                return
            if not stream.ahead(1):
                yield BadRecord(
                    self._name, self._place, "truncated-xml", "the dump ends before </mediawiki>", fatal=True
                )
                return
            self._number += 1
            yield self._page(stream)

    def _page(self, stream: ByteStream) -> Page | BadRecord:
        if stream.peek(len(OPEN)) != OPEN:
            detail = f"expected <page>, found {stream.peek(40)!r}"
            return stream.pass_to(OPEN).as_bad(self._name, self._place, "stray-content", detail)
        end = stream.find(CLOSE, self._max_page_bytes)
        offset = stream.offset
        again = stream.peek(end).find(OPEN, 1) if end >= 0 else -1
        if end >= 0 and again < 0:
            return offset, stream.take(end + len(CLOSE))
        held = stream.ahead(self._max_page_bytes + 1)
        passed = stream.pass_to(OPEN, start=1)
        if stream.ahead(1):
            reason = "page-too-long" if passed.length > self._max_page_bytes else "unclosed-page"
            return passed.as_bad(self._name, self._place, reason, f"{passed.length:,} bytes up to the next page")
        reason = "truncated-xml" if held <= self._max_page_bytes else "page-too-long"
        detail = "the dump ends before </page>, or the page is too long"
        return passed.as_bad(self._name, self._place, reason, detail, fatal=reason == "truncated-xml")
