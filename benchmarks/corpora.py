"""The text that benchmarks run on: at least 20 MB of English and of Chinese.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.NAME
    python -m benchmarks.corpora                 what there is

English is the documentation of the installed Python packages. Chinese is whatever Chinese text lies in the files (JSON,
JSON Lines, CSV, plain; also in zstd and tar) below FOLDER: strings that are mostly Han, joined to documents of about a
thousand characters. Without a folder, or where it holds too little, the rest is made up from a list of characters, and
the name says so. Both are gathered once for each machine and kept in the folder for temporary files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import re
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import zstandard

BYTES = 21_000_000
HAN = re.compile(r"[\u3400-\u9fff]")
DOCUMENT_CHARACTERS = 1000
LIST = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
SUFFIXES = {".json", ".jsonl", ".csv", ".txt", ".md"}


def english() -> pl.DataFrame:
    """Return `id` and `text` of the documentation installed here, 20 MB or more."""
    return _kept("english", _installed_docs)


def chinese() -> pl.DataFrame:
    """Return `id` and `text` of Chinese documents, 20 MB or more; ids of made-up ones start with `made-up`."""
    folder = os.environ.get("WORKBENCH_BENCH_DATA", "")
    return _kept("chinese-" + hashlib.sha256(folder.encode()).hexdigest()[:8], lambda: _chinese_texts(folder))


def both() -> dict[str, pl.DataFrame]:
    """Return name → documents; the name of made-up text says so."""
    zh = chinese()
    made_up = zh["id"].str.starts_with("made-up").mean() or 0.0
    return {"English": english(), "Chinese" if not made_up else f"Chinese ({made_up:.0%} made up)": zh}


def tar_members(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in every `.tar.zst` below a subfolder of `folder` whose name holds `name`."""
    for path in sorted(folder.rglob("*.tar.zst")):
        if name in path.parent.name:
            expanded = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()
            with tarfile.open(fileobj=io.BytesIO(expanded)) as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file:
                        yield member.name, file.read()


def _kept(name: str, make: Any) -> pl.DataFrame:
    path = Path(tempfile.gettempdir()) / f"workbench-benchmarks-{os.getuid()}" / f"{name}.parquet"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        frame = pl.DataFrame(list(make()), schema={"id": pl.String, "text": pl.String}, orient="row")
        part = path.with_suffix(f".{os.getpid()}")
        frame.write_parquet(part)
        part.rename(path)
    return pl.read_parquet(path)


def _installed_docs() -> Iterator[tuple[str, str]]:
    from workbench.contracts.context import Context
    from workbench.registry import shared_registry

    source: Any = shared_registry().load("source/installed-docs")(max_per_package=None)
    size = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for frame in source.read(Context("bench", "source/installed-docs", 1, folder, folder, folder, folder)):
            if isinstance(frame, pl.DataFrame) and size < BYTES:
                for key, text in frame.filter(pl.col("text").str.len_chars() > 0).select("id", "text").iter_rows():
                    yield key, text
                    size += len(text.encode())


def _chinese_texts(folder: str) -> Iterator[tuple[str, str]]:
    size = number = 0
    waiting: list[str] = []
    seen: set[int] = set()
    for string in _strings(Path(folder)) if folder else ():
        if len(HAN.findall(string)) * 2 < len(string) or hash(string) in seen:
            continue
        seen.add(hash(string))
        waiting.append(string)
        if sum(map(len, waiting)) >= DOCUMENT_CHARACTERS:
            text, waiting = "\n".join(waiting), []
            yield f"real-{number:06}", text
            number, size = number + 1, size + len(text.encode())
    chance = random.Random(1)
    while size < BYTES:
        characters = chance.choices(LIST, k=chance.randrange(200, 1500))
        text = "".join(
            one + ("。\n" if place % 90 == 0 else "，" if place % 11 == 0 else "")  # noqa: RUF001  # data
            for place, one in enumerate(characters, 1)
        )
        yield f"made-up-{number:06}", text
        number, size = number + 1, size + len(text.encode())


def _strings(folder: Path) -> Iterator[str]:
    """Yield the strings in all files below the folder, in order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content, name = path.read_bytes(), path.name
            if path.suffix == ".zst":
                content, name = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read(), path.stem
            yield from _strings_in(name, content)


def _strings_in(name: str, content: bytes) -> Iterator[str]:
    if name.endswith(".tar"):
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file:
                    yield from _strings_in(member.name, file.read())
        return
    suffix, text = Path(name).suffix, content.decode("utf-8", "ignore")
    if suffix not in SUFFIXES:
        return
    if suffix == ".csv":
        csv.field_size_limit(1 << 24)
        for row in csv.reader(io.StringIO(text, newline="")):
            yield from row
    elif suffix == ".json" and text[:1] in "[{":
        try:
            yield from _leaves(json.loads(text))
        except ValueError:
            yield from _json_lines(text)
    elif suffix == ".jsonl":
        yield from _json_lines(text)
    else:
        yield from text.splitlines()


def _json_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        try:
            yield from _leaves(json.loads(line))
        except ValueError:
            continue


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)


if __name__ == "__main__":
    for label, documents in both().items():
        megabytes = documents["text"].str.len_bytes().sum() / 1e6
        print(f"{label:24} {documents.height:>8} documents {megabytes:>8.1f} MB")
