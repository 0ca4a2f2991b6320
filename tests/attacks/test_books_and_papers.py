"""EPUB, Gutenberg texts, PDF and HTML: what is broken, locked or hostile is named, and costs one file or chapter."""

import io
import random
import zipfile

import pytest
from workbench_plugins.sources.books import Books, split_chapters
from workbench_plugins.sources.html import Html
from workbench_plugins.sources.pdf import Pdf

from workbench.testing.trials import trial

CONTAINER = '<container xmlns="urn:x"><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>A Book</dc:title><dc:creator>Ada</dc:creator><dc:language>zh</dc:language></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/a%20b.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="nav"/><itemref idref="b"/><itemref idref="a"/></spine></package>"""
FIRST = '<?xml version="1.0"?><!DOCTYPE html><html><head><title/></head><body><h1>One</h1><p>第一章&nbsp;text<br/>line</p></body></html>'
SECOND = "<html><body><h2>Two</h2><p>not <b>closed<p>again &amp; <script>no</script>again</body>"
MEMBERS = {
    "META-INF/container.xml": CONTAINER,
    "OEBPS/content.opf": PACKAGE,
    "OEBPS/nav.xhtml": "<html><body><nav>Contents</nav></body></html>",
    "OEBPS/b.xhtml": FIRST,
    "OEBPS/text/a b.xhtml": SECOND,
}


def epub(**changes):
    members = {**MEMBERS, **changes}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return target.getvalue()


def read(folder, content, source=Books, name="data.bin", **settings):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    corpus = trial(source(paths=(name,), allow_damaged=True, max_bad_share=1.0, **settings), {}, folder)
    assert corpus.ledger.read == corpus.ledger.kept + corpus.ledger.rejected.total() + corpus.ledger.quarantined
    return corpus


def faults(corpus):
    return corpus.quarantine().collect().select("place", "reason").rows()


def texts(corpus):
    return corpus.scan().collect()["text"].to_list()


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path):
    """Navigation, scripts and heads are left out; entities of HTML and markup that is not well-formed are read."""
    (text,) = texts(read(tmp_path / "book", epub()))
    assert text == "One\n\n第一章 text\n\nline\n\nTwo\n\nnot closed\n\nagain & again"
    corpus = read(tmp_path / "chapters", epub(), unit="chapter")
    assert corpus.scan().collect()["source"].to_list() == ["data.bin#OEBPS/b.xhtml", "data.bin#OEBPS/text/a b.xhtml"]
    assert '"author": "Ada"' in corpus.scan().collect()["meta"][0]


DRM = '<encryption xmlns:e="urn:e"><e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'
FONTS = '<encryption xmlns:e="urn:e"><e:EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/></encryption>'
LAUGHS = '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
BAD_BOOKS = {
    "no-container": ({"META-INF/container.xml": None}, "not-an-epub"),
    "empty-container": ({"META-INF/container.xml": "<container/>"}, "not-an-epub"),
    "broken-container": ({"META-INF/container.xml": "<container"}, "invalid-xml"),
    "no-package": ({"OEBPS/content.opf": None}, "missing-member"),
    "broken-package": ({"OEBPS/content.opf": PACKAGE[:-9]}, "invalid-xml"),
    "laughs-in-package": ({"OEBPS/content.opf": LAUGHS + PACKAGE}, "invalid-xml"),
    "laughs-in-chapter": ({"OEBPS/b.xhtml": LAUGHS + "<html/>"}, "invalid-xml"),
    "missing-chapter": ({"OEBPS/b.xhtml": None}, "missing-member"),
    "escape": ({"OEBPS/content.opf": PACKAGE.replace("b.xhtml", "../../../../etc/passwd")}, "missing-member"),
    "drm": ({"META-INF/encryption.xml": DRM}, "encrypted"),
    "rights": ({"META-INF/rights.xml": "<rights/>"}, "encrypted"),
    "bomb": ({"OEBPS/b.xhtml": bytes(20 << 20)}, "expands-too-much"),
}


