"""R1 to R3 for every reader there is: whatever a file holds, there is an account of it and a place, and never a trip.

The table below has one line for each reader and unit. A new source that reads files fails the last test until it has
one too.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from workbench.contracts.context import Context
from workbench.contracts.source import FileSource
from workbench.errors import DataError, StepError
from workbench.files.bad_record import BadRecord
from workbench.registry import shared_registry
from workbench.testing.trials import trial

TEXTS = [f"Record number {n}, 第{n}条记录。 " + "word " * (n % 9) for n in range(24)]


def lines(make: Callable[[str], Any]) -> Callable[[list[str]], bytes]:
    return lambda texts: b"".join(json.dumps(make(text)).encode() + b"\n" for text in texts)


def table(texts: list[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([("text", "n"), *((text, 1) for text in texts)])
    return target.getvalue().encode()


def parquet(texts: list[str]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": texts}), sink, write_page_checksum=True, row_group_size=8, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def arrow(texts: list[str]) -> bytes:
    sink = pa.BufferOutputStream()
    made = pa.table({"text": texts})
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=8)
    return bytes(sink.getvalue().to_pybytes())


def warc(kind: str, content_type: str, before: bytes = b"") -> Callable[[list[str]], bytes]:
    def build(texts: list[str]) -> bytes:
        records = []
        for text in texts:
            block = before + text.encode()
            head = (
                f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
            )
            records.append(head.encode() + block + b"\r\n\r\n")
        return b"".join(records)

    return build


def dump(texts: list[str]) -> bytes:
    pages = [
        f"<page><title>{n}</title><ns>0</ns><id>{n}</id><revision><id>1</id><text>{text}</text></revision></page>\n"
        for n, text in enumerate(texts)
    ]
    return f"<mediawiki>\n{''.join(pages)}</mediawiki>\n".encode()


def epub(texts: list[str]) -> bytes:
    items = "".join(f'<item id="c{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(texts)))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(texts)))
    members = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": f"<package><metadata/><manifest>{items}</manifest><spine>{spine}</spine></package>",
        **{f"{n}.xhtml": f"<html><body><p>{text}</p></body></html>" for n, text in enumerate(texts)},
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def pdf(texts: list[str]) -> bytes:
    stream = b"BT /F1 12 Tf 72 720 Td (%d records) Tj ET" % len(texts)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /MediaBox [0 0 9 9] >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = b"%PDF-1.4\n", b""
    for number, content in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    trailer = b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + places + trailer


@dataclass(frozen=True)
class Reader:
    """A reader under attack.

    Attributes:
        use: The source.
        build: Texts → the bytes of a file that holds them.
        name: The file's name.
        settings: Of the source.
        packed: Whether gzip, zstd, bzip2 and xz are read.
        whole: Whether a file is one document.
        wrong_byte: The place of a record with a wrong byte as the 5th of a file, None where it is replaced or passed.
    """

    use: str
    build: Callable[[list[str]], bytes]
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    packed: bool = True
    whole: bool = False
    wrong_byte: str | None = None


def joined(separator: str) -> Callable[[list[str]], bytes]:
    return lambda texts: separator.join(texts).encode()


HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
READERS = {
    "text-file": Reader("text", joined("\n"), "a.txt", whole=True, wrong_byte=r"byte \d+"),
    "text-line": Reader("text", joined("\n"), "a.txt", {"unit": "line"}, wrong_byte="line 5"),
    "text-paragraph": Reader("text", joined("\n\n"), "a.txt", {"unit": "paragraph"}, wrong_byte="line 9"),
    "jsonl": Reader("jsonl", lines(lambda text: {"text": text}), "a.jsonl", wrong_byte="line 5"),
    "csv": Reader("csv", table, "a.csv", wrong_byte="line 6"),
    "parquet": Reader("parquet", parquet, "a.parquet", packed=False),
    "huggingface-lines": Reader("huggingface", lines(lambda text: {"text": text}), "a.jsonl", wrong_byte="line 5"),
    "huggingface-array": Reader(
        "huggingface",
        lambda texts: json.dumps([{"text": t} for t in texts]).encode(),
        "a.json",
        wrong_byte=r"item 5 \(byte \d+\)",
    ),
    "huggingface-csv": Reader("huggingface", table, "a.csv", wrong_byte="line 6"),
    "huggingface-parquet": Reader("huggingface", parquet, "a.parquet", packed=False),
    "huggingface-arrow": Reader("huggingface", arrow, "a.arrow", packed=False),
    "warc": Reader("warc", warc("response", "application/http", HTTP), "a.warc"),
    "wet": Reader("wet", warc("conversion", "text/plain"), "a.wet", wrong_byte=r"byte \d+"),
    "wikipedia-dump": Reader("wikipedia-dump", dump, "a.xml", wrong_byte=r"byte \d+"),
    "books-text": Reader("books", joined("\n"), "a.txt", whole=True),
    "books-epub": Reader("books", epub, "a.epub", {"unit": "chapter"}, packed=False),
    "social": Reader("social", lines(lambda text: {"body": text}), "a.jsonl", wrong_byte="line 5"),
    "code": Reader("code", joined("\n"), "a.py", packed=False, whole=True),
    "html": Reader("html", joined("<p>"), "a.html", whole=True),
    "pdf": Reader("pdf", pdf, "a.pdf", packed=False, whole=True),
}
PACKED = {name: reader for name, reader in READERS.items() if reader.packed}
MEMBERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
SUFFIX = {"gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2", "xz": ".xz"}
FIRST = 700  # bytes in the first of two members
PLACE = re.compile(r"(?:line|byte|row|item|record|page|member|batch|row group) ?\d*.*|footer|schema|member .+")


def packed(packer: str, content: bytes) -> bytes:
    return MEMBERS[packer](content[:FIRST]) + MEMBERS[packer](content[FIRST:])


def component(reader: Reader, name: str | None = None) -> FileSource:
    cls = shared_registry().load(f"source/{reader.use}")
    path = "data" if reader.use == "code" else f"data/{name or reader.name}"
    made = cls(**{"paths": (path,), "allow_damaged": True, "max_bad_share": 1.0, "max_bad": 10**6, **reader.settings})
    assert isinstance(made, FileSource)
    return made


def outcome(reader: Reader, folder: Path, content: bytes, name: str | None = None) -> tuple[list[str], list[BadRecord]]:
    """Return the texts and the bad records of a file, without writing a corpus."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / (name or reader.name)).write_bytes(content)
    source = component(reader, name)
    ctx = Context("raw", source.component_id, 1, folder, folder, folder, folder)
    items = list(source.read(ctx))
    bad = [item for item in items if isinstance(item, BadRecord)]
    for record in bad:
        assert record.file.startswith("data/")
        assert PLACE.fullmatch(record.place), record.place
        assert re.fullmatch(r"[a-z0-9-]+", record.reason)
    return [text for item in items if not isinstance(item, BadRecord) for text in item["text"]], bad


