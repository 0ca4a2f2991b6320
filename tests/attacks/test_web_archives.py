"""WARC, WET and MediaWiki dumps: one fault costs one record, a cut is seen, and nothing is lost without a count."""

import bz2
import gzip
import hashlib
import lzma
import random

import pytest
import zstandard
from workbench_plugins.sources.byte_stream import ByteStream
from workbench_plugins.sources.warc import Warc
from workbench_plugins.sources.wet import Wet
from workbench_plugins.sources.wikipedia_dump import WikipediaDump

from workbench.contracts.context import Context
from workbench.errors import DataError
from workbench.files.bad_record import BadRecord
from workbench.testing.trials import trial

PAGE = "<html><head><meta charset=utf-8></head><body><p>Page number {} — 第{}页</p></body></html>"


def record(kind, content_type, block, **headers):
    fields = {
        "WARC-Type": kind,
        "WARC-Target-URI": "https://www.example.org/a",
        "Content-Type": content_type,
        "Content-Length": len(block),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def response(body, http="Content-Type: text/html\r\n", status="200 OK", **headers):
    block = f"HTTP/1.1 {status}\r\n{http}\r\n".encode() + body
    return record("response", "application/http; msgtype=response", block, **headers)


def digest(number):
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE.format(number, number).encode()
    return "sha1:" + hashlib.sha1(block).hexdigest()


PAGES = [response(PAGE.format(n, n).encode(), WARC_Block_Digest=digest(n)) for n in range(12)]
TEXTS = [record("conversion", "text/plain", f"text {n} 文字".encode()) for n in range(12)]
WIKI = [
    f"<page>\n<title>T{n}</title><ns>0</ns><id>{n}</id>\n<revision><id>{n}9</id><text>Page '''{n}''' &amp; 第{n}页"
    "</text></revision>\n</page>\n"
    for n in range(12)
]
WIKI_FILE = ["<mediawiki><siteinfo/>\n", *WIKI, "</mediawiki>\n"]


def read(folder, content, source=Warc, name="data.bin", **settings):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    allowed = {"allow_damaged": True, "max_bad_share": 1.0, **settings}
    corpus = trial(source(paths=(name,), **allowed), {}, folder)
    ledger = corpus.ledger
    assert ledger.read == ledger.kept + ledger.rejected.total() + ledger.quarantined
    return corpus


def outcome(folder, content, source):
    """Return the texts and the bad records, without writing a corpus."""
    (folder / "data.bin").write_bytes(content)
    ctx = Context("raw", source(paths=("x",)).component_id, 1, folder, folder, folder, folder)
    items = list(source(paths=("data.bin",)).read(ctx))
    bad = [item for item in items if isinstance(item, BadRecord)]
    return [text for item in items if not isinstance(item, BadRecord) for text in item["text"]], bad


def faults(corpus):
    return corpus.quarantine().collect().select("place", "reason").rows()


BAD_RECORDS = {
    "length-too-short": (PAGES[5].replace(b"Content-Length: 1", b"Content-Length: "), "wrong-content-length"),
    "length-too-long": (PAGES[5].replace(b"Content-Length: ", b"Content-Length: 9"), "wrong-content-length"),
    "length-huge": (PAGES[5].replace(b"Content-Length: ", b"Content-Length: 99999999"), "record-too-long"),
    "length-negative": (PAGES[5].replace(b"Content-Length: ", b"Content-Length: -"), "wrong-content-length"),
    "length-words": (PAGES[5].replace(b"Content-Length: ", b"Content-Length: many"), "wrong-content-length"),
    "length-missing": (PAGES[5].replace(b"Content-Length: ", b"Content-Size: "), "wrong-content-length"),
    "length-off-by-one": (PAGES[5][:-5] + b"x" + PAGES[5][-5:], "wrong-content-length"),
    "no-version": (PAGES[5].replace(b"WARC/1.0", b"HTTP/1.0"), "not-a-warc-record"),
    "odd-version": (PAGES[5].replace(b"WARC/1.0", b"WARC/one"), "invalid-warc-header"),
    "no-type": (PAGES[5].replace(b"WARC-Type", b"WARC-Kind"), "invalid-warc-header"),
    "no-field": (PAGES[5].replace(b"WARC-Type:", b"WARC Type "), "invalid-warc-header"),
    "header-without-end": (b"WARC/1.0\r\n" + b"A: b\r\n" * 20_000, "invalid-warc-header"),
    "flipped-content": (PAGES[5].replace(b"number", b"nunber"), "digest-mismatch"),
    "not-http": (record("response", "application/http", b"\x00\x01\x02"), "invalid-http"),
    "binary-page": (response(b"\x00\x01\x02\xff"), "not-text"),
    "bad-chunk": (
        response(b"5\r\nhello\r\nzz\r\n", "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"),
        "bad-chunked-body",
    ),
    "cut-chunk": (
        response(b"ff\r\nhello", "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n"),
        "bad-chunked-body",
    ),
    "cut-gzip": (
        response(gzip.compress(b"hello world" * 9)[:-9], "Content-Type: text/html\r\nContent-Encoding: gzip\r\n"),
        "bad-content-encoding",
    ),
    "broken-brotli": (
        response(b"\xff\xfe\xfd", "Content-Type: text/html\r\nContent-Encoding: br\r\n"),
        "bad-content-encoding",
    ),
    "cut-zstd": (
        response(zstandard.compress(b"hello" * 99)[:-3], "Content-Type: text/html\r\nContent-Encoding: zstd\r\n"),
        "bad-content-encoding",
    ),
    "body-bomb": (
        response(gzip.compress(bytes(70 << 20)), "Content-Type: text/html\r\nContent-Encoding: gzip\r\n"),
        "body-too-long",
    ),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_one_bad_record_costs_one_record(tmp_path, case):
    """It is quarantined at its byte, with its reason; the eleven around it are kept."""
    bad, reason = BAD_RECORDS[case]
    corpus = read(tmp_path, b"".join([*PAGES[:5], bad, *PAGES[6:]]))
    ((place, found),) = faults(corpus)
    assert found == reason
    assert f"byte {len(b''.join(PAGES[:5]))}" in place
    assert corpus.ledger.kept == 11


def test_a_wrong_length_swallows_no_neighbour(tmp_path):
    """A length that ends exactly at the end of a later record would hide the records between."""
    stated = len(PAGES[5].partition(b"\r\n\r\n")[2]) - 4 + len(PAGES[6])
    first = PAGES[5].partition(b"Content-Length: ")
    bad = first[0] + first[1] + str(stated).encode() + b"\r\n" + first[2].partition(b"\r\n")[2]
    corpus = read(tmp_path, b"".join([*PAGES[:5], bad, *PAGES[6:]]))
    assert [reason for _, reason in faults(corpus)] == ["digest-mismatch"]
    assert corpus.ledger.read + 1 >= 11


def test_a_file_that_is_no_warc_is_one_bad_record(tmp_path):
    corpus = read(tmp_path, b"just text\n" * 1000)
    assert faults(corpus) == [("record 1 (byte 0)", "not-a-warc-record")]


SOURCES = {"warc": (Warc, PAGES), "wet": (Wet, TEXTS), "wiki": (WikipediaDump, [part.encode() for part in WIKI_FILE])}


@pytest.mark.parametrize("source", SOURCES)
def test_200_cuts_are_seen(tmp_path, source):
    """Of a plain file too, but where a WARC is cut between records, which leaves a whole file."""
    component, parts = SOURCES[source]
    whole = b"".join(parts)
    ends = (
        {len(b"".join(parts[:n])) for n in range(len(parts) + 1)}
        if source != "wiki"
        else {0, len(whole), len(whole) - 1}
    )
    draw = random.Random(3)
    missed = []
    for _ in range(200):
        cut = draw.randrange(len(whole))
        if cut not in ends and not outcome(tmp_path, whole[:cut], component)[1]:
            missed.append(cut)
    assert missed == []


PACKERS = {
    "gzip": lambda parts: b"".join(gzip.compress(part, mtime=0) for part in parts),
    "zstd": lambda parts: b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(part) for part in parts),
    "bzip2": lambda parts: b"".join(bz2.compress(part) for part in parts),
    "xz": lambda parts: lzma.compress(b"".join(parts)),
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("source", ["warc", "wiki"])
def test_200_flipped_bits_are_seen_or_change_nothing(tmp_path, source, packer):
    component, parts = SOURCES[source]
    whole = PACKERS[packer](parts)
    expected = outcome(tmp_path, whole, component)
    draw = random.Random(4)
    missed = []
    for _ in range(200):
        content = bytearray(whole)
        place = draw.randrange(len(content) * 8)
        content[place // 8] ^= 1 << place % 8
        found = outcome(tmp_path, bytes(content), component)
        if not found[1] and found != expected:
            missed.append(place)
    assert missed == []


BAD_PAGES = {
    "bad-byte": (WIKI[5].encode().replace(b"Page", b"P\xffge"), "invalid-xml"),
    "control": (WIKI[5].encode().replace(b"Page", b"P\x01ge"), "invalid-xml"),
    "entity": (WIKI[5].encode().replace(b"Page", b"&bomb;"), "invalid-xml"),
    "external": (
        WIKI[5].encode().replace(b"<title>", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><title>'),
        "invalid-xml",
    ),
    "tag-not-closed": (WIKI[5].encode().replace(b"</title>", b""), "invalid-xml"),
    "page-not-closed": (WIKI[5].encode().replace(b"</page>", b""), "unclosed-page"),
    "page-not-opened": (WIKI[5].encode().replace(b"<page>", b"<pagg>"), "stray-content"),
    "no-text": (WIKI[5].encode().replace(b"text>", b"txt>"), "text-missing"),
    "deep": (WIKI[5].encode().replace(b"Page", b"<a>" * 100_000), "invalid-xml"),
}


@pytest.mark.parametrize("case", BAD_PAGES)
def test_one_bad_page_costs_one_page(tmp_path, case):
    bad, reason = BAD_PAGES[case]
    content = b"".join(
        [b"<mediawiki>", *(page.encode() for page in WIKI[:5]), bad, *(p.encode() for p in WIKI[6:]), b"</mediawiki>"]
    )
    corpus = read(tmp_path, content, WikipediaDump)
    assert [found for _, found in faults(corpus)] == [reason]
    assert "byte " in faults(corpus)[0][0]
    assert corpus.ledger.kept == 11


def test_entities_of_the_head_are_never_read(tmp_path):
    """A billion laughs before the first page is text that is passed over."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    content = f'<!DOCTYPE mediawiki [<!ENTITY l0 "ha">{laughs}]><mediawiki>{"".join(WIKI)}</mediawiki>'
    assert read(tmp_path, content.encode(), WikipediaDump).ledger.kept == 12


@pytest.mark.parametrize(
    "content, reason", [(b"<html>no dump</html>", "not-a-mediawiki-dump"), (b"<mediawiki>", "truncated-xml")]
)
def test_other_files_are_no_dumps(tmp_path, content, reason):
    assert reason in [found for _, found in faults(read(tmp_path, content, WikipediaDump))]


@pytest.mark.parametrize("source", SOURCES)
def test_a_cut_fails_the_step_and_says_what_allows_it(tmp_path, source):
    component, parts = SOURCES[source]
    with pytest.raises(DataError) as problem:
        read(tmp_path, gzip.compress(b"".join(parts))[:-30], component, allow_damaged=False)
    assert "allow_damaged: true" in problem.value.message
    assert len(problem.value.message.splitlines()) <= 5


def test_the_stream_gives_the_same_whatever_the_pieces():
    """Searching, peeking and passing do not depend on where the pieces end."""
    content = b"abc--x--def--mark--" * 50 + b"END"

    def walk(size):
        stream = ByteStream(iter(content[start : start + size] for start in range(0, len(content), size)))
        places = [stream.find(b"mark", 40), stream.find(b"none", 10_000)]
        passed = stream.pass_to(b"mark", 15)
        rest = stream.pass_to(b"nothing")
        return places, passed, rest, stream.offset, stream.ahead(1)

    assert len({str(walk(size)) for size in (1, 2, 3, 7, 64, 10_000)}) == 1
    assert walk(7)[3:] == (len(content), 0)