@pytest.mark.parametrize("case", BAD_BOOKS)
def test_a_bad_book_is_named(tmp_path, case):
    """A book that lacks a chapter is no whole book; by chapters, the others are kept."""
    changes, reason = BAD_BOOKS[case]
    corpus = read(tmp_path, epub(**changes))
    assert {found for _, found in faults(corpus)} == {reason}
    assert corpus.ledger.kept == 0


def test_mangled_fonts_are_no_drm_and_a_lost_chapter_costs_itself(tmp_path):
    assert read(tmp_path / "fonts", epub(**{"META-INF/encryption.xml": FONTS})).ledger.kept == 1
    corpus = read(tmp_path / "lost", epub(**{"OEBPS/b.xhtml": None}), unit="chapter")
    assert (corpus.ledger.kept, faults(corpus)) == (1, [("member OEBPS/b.xhtml", "missing-member")])


def test_200_cuts_and_flips_of_an_epub_are_seen_or_change_nothing(tmp_path):
    """A zip archive has a check sum for each member; the directory at its end has none, but must fit."""
    whole = epub()
    expected = texts(read(tmp_path / "whole", whole))
    draw = random.Random(5)
    component = Books(paths=("data.bin",), allow_damaged=True, max_bad_share=1.0)
    missed = []
    for turn in range(400):
        content = bytearray(whole)
        place = draw.randrange(len(content))
        if turn % 2:
            content[place] ^= 1 << draw.randrange(8)
        else:
            del content[place:]
        items = list(component._epub(bytes(content), "data.bin", "id")) if content[:4] == b"PK\x03\x04" else [None]
        kept = [item.text for item in items if hasattr(item, "text")]
        if kept and kept != expected:
            missed.append((turn, place))
    assert missed == []


NEW = "Produced by A\n\nThe Book\n\nCHAPTER I\n\n" + "Text. " * 50 + "\n\nCHAPTER II\n\n" + "More. " * 50
GUTENBERG = {
    "new": f"The Project Gutenberg eBook of X\n\nTitle: X\nAuthor: Y\nLanguage: English\nRelease date: May 1, 2001 [eBook #7]\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n{NEW}\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\nlicence",
    "long-title": f"Title: X\n\n*** START OF THIS PROJECT GUTENBERG EBOOK A VERY\nLONG TITLE ***\n\n{NEW}\nEnd of Project Gutenberg's X\n",
    "nineties": f"Project Gutenberg Etext of X, by Y\nsmall print\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n{NEW}\n\nEnd of The Project Gutenberg Etext of X\n",
}


@pytest.mark.parametrize("style", GUTENBERG)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_gutenberg_text_loses_what_is_not_the_book(tmp_path, style, ends):
    content = GUTENBERG[style].replace("\n", ends).encode()
    corpus = read(tmp_path / "book", content)
    (text,) = texts(corpus)
    assert text.startswith("The Book\n\nCHAPTER I")
    assert text.rstrip().endswith("More.")
    assert '"title": "X' in corpus.scan().collect()["meta"][0]
    chapters = read(tmp_path / "chapters", content, unit="chapter").scan().collect()["text"]
    assert [chapter.split("\n")[0] for chapter in chapters] == ["The Book", "CHAPTER I", "CHAPTER II"]


def test_other_encodings_are_read_and_other_files_refused(tmp_path):
    assert texts(read(tmp_path / "latin", "Character set encoding: ISO-8859-1\n\ncafé".encode("latin-1")))[0].endswith(
        "café"
    )
    assert texts(read(tmp_path / "gb", "第一回 宴桃園豪傑三結義".encode("gb18030"), unit="book"))
    assert [reason for _, reason in faults(read(tmp_path / "other", b"\x7fELF\x00\x00\x01"))] == ["not-a-book"]