MAX_MESSAGE_LINES = 5
JUNK = {
    "empty": b"",
    "blank": b" \r\n\t\n\n",
    "nul": b"\0",
    "nuls": bytes(5000),
    "ff": b"\xff" * 3000,
    "random": random.Random(1).randbytes(5000),
    "random-lines": b"\n".join(random.Random(2).randbytes(40) for _ in range(50)),
    "mark-alone": b"\xef\xbb\xbf",
    "utf-16": "text,n\n中文,1\n".encode("utf-16"),
    "utf-32": "text,n\n中文,1\n".encode("utf-32"),
    "utf-16-without-mark": "text,n\n中文,1\n".encode("utf-16-be"),
    "lone-cr": b"text\ra\rb",
    "separators": "text\u2028a\u2029b\u0085c\x0cd".encode(),
    "controls": bytes(range(1, 32)) * 9,
    "brackets": b"[" * 100_000,
    "braces": b'{"text":' * 50_000,
    "tags": b"<a>" * 50_000,
    "quotes": b'"' * 99_999,
    "backslashes": b"\\" * 99_999,
    "long-line": b"x" * (17 << 20),
    "zip": b"PK\x03\x04" + random.Random(3).randbytes(500),
    "zip-end": b"PK\x05\x06" + bytes(18),
    "parquet": b"PAR1" + random.Random(4).randbytes(500) + b"PAR1",
    "parquet-footer": b"PAR1" + bytes(8) + b"\xff\xff\xff\x7fPAR1",
    "arrow": b"ARROW1\0\0" + random.Random(5).randbytes(500),
    "arrow-length": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(100),
    "pdf": b"%PDF-1.7\n" + random.Random(6).randbytes(500),
    "gzip": b"\x1f\x8b\x08\x00" + random.Random(7).randbytes(500),
    "zstd": b"\x28\xb5\x2f\xfd" + random.Random(8).randbytes(500),
    "bzip2": b"BZh91AY&SY" + random.Random(9).randbytes(500),
    "xz": b"\xfd7zXZ\x00" + random.Random(10).randbytes(500),
    "xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x>&c;</x>',
    "warc-cut": b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "warc-negative": b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: -5\r\n\r\nabc",
    "page-without-end": b"<mediawiki><page><title>a",
    "surrogate": b'{"text": "\\ud800", "body": "\\udfff"}\n',
    "surrogate-bytes": b'{"text": "\xed\xa0\x80"}\n',
    "json-number": b'{"text": 5, "body": 5}\n[1, 2]\nnull\n1e999\n' + b"9" * 5000,
    "formulas": b"text,n\n=cmd|' /C calc'!A0,1\n",
    "own-names": b'{"id": "x", "text": "a", "source": 5, "meta": [], "turned_away": "b"}\n',
}


def attempt(source: FileSource, folder: Path) -> tuple[Any, str]:
    """Return the corpus, or what a user is told."""
    try:
        return trial(source, {}, folder), ""
    except (StepError, DataError) as problem:
        return None, problem.message


