"""WARC, WET and MediaWiki dumps: what a good file gives, worked out by hand."""

import bz2
import gzip
import json
import zlib

import brotli
import pytest
import zstandard
from workbench_plugins.sources.warc import Warc
from workbench_plugins.sources.wet import Wet
from workbench_plugins.sources.wikipedia_dump import WikipediaDump

from workbench.testing.trials import trial

PAGE = "<html><body><p>Grüße, 世界</p></body></html>"


def record(kind, content_type, block, **more):
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Date": "2026-01-02T03:04:05Z",
        "WARC-Target-URI": "https://www.Example.org:8080/a?b=c",
        "Content-Type": content_type,
        "Content-Length": len(block),
        **more,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"WARC/1.1\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def response(body, fields="Content-Type: text/html; charset=utf-8\r\n", status="200 OK"):
    return record("response", "application/http;msgtype=response", f"HTTP/1.1 {status}\r\n{fields}\r\n".encode() + body)


def read(folder, source, content, name="a", **settings):
    (folder / name).write_bytes(content)
    corpus = trial(source(paths=(name,), **settings), {}, folder)
    assert corpus.ledger.quarantined == 0
    return corpus.scan().collect()


def test_a_page_comes_with_its_address(tmp_path):
    """Host in lower case without www, the id without its brackets, date and status from the headers; the source is the byte of the record."""
    before = record("warcinfo", "application/warc-fields", b"software: x\r\n")
    frame = read(tmp_path, Warc, gzip.compress(before) + gzip.compress(response(PAGE.encode())))
    assert frame["text"].to_list() == [PAGE]
    assert frame["source"].to_list() == [f"a:{len(before)}"]
    assert json.loads(frame["meta"][0]) == {
        "url": "https://www.Example.org:8080/a?b=c",
        "domain": "example.org",
        "date": "2026-01-02T03:04:05Z",
        "record_id": "urn:uuid:1",
        "status": 200,
        "mime": "text/html",
        "encoding": "utf-8",
    }


BODIES = {
    "plain": ("", lambda body: body),
    "chunked": (
        "Transfer-Encoding: chunked\r\n",
        lambda body: b"5\r\n" + body[:5] + b"\r\n%x;x=y\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n",
    ),
    "gzip": ("Content-Encoding: gzip\r\n", gzip.compress),
    "two members of gzip": (
        "Content-Encoding: gzip\r\n",
        lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]),
    ),
    "gzip and what is none": ("Content-Encoding: gzip\r\n", lambda body: gzip.compress(body) + b"\r\n"),
    "deflate": ("Content-Encoding: deflate\r\n", zlib.compress),
    "br": ("Content-Encoding: br\r\n", brotli.compress),
    "zstd": ("Content-Encoding: zstd\r\n", zstandard.compress),
}


@pytest.mark.parametrize("case", BODIES)
def test_what_transport_did_is_undone(tmp_path, case):
    """Chunks and content encodings."""
    fields, pack = BODIES[case]
    content = response(pack(PAGE.encode()), f"Content-Type: text/html; charset=utf-8\r\n{fields}")
    assert read(tmp_path, Warc, content)["text"].to_list() == [PAGE]


CHOSEN = {
    "defaults": ({}, [0]),
    "statuses": ({"statuses": (404,)}, [1]),
    "kinds": ({"mime": ("application/json",)}, [2]),
    "types": ({"record_types": ("resource",)}, [3]),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_settings_choose_records(tmp_path, case):
    """By type, status and kind of content; the others are left out."""
    settings, places = CHOSEN[case]
    records = [
        response(b"<p>0</p>"),
        response(b"<p>1</p>", status="404 Not Found"),
        response(b'{"n": 2}', "Content-Type: application/json\r\n"),
        record("resource", "text/html", b"<p>3</p>"),
        record("request", "application/http", b"GET / HTTP/1.1\r\n\r\n"),
    ]
    texts = ["<p>0</p>", "<p>1</p>", '{"n": 2}', "<p>3</p>"]
    frame = read(tmp_path, Warc, b"".join(records), **settings)
    assert frame["text"].to_list() == [texts[place] for place in places]


@pytest.mark.parametrize("source", [Warc, Wet])
def test_ids_survive_a_new_name(tmp_path, source):
    """They follow from the file's bytes and the record's place."""
    content = (response(PAGE.encode()) if source is Warc else record("conversion", "text/plain", b"text")) * 2
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    first, second = (read(tmp_path / name, source, content, name) for name in "xy")
    assert first["id"].to_list() == second["id"].to_list()
    assert first["id"].n_unique() == 2


def test_wet_gives_the_text_of_conversions(tmp_path):
    """With the language that the crawl found; other records are left out."""
    content = record("warcinfo", "application/warc-fields", b"x: y\r\n") + record(
        "conversion", "text/plain", "第一行\r\n第二行".encode(), **{"WARC-Identified-Content-Language": "zho"}
    )
    frame = read(tmp_path, Wet, content)
    assert frame["text"].to_list() == ["第一行\n第二行"]
    meta = json.loads(frame["meta"][0])
    assert (meta["language"], meta["domain"]) == ("zho", "example.org")


DUMP = """<mediawiki><siteinfo><namespaces><namespace key="6" case="first-letter">File</namespace></namespaces></siteinfo>
<page><title>Tea</title><ns>0</ns><id>5</id><revision><id>7</id><timestamp>2026-01-02T03:04:05Z</timestamp>
<text>'''Tea''' is a [[drink|hot drink]].{{cite}}&lt;ref&gt;x&lt;/ref&gt;</text></revision></page>
<page><title>Cha</title><ns>0</ns><id>6</id><redirect title="Tea"/><revision><id>8</id><text>#REDIRECT [[Tea]]</text></revision></page>
<page><title>Talk:Tea</title><ns>1</ns><id>9</id><revision><id>9</id><text>Hello</text></revision></page>
<page><title>Te</title><ns>0</ns><id>10</id><revision><id>11</id><text>May be: {{disambiguation}}</text></revision></page>
</mediawiki>
"""


def test_a_page_of_a_dump_is_prose(tmp_path):
    """Redirects, disambiguations and other namespaces are left out; a multistream file is one file."""
    content = DUMP.encode()
    frame = read(tmp_path, WikipediaDump, bz2.compress(content[:300]) + bz2.compress(content[300:]))
    assert frame["text"].to_list() == ["Tea is a hot drink."]
    assert frame["source"].to_list() == [f"a:{content.index(b'<page>')}"]
    assert json.loads(frame["meta"][0]) == {
        "title": "Tea",
        "page_id": "5",
        "revision_id": "7",
        "timestamp": "2026-01-02T03:04:05Z",
        "namespace": "0",
    }


@pytest.mark.parametrize(
    "settings, titles",
    [
        ({"redirects": True}, ["Tea", "Cha"]),
        ({"disambiguations": True}, ["Tea", "Te"]),
        ({"namespaces": (1,)}, ["Talk:Tea"]),
    ],
)
def test_other_pages_can_be_asked_for(tmp_path, settings, titles):
    """Each by its own setting; `markup` leaves the wikitext as it is."""
    frame = read(tmp_path, WikipediaDump, DUMP.encode(), markup=True, **settings)
    assert [json.loads(meta)["title"] for meta in frame["meta"]] == titles
    if "Tea" in titles:
        assert frame["text"][0].startswith("'''Tea''' is a [[drink|hot drink]].")