def pdf(*pages, trailer=b""):
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % len(pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, lines in enumerate(pages):
        shown = b" ".join(b"(%b) Tj 0 -14 Td" % line for line in lines)
        stream = b"BT /F1 12 Tf 72 720 Td " + shown + b" ET"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
            b" /Contents %d 0 R >>" % (5 + 2 * n)
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(places)
    return (
        body
        + table
        + b"trailer << /Root 1 0 R /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(body))
    )


def test_a_paper_loses_its_running_heads_and_hyphens(tmp_path):
    """Numbers apart, a line at the edge of most pages is no text."""
    words = [b"river", b"mountain", b"harbour", b"village"]
    pages = [
        [
            b"Journal of Tests, p. %d" % n,
            b"The " + word + b" is under-",
            b"standing " + word,
            b"and",
            b"then",
            b"left " + word,
        ]
        for n, word in enumerate(words, 1)
    ]
    (text,) = texts(read(tmp_path, pdf(*pages), Pdf))
    assert text.startswith("The river is understanding river\nand")
    assert "Journal" not in text


BAD_PDFS = {
    "no-pdf": (b"plain text", "not-a-pdf"),
    "empty": (b"", "not-a-pdf"),
    "head-alone": (b"%PDF-1.7\n", "damaged-pdf"),
    "encrypted": (
        pdf(
            [b"a"],
            trailer=b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >> /ID [<00> <00>]"
            % (b"41" * 32, b"42" * 32),
        ),
        "encrypted",
    ),
    "page-loop": (pdf([b"a"]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"), "damaged-pdf"),
}


@pytest.mark.parametrize("case", BAD_PDFS)
def test_a_bad_pdf_is_named(tmp_path, case):
    content, reason = BAD_PDFS[case]
    assert faults(read(tmp_path, content, Pdf)) == [("byte 0", reason)]


def test_a_scan_has_no_text_and_says_so(tmp_path):
    corpus = read(tmp_path, pdf([]), Pdf)
    assert dict(corpus.ledger.rejected) == {"empty": 1}
    assert '"empty": "no-text-layer"' in corpus.rejects().collect()["meta"][0]


def test_html_files_keep_their_markup_and_find_their_characters(tmp_path):
    page = '<html><head><meta charset="gb2312"></head><p>中文网页</p>'
    assert texts(read(tmp_path / "gb", page.encode("gbk"), Html)) == [page]
    assert texts(read(tmp_path / "mark", page.encode("utf-8-sig"), Html)) == [page]
    wrong = read(tmp_path / "wrong", b"<meta charset=utf-8><p>a\xffb</p>", Html)
    assert '"replaced": 1' in wrong.scan().collect()["meta"][0]
    assert [reason for _, reason in faults(read(tmp_path / "image", b"\x89PNG\r\n\x1a\n\x00\x00", Html))] == [
        "not-text"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "CHAPTER IV",
        "Chapter iv.",
        "CHAPTER ONE",
        "Letter the Eleventh",
        "BOOK EIGHTEENTH",
        "Chapter Twenty-One",
        "Part the First",
        "PART II. OF THE SEA",
        "第四章 归来",
        "第四章归来",
        "第一回　甄士隐",
    ],
)
def test_a_heading_begins_a_chapter(line):
    """In figures, Roman or Arabic, or in words."""
    assert [title for title, _ in split_chapters(f"before\n\n{line}\n\ntext")] == ["", " ".join(line.split())]


@pytest.mark.parametrize(
    "line",
    [
        "Part owner of the sloop, he sailed on.",
        "Book after book lay there.",
        "Act did not follow act.",
        "第三节课开始了",
        "第二回合的比赛",
    ],
)
def test_a_sentence_begins_none(line):
    """Though it begins with the same word."""
    assert [title for title, _ in split_chapters(f"before\n\n{line}\n\ntext")] == [""]
