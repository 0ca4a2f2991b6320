"""Make small web archives, a wiki dump and a book out of the documentation on this machine, to curate as a corpus.

python -m notebooks.web_sample [FOLDER]      default: notebooks/pipelines/data

    pages-0.warc.gz, pages-1.warc.gz   descriptions, docstrings, manuals and licences of the installed packages as pages
                                       of one site for each package, with menus, notices and footers around them
    wiki.xml.bz2                       the standard library's docstrings as a MediaWiki dump
    book.txt                           the Python language reference as a Gutenberg text with chapters

Nothing is downloaded. The texts are real, and as dirty as those of the web: copied licences, addresses of authors,
code, lists, and very short pages. What the web has besides, and packages have not, is put in and stands in `GARNISH`:
pages captured twice, pages that are gone, and a dozen pages of Chinese (web_sample_zh.txt). The same packages give the
same bytes.
"""

import base64
import bz2
import gzip
import hashlib
import html
import json
import re
import sys
import uuid
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

from markdown_it import MarkdownIt

import workbench as wb

HERE = Path(__file__).parent
FOLDER = HERE / "pipelines" / "data"
GARNISH = {"captured twice": 24, "gone": 40}  # one page in so many
PER_PACKAGE, ARTICLES = 12, 600
NOTICE = "This site uses cookies to give you the best experience. By continuing you accept our cookie policy."
PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/docs">Docs</a></li><li><a href="/login">Sign in</a></li>
</ul></nav><div class="cookie-banner"><p>{notice}</p><button>Accept all</button></div></header>
<main><article><h1>{title}</h1>
{body}
</article></main>
<aside><h3>You may also like</h3><ul>{links}</ul></aside>
<footer><p>© {year} {site}. All rights reserved. <a href="/privacy">Privacy policy</a> |
<a href="mailto:webmaster@{site}">webmaster@{site}</a></p></footer>
</body></html>
"""
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # pages hold none, some docstrings do
Record = dict[str, Any]


def write_sample(
    folder: Path = FOLDER,
    packages: tuple[str, ...] = (),
    store: Path | str | None = None,
    *,
    articles: int = ARTICLES,
) -> None:
    """Write the four files into `folder`, unless there is a file in it already.

    Args:
        folder: Where they go.
        packages: Distributions whose documentation becomes pages; none means all.
        store: The store in which the documentation is collected.
        articles: How many articles the dump has at most.
    """
    if folder.exists() and any(folder.iterdir()):
        return
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = wb.Pipeline("web-sample", store=store)
    source = pipeline.source.installed_docs
    pages = records_of(source(name="pages", packages=list(packages), max_per_package=PER_PACKAGE, stdlib=False))
    library = records_of(source(name="library", packages=["pluggy"], max_per_package=articles))
    write_archives(folder, [*pages, *chinese_pages()])
    library = [record for record in library if record["package"] == "python"]
    (folder / "wiki.xml.bz2").write_bytes(bz2.compress(dump(library)))
    (folder / "book.txt").write_text(book(), "utf-8")


def records_of(step: Any) -> list[Record]:
    """Return the documents of a step as records: id, text, and what meta says."""
    rows = step.result.artifact.scan().select("id", "text", "meta").collect().rows()
    return [{"id": name, "text": text, **json.loads(meta)} for name, text, meta in rows]


def chinese_pages() -> list[Record]:
    """Return the Chinese pages as records, the first line of each its title."""
    found = []
    for text in (HERE / "web_sample_zh.txt").read_text("utf-8").strip().split("\n\n"):
        title, _, body = text.partition("\n")
        name = hashlib.sha256(text.encode()).hexdigest()[:24]
        found.append({"id": name, "text": body, "name": title, "package": "shuwu", "kind": "chinese"})
    return found


def write_archives(folder: Path, records: list[Record]) -> None:
    """Write two WARC files, every record a gzip member of its own as crawlers do."""
    archives: tuple[list[bytes], list[bytes]] = ([], [])
    info = b"software: workbench notebooks/web_sample.py\r\nformat: WARC File Format 1.0\r\n"
    for number, archive in enumerate(archives):
        archive.append(_member("warcinfo", f"urn:sample:{number}", "application/warc-fields", info, "2024-01-01"))
    for record in records:
        draw = int(record["id"][:8], 16)
        content = page(record, [other["name"] for other in records[draw % len(records) :][:4]])
        address = f"https://{record['package'].lower()}.example/{record['kind']}/{record['id'][:10]}"
        date = f"{2022 + draw % 3}-{1 + draw % 12:02}-{1 + draw % 28:02}"
        status = "404 Not Found" if draw % GARNISH["gone"] == 0 else "200 OK"
        copies = [address, f"{address}?ref=feed"] if draw % GARNISH["captured twice"] == 1 else [address]
        for copy in copies:
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            block = head.encode() + content
            archives[draw % 2].append(_member("response", copy, "application/http; msgtype=response", block, date))
    for number, archive in enumerate(archives):
        (folder / f"pages-{number}.warc.gz").write_bytes(b"".join(archive))


def _member(kind: str, address: str, content_type: str, block: bytes, date: str) -> bytes:
    digest = base64.b32encode(hashlib.sha1(block).digest()).decode()  # noqa: S324  # what WARC prescribes
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, address)}>\r\n"
        f"WARC-Target-URI: {address}\r\nWARC-Date: {date}T00:00:00Z\r\nWARC-Block-Digest: sha1:{digest}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + block + b"\r\n\r\n", mtime=0)


def page(record: Record, others: list[str]) -> bytes:
    """Return a text as a page of a site; Markdown becomes HTML, other text paragraphs and blocks of code."""
    text = CONTROL.sub("", record["text"])
    body = MarkdownIt("commonmark", {"html": False}).render(text) if record["kind"] == "readme" else _paragraphs(text)
    filled = PAGE.format(
        language="zh" if record["kind"] == "chinese" else "en",
        title=html.escape(record["name"]),
        body=body,
        notice=NOTICE,
        links="".join(f"<li><a href='/x'>{html.escape(other)}</a></li>" for other in others),
        year=2022 + int(record["id"][:8], 16) % 3,
        site=f"{record['package'].lower()}.example",
    )
    return filled.encode("utf-8", "replace")


def _paragraphs(text: str) -> str:
    parts = []
    for block in text.split("\n\n"):
        tag = "pre" if block.startswith(("    ", "\t", ">>>")) else "p"
        parts.append(f"<{tag}>{html.escape(block)}</{tag}>")
    return "\n".join(parts)


def dump(records: list[Record]) -> bytes:
    """Return docstrings as a MediaWiki dump, with a template, a reference and links."""
    pages = []
    for number, record in enumerate(records, start=1):
        name = record["name"]
        module = name.rpartition(".")[0] or "Python"
        wikitext = (
            f"{{{{Infobox software\n| name = {name}\n| licence = PSF\n}}}}\n'''{name}''' ([[{module}|{module}]])"
            f"<ref>Its docstring.</ref>\n\n{record['text']}\n\n[[Category:Python]]"
        )
        pages.append(
            f"<page><title>{html.escape(name)}</title><ns>0</ns><id>{number}</id><revision><id>{number}</id>"
            f"<timestamp>2024-01-01T00:00:00Z</timestamp><text>{html.escape(wikitext)}</text></revision></page>"
        )
    return ("<mediawiki>\n" + "\n".join(pages) + "\n</mediawiki>\n").encode("utf-8", "replace")


def book() -> str:
    """Return the topics of the Python language reference as a Gutenberg text, a chapter each."""
    chapters = [f"CHAPTER {number}\n\n{text}" for number, (_, text) in enumerate(sorted(topics.items()), start=1)]
    head = "Title: The Python Language Reference, by Topic\n\nAuthor: The Python contributors\n\nLanguage: English\n\n"
    start, end = (
        f"*** {word} OF THE PROJECT GUTENBERG EBOOK THE PYTHON LANGUAGE REFERENCE ***" for word in ("START", "END")
    )
    return f"{head}{start}\n\n\n" + "\n\n\n".join(chapters) + f"\n\n\n{end}\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    write_sample(target)
    print(f"{target}: {', '.join(f'{file.name} {file.stat().st_size:,} bytes' for file in sorted(target.iterdir()))}")
