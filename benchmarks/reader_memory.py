"""Peak memory of every reader on a corpus and on ten times as much, each in a process of its own.

python -m benchmarks.reader_memory [MB]      MB of text in the small corpus, default 72

Promise R4: at most 1.1 times. jsonl took 205 MB at 24 MB of text, 214 at 72 and 215 at 240: the small corpus has to be
large enough to fill the buffers once. The large readers take one file; those that hold a file at a time take many.
"""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

PROGRAM = """
import json, re, sys
from pathlib import Path
from workbench.registry import shared_registry
from workbench.testing.trials import trial
use, settings, folder = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])
corpus = trial(shared_registry().load(use)(**settings), {}, folder)
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(json.dumps({"peak_mb": int(peak) / 1000, "kept": corpus.ledger.kept}))
"""
Write = Callable[[Path, int], None]
DRAW = random.Random(1)
WORDS = ["".join(DRAW.choices("etaoinshrdlu", k=DRAW.randrange(2, 10))) for _ in range(5000)]


def texts(num_bytes: int) -> Iterator[str]:
    """Yield texts of about 2 kB until there are `num_bytes`."""
    written = 0
    while written < num_bytes:
        text = " ".join(DRAW.choices(WORDS, k=300))
        written += len(text)
        yield text


def streamed(record: Callable[[str], bytes], head: bytes = b"", foot: bytes = b"") -> Write:
    """Return a writer of one file, record by record."""

    def write(path: Path, num_bytes: int) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.writelines(record(text) for text in texts(num_bytes))
            file.write(foot)

    return write


def json_lines(key: str) -> Write:
    """Return a writer of JSON Lines with the text under `key`."""
    return streamed(lambda text: json.dumps({key: text, "n": 1}).encode() + b"\n")


def archive(kind: str, content_type: str, before: bytes = b"") -> Write:
    """Return a writer of WARC records."""

    def record(text: str) -> bytes:
        block = before + text.encode()
        head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
        return head.encode() + block + b"\r\n\r\n"

    return streamed(record)


def columnar(form: str) -> Write:
    """Return a writer of Parquet or Arrow, 1,000 rows at a time."""

    def write(path: Path, num_bytes: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([("text", pa.string())])
        found = list(texts(num_bytes))
        writer = pq.ParquetWriter(path, schema) if form == "parquet" else pa.ipc.new_stream(str(path), schema)
        for start in range(0, len(found), 1000):
            writer.write_table(pa.table({"text": found[start : start + 1000]}, schema))
        writer.close()

    return write


def many(suffix: str, make: Callable[[str], bytes], texts_in_file: int = 20) -> Write:
    """Return a writer of files of about 40 kB in a folder."""

    def write(path: Path, num_bytes: int) -> None:
        path.mkdir()
        held: list[str] = []
        for number, text in enumerate(texts(num_bytes)):
            held.append(text)
            if len(held) == texts_in_file:
                (path / f"{number:07}{suffix}").write_bytes(make("\n".join(held)))
                held = []

    return write


def one_page(text: str) -> bytes:
    """Return a PDF of one page with the beginning of a text."""
    stream = b"BT /F1 12 Tf 72 720 Td (" + text[:500].encode() + b") Tj ET"
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


def epub(text: str) -> bytes:
    """Return an EPUB of one chapter."""
    import zipfile

    members = {
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": '<package><metadata/><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>',
        "c.xhtml": f"<html><body><p>{text}</p></body></html>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in members.items():
            book.writestr(name, content)
    return target.getvalue()


def array(path: Path, num_bytes: int) -> None:
    """Write a JSON array."""

    def items(file: BinaryIO) -> None:
        separator = b"["
        for text in texts(num_bytes):
            file.write(separator + json.dumps({"text": text}).encode())
            separator = b",\n"
        file.write(b"]")

    with path.open("wb") as file:
        items(file)


GOAL = 1.1  # times the memory for ten times the corpus
PAGE = "<page><title>a</title><ns>0</ns><id>1</id><revision><id>1</id><text>{}</text></revision></page>\n"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
# label: source, path that is written, settings, writer, share of the size (slow ones take less)
READERS: dict[str, tuple[str, str, dict[str, object], Write, float]] = {
    "text, lines": ("text", "a.txt", {"unit": "line"}, streamed(lambda text: text.encode() + b"\n"), 1),
    "text, files": ("text", "a", {"paths": ["a/*.txt"]}, many(".txt", str.encode), 1),
    "jsonl": ("jsonl", "a.jsonl", {}, json_lines("text"), 1),
    "csv": ("csv", "a.csv", {}, streamed(lambda text: f'"{text}",1\n'.encode(), b"text,n\n"), 1),
    "parquet": ("parquet", "a.parquet", {}, columnar("parquet"), 1),
    "huggingface, arrow": ("huggingface", "a.arrow", {}, columnar("arrow"), 1),
    "huggingface, array": ("huggingface", "a.json", {}, array, 1),
    "warc": ("warc", "a.warc", {}, archive("response", "application/http", HTTP), 1),
    "wet": ("wet", "a.wet", {}, archive("conversion", "text/plain"), 1),
    "wikipedia-dump": (
        "wikipedia-dump",
        "a.xml",
        {},
        streamed(lambda text: PAGE.format(text).encode(), b"<mediawiki>\n", b"</mediawiki>\n"),
        1,
    ),
    "books, epub": ("books", "a", {"paths": ["a/*.epub"]}, many(".epub", epub), 1),
    "social": ("social", "a.jsonl", {}, json_lines("body"), 1),
    "code": ("code", "a", {}, many(".py", str.encode), 1),
    "html": ("html", "a", {"paths": ["a/*.html"]}, many(".html", str.encode), 1),
    "pdf": ("pdf", "a", {"paths": ["a/*.pdf"]}, many(".pdf", one_page, 1), 0.002),
}


def peak(label: str, num_bytes: int) -> tuple[float, int]:
    """Return the peak of a process that reads this much, in MB, and how many documents it kept."""
    source, name, settings, write, share = READERS[label]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, name), int(num_bytes * share))
        command = [sys.executable, "-c", PROGRAM, f"source/{source}", json.dumps({"paths": [name], **settings}), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{label}: {done.stderr[-2000:]}")
    found = json.loads(re.findall(r"\{.*\}", done.stdout)[-1])
    return found["peak_mb"], found["kept"]


def main() -> None:
    """Print one line for each reader."""
    num_bytes = int(sys.argv[1] if len(sys.argv) > 1 else 72) * 1_000_000
    print(f"{'source':20} {'documents':>10} {'peak MB':>8} {'documents':>10} {'peak MB':>8} {'ratio':>6}")
    above = []
    for label in READERS:
        small, few = peak(label, num_bytes)
        large, most = peak(label, num_bytes * 10)
        print(f"{label:20} {few:10,} {small:8.0f} {most:10,} {large:8.0f} {large / small:6.2f}", flush=True)
        above += [label] if large / small > GOAL else []
    if above:
        sys.exit(f"peak memory grows by more than {GOAL} with ten times the corpus: {', '.join(above)}")


if __name__ == "__main__":
    main()
