"""EPUB 2 and 3: the chapters of a book in reading order, read with the standard library and lxml alone.

Everything a hostile archive could do is bounded or impossible: sizes are capped by what really comes out, nothing is
unpacked to disk, names lead only to members of the archive, no parser reads a DTD or expands an entity of the file's
own. Source: EPUB 3.3 (W3C, 2023), sections 4 and 5; OCF encryption.xml.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 16 << 20
MAX_BOOK_BYTES = 256 << 20
CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
# Fonts are mangled this way; the text is free.
FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
BLOCKS = {
    *("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "br", "blockquote", "section", "article", "pre"),
    *("table", "ul", "ol", "dl", "dt", "dd", "figure", "figcaption", "header", "footer", "hr", "body", "aside", "td"),
}
SILENT = {"head", "script", "style", "nav", "svg", "math", "template"}
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_CLOSED = re.compile(r"<(title|script|style|a|p|div|span|i|b|em|td)\b([^<>]*)/>", re.IGNORECASE)


class BadBook(ValueError):
    """Raise for a file that gives no book: reason, detail, member."""


@dataclass(frozen=True)
class Chapter:
    """One document of the spine.

    Attributes:
        member: Its name in the archive.
        title: Its first heading, empty when it has none.
        text: Its text, a line for each block.
    """

    member: str
    title: str
    text: str


def read_epub(content: bytes) -> tuple[dict[str, str], list[Chapter | BadBook]]:
    """Return what the package says of the book, and its chapters; one that cannot be read stands as a `BadBook`.

    Raises `BadBook`: `damaged-zip`, `not-an-epub`, `encrypted` (DRM), `expands-too-much`, `invalid-xml`.
    """
    archive = _Archive(content)
    package_path = _package_path(archive)
    package = _xml(archive.read(package_path), package_path)
    _refuse_encrypted(archive)
    meta = {
        name: _text_of(package, name) for name in ("title", "creator", "language", "date", "identifier", "publisher")
    }
    meta["author"] = meta.pop("creator")
    return meta, list(_chapters(archive, package, posixpath.dirname(package_path)))


class _Archive:
    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
            raise BadBook("damaged-zip", str(error), "") from error
        self.names = set(self._zip.namelist())
        if len(self.names) > MAX_MEMBERS:
            raise BadBook("expands-too-much", f"more than {MAX_MEMBERS:,} members", "")
        self._left = MAX_BOOK_BYTES

    def read(self, name: str) -> bytes:
        """Return a member, whose check sum was held against it. Raises `BadBook`."""
        if name not in self.names:
            raise BadBook("missing-member", f"the package names {name[:100]!r}, which is not in the archive", name)
        try:
            with self._zip.open(name) as member:
                content = member.read(min(MAX_MEMBER_BYTES, self._left) + 1)
        except RuntimeError as error:
            raise BadBook("encrypted", f"the archive is encrypted: {error}"[:200], name) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise BadBook("damaged-zip", f"{type(error).__name__}: {error}"[:200], name) from error
        if len(content) > min(MAX_MEMBER_BYTES, self._left):
            raise BadBook(
                "expands-too-much", f"more than {MAX_MEMBER_BYTES:,} bytes in one member or too many in all", name
            )
        self._left -= len(content)
        return content


def _xml(content: bytes, name: str) -> Any:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadBook("invalid-xml", f"{type(error).__name__}: {error}"[:200], name) from error


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _text_of(package: Any, name: str) -> str:
    for element in package.iter():
        if _local(element) == name and (element.text or "").strip():
            return " ".join(str(element.text).split())
    return ""


def _package_path(archive: _Archive) -> str:
    if CONTAINER not in archive.names:
        raise BadBook("not-an-epub", f"the archive has no {CONTAINER}", "")
    for element in _xml(archive.read(CONTAINER), CONTAINER).iter():
        if _local(element) == "rootfile" and element.get("full-path"):
            return str(element.get("full-path"))
    raise BadBook("not-an-epub", "the container names no package", CONTAINER)


def _refuse_encrypted(archive: _Archive) -> None:
    """Raise for a book whose text is under digital rights management; mangled fonts are no matter."""
    if "META-INF/rights.xml" in archive.names or "META-INF/license.lcpl" in archive.names:
        raise BadBook("encrypted", "the book is under digital rights management; get a copy without", ENCRYPTION)
    if ENCRYPTION not in archive.names:
        return
    for element in _xml(archive.read(ENCRYPTION), ENCRYPTION).iter():
        if _local(element) == "encryptionmethod" and element.get("Algorithm") not in FONT_ALGORITHMS:
            raise BadBook("encrypted", "the book is under digital rights management; get a copy without", ENCRYPTION)


def _chapters(archive: _Archive, package: Any, folder: str) -> Iterator[Chapter | BadBook]:
    manifest = {element.get("id"): element for element in package.iter() if _local(element) == "item"}
    seen: set[str] = set()
    for reference in (element for element in package.iter() if _local(element) == "itemref"):
        item = manifest.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split() or reference.get("linear") == "no":
            continue
        if (item.get("media-type") or "") not in ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", ""):
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote((item.get("href") or "").partition("#")[0])))
        if name in seen:
            continue
        seen.add(name)
        try:
            title, text = chapter_text(archive.read(name))
        except BadBook as fault:
            yield fault
        else:
            yield Chapter(name, title, text)


def chapter_text(content: bytes) -> tuple[str, str]:
    """Return the first heading and the text of an XHTML document, a line for each block. Raises `BadBook`."""
    from lxml import etree

    markup = (
        content.decode("utf-8-sig", "replace")
        if content[:2] not in (b"\xff\xfe", b"\xfe\xff")
        else content.decode("utf-16", "replace")
    )
    if "<!ENTITY" in markup:
        raise BadBook("invalid-xml", "the document declares entities of its own", "")
    markup = re.sub(r"\A\s*<\?xml[^>]*\?>", "", markup).replace("\x00", "")
    markup = _ENTITY.sub(_numbered, markup)
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(markup, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = etree.HTML(_CLOSED.sub(r"<\1\2></\1>", markup) or "<p></p>", etree.HTMLParser(no_network=True))
    if root is None:
        return "", ""
    headings = (element for element in root.iter() if _local(element) in ("h1", "h2", "h3"))
    title = next((" ".join("".join(element.itertext()).split()) for element in headings), "")
    return title, _block_text(root)


def _numbered(match: re.Match[str]) -> str:
    if match[1] in ("amp", "lt", "gt", "quot", "apos"):
        return match[0]
    character = html.unescape(match[0])
    return match[0] if character == match[0] else "".join(f"&#{ord(one)};" for one in character)


def _block_text(root: Any) -> str:
    """Return the text, walked without recursion: a hostile document may be nested as deep as the parser allows."""
    parts: list[str] = []
    silent = 0
    from lxml import etree

    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        name = _local(element)
        if event == "start":
            silent += name in SILENT
            if not silent:
                parts.append("\n" if name in BLOCKS else "")
                parts.append(" ".join((element.text or "").split("\n")))
            continue
        if event == "end":
            silent -= name in SILENT
            parts.append("\n" if name in BLOCKS and not silent else "")
        if not silent:
            parts.append(" ".join((element.tail or "").split("\n")))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n\n".join(line for line in lines if line)
