"""How fast JSON Lines are read with care: MB of text per CPU second, beside polars, which takes the same file at once.

python -m benchmarks.reading [MB]
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import zstandard
from workbench_plugins.sources.jsonl import JsonLines

from workbench.contracts.context import Context
from workbench.contracts.records import BadRecord


def records(num_bytes: int) -> Iterator[bytes]:
    """Yield lines of about 2 kB until there are `num_bytes`."""
    draw = random.Random(1)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randrange(2, 10))) for _ in range(5000)]
    written = 0
    while written < num_bytes:
        text = " ".join(draw.choices(words, k=300))
        line = json.dumps({"text": text, "url": f"https://example.org/{written}", "score": draw.random()}).encode()
        written += len(line) + 1
        yield line


def read_carefully(path: Path) -> int:
    """Return the number of documents that the source gives."""
    folder = path.parent
    ctx = Context("raw", "source/jsonl", 1, folder, folder, folder, folder)
    items = JsonLines(paths=(path.name,)).read(ctx)
    return sum(0 if isinstance(item, BadRecord) else item.height for item in items)


def read_with_polars(path: Path) -> int:
    """Return the number of rows that polars gives."""
    return pl.scan_ndjson(path).select("text", "url", "score").collect().height


def speed(read: Callable[[Path], int], path: Path, num_bytes: int) -> tuple[float, int]:
    """Return MB per CPU second, best of three, and the number of documents."""
    best, found = 0.0, 0
    for _ in range(3):
        start = time.process_time()
        found = read(path)
        best = max(best, num_bytes / 1e6 / (time.process_time() - start))
    return best, found


def main() -> None:
    """Print one line for each format and reader."""
    num_bytes = int(sys.argv[1] if len(sys.argv) > 1 else 40) * 1_000_000
    content = b"\n".join(records(num_bytes)) + b"\n"
    files = {
        "data.jsonl": content,
        "data.jsonl.gz": gzip.compress(content, 6),
        "data.jsonl.zst": zstandard.ZstdCompressor(write_checksum=True).compress(content),
    }
    print(f"{'file':16} {'reader':14} {'MB/CPU s':>9} {'documents':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, written in files.items():
            path = Path(folder, name)
            path.write_bytes(written)
            for label, read in (("source/jsonl", read_carefully), ("scan_ndjson", read_with_polars)):
                rate, found = speed(read, path, len(content))
                print(f"{name:16} {label:14} {rate:9.0f} {found:10}")


if __name__ == "__main__":
    main()