@pytest.mark.parametrize("name", READERS)
def test_junk_has_an_account_and_a_place(tmp_path, name):
    """No traceback, crash or hang; what is read is kept, rejected or quarantined; an error a user sees has few lines."""
    reader = READERS[name]
    for case, content in JUNK.items():
        folder = tmp_path / case
        (folder / "data").mkdir(parents=True)
        (folder / "data" / reader.name).write_bytes(content)
        corpus, problem = attempt(component(reader), folder)
        if problem:  # a table without the column of the text
            assert len(problem.splitlines()) <= MAX_MESSAGE_LINES, case
            assert reader.name in problem, case
            continue
        ledger = corpus.ledger
        assert ledger.read == ledger.kept + ledger.rejected.total() + ledger.quarantined, case
        assert corpus.scan().collect().height == ledger.kept, case
        assert [row for row in corpus.quarantine().collect()["place"] if not PLACE.fullmatch(row)] == [], case


@pytest.mark.parametrize("name", READERS)
def test_the_good_file_is_whole(tmp_path, name):
    """All records of it, none bad: else the tests here would prove nothing."""
    reader = READERS[name]
    texts, bad = outcome(reader, tmp_path, reader.build(TEXTS))
    assert bad == []
    assert len(texts) == (1 if reader.whole else len(TEXTS))
    if not reader.whole:
        assert all(expected.strip() in text for expected, text in zip(TEXTS, texts, strict=True))


WRONG_BYTE = {name: reader for name, reader in READERS.items() if reader.wrong_byte}


@pytest.mark.parametrize("name", WRONG_BYTE)
def test_one_wrong_byte_costs_one_record(tmp_path, name):
    """Its place is exact, the others are kept."""
    reader = WRONG_BYTE[name]
    marked = [text if n != 4 else text.replace("Record", "R~cord") for n, text in enumerate(TEXTS)]
    texts, bad = outcome(reader, tmp_path, reader.build(marked).replace(b"R~cord", b"R\xffcord"))
    assert [bool(re.fullmatch(reader.wrong_byte, record.place)) for record in bad] == [True], bad
    assert bad[0].reason in ("invalid-utf8", "invalid-xml")
    assert len(texts) == (0 if reader.whole else len(TEXTS) - 1)


@pytest.mark.parametrize("packer", MEMBERS)
@pytest.mark.parametrize("name", PACKED)
def test_containers_are_told_by_their_bytes(tmp_path, name, packer):
    """Whatever the name says: the texts are those of the plain file."""
    reader = PACKED[name]
    expected = outcome(reader, tmp_path, reader.build(TEXTS))
    for suffix in ("", f".{'gz' if packer != 'gzip' else 'zst'}"):
        found = outcome(reader, tmp_path, packed(packer, reader.build(TEXTS)), reader.name + suffix)
        assert found == expected
    assert outcome(reader, tmp_path, reader.build(TEXTS), f"{reader.name}.gz") == expected


@pytest.mark.parametrize("packer", MEMBERS)
@pytest.mark.parametrize("name", PACKED)
def test_cuts_and_flips_of_containers_are_seen(tmp_path, name, packer):
    """50 of each, so 200 for each reader: something is bad, or the texts are those of the whole file, never others."""
    reader = PACKED[name]
    whole = packed(packer, reader.build(TEXTS))
    file = reader.name + SUFFIX[packer]
    expected, _ = outcome(reader, tmp_path, whole, file)
    first_member = len(MEMBERS[packer](reader.build(TEXTS)[:FIRST]))  # what is left by a cut there is a whole file
    draw = random.Random(f"{name} {packer}")
    missed = []
    for turn in range(100):
        place = draw.randrange(len(whole) * 8)
        damaged = bytearray(whole)
        if turn % 2:
            damaged[place // 8] ^= 1 << place % 8
        else:
            del damaged[place // 8 :]
        texts, bad = outcome(reader, tmp_path, bytes(damaged), file)
        if not bad and texts != expected and len(damaged) != first_member:
            missed.append((turn, place))
    assert missed == []


@pytest.mark.parametrize("name", ["parquet", "huggingface-parquet"])
def test_200_cuts_and_200_flips_of_parquet_are_seen(tmp_path, name):
    """Of a file with page checksums: something is bad, or the texts are those of the whole file, never others."""
    reader = READERS[name]
    whole = reader.build(TEXTS)
    expected, _ = outcome(reader, tmp_path, whole)
    draw = random.Random(name)
    missed = []
    for turn in range(400):
        place = draw.randrange(len(whole) * 8)
        damaged = bytearray(whole)
        if turn % 2:
            damaged[place // 8] ^= 1 << place % 8
        else:
            del damaged[place // 8 :]
        with suppress(StepError):  # the name or type of the column was hit, and that is said
            texts, bad = outcome(reader, tmp_path, bytes(damaged))
            if not bad and texts != expected:
                missed.append((turn, place // 8, place % 8))
    assert missed == []


def test_every_source_of_files_is_in_the_table():
    """Those that read no files of the user's have no settings for bad records."""
    registry = shared_registry()
    names = {ref.name for ref in registry.refs("source") if issubclass(registry.load(ref.id), FileSource)}
    assert names <= {reader.use for reader in READERS.values()}
