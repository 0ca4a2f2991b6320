"""R4, memory is bounded: a bomb and a line of 200 MB, each in a process of its own whose peak is measured."""

import gzip
import json
import subprocess
import sys

import pytest
import zstandard

MIB = 1 << 20
PROGRAM = """
import json, re, sys
from pathlib import Path
from workbench.testing.trials import trial
from workbench_plugins.sources.jsonl import JsonLines
folder = Path(sys.argv[1])
corpus = trial(JsonLines(paths=(sys.argv[2],), allow_damaged=True, max_bad_share=1), {}, folder)
# The high-water mark of this program alone: ru_maxrss also remembers the process that started it.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
reasons = corpus.quarantine().collect()["reason"].to_list()
print(json.dumps({"peak_mb": peak / 1000, "kept": corpus.ledger.kept, "reasons": reasons}))
"""


def gzip_bomb(path):
    """4 GiB of zeros in 4 MB, the most that gzip can do."""
    path.write_bytes(gzip.compress(bytes(16 * MIB)) * 256)


def zstd_bomb(path):
    """4 GiB of zeros in 131 KB."""
    frame = zstandard.ZstdCompressor(level=1).compress(bytes(256 * MIB))
    path.write_bytes(frame * 16)


def long_line(path):
    """A line of 200 MB between two good ones."""
    with path.open("wb") as file:
        file.write(b'{"text": "first"}\n{"text": "')
        for _ in range(200):
            file.write(b"x" * MIB)
        file.write(b'"}\n{"text": "last"}\n')


CASES = {
    "bomb.jsonl.gz": (gzip_bomb, {"kept": 0, "reasons": ["expands-too-much"]}),
    "bomb.jsonl.zst": (zstd_bomb, {"kept": 0, "reasons": ["expands-too-much"]}),
    "long.jsonl": (long_line, {"kept": 2, "reasons": ["line-too-long"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_memory_stays_below_400_mb(tmp_path, name):
    """Whatever comes out of the file, and it is quarantined for what it is."""
    write, expected = CASES[name]
    write(tmp_path / name)
    done = subprocess.run([sys.executable, "-c", PROGRAM, tmp_path, name], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen.pop("peak_mb") < 400
    assert seen == expected


# One for each way to hold bytes: whole, paragraphs, records over lines, items, records and pages.
HOLDERS = {
    "text": ({"unit": "paragraph"}, "a.txt", b"a line\n", {"expands-too-much"}),
    "csv": ({}, "a.csv", b"text,n\n", {"expands-too-much"}),
    "huggingface": ({}, "a.json", b'[{"text": "', {"expands-too-much"}),
    "warc": ({}, "a.warc", b"WARC/1.0\r\nWARC-Type: ", {"expands-too-much"}),
    "wikipedia-dump": ({}, "a.xml", b"<mediawiki>\n<page>", {"expands-too-much"}),
    "html": ({}, "a.html", b"<p>", {"file-too-long"}),
}
ANY = PROGRAM.replace(
    "from workbench_plugins.sources.jsonl import JsonLines\n", "from workbench.registry import shared_registry\n"
).replace("JsonLines(paths=", "shared_registry().load(f'source/{sys.argv[3]}')(**json.loads(sys.argv[4]), paths=")


@pytest.mark.parametrize("source", HOLDERS)
def test_a_bomb_is_defused_however_a_reader_holds_bytes(tmp_path, source):
    """4 GiB out of 131 KB, behind the beginning of a good file: below 400 MB, and named."""
    settings, name, head, reasons = HOLDERS[source]
    zstd_bomb(tmp_path / "bomb")
    (tmp_path / name).write_bytes(zstandard.compress(head) + (tmp_path / "bomb").read_bytes())
    command = [sys.executable, "-c", ANY, tmp_path, name, source, json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert (set(seen["reasons"]), seen["kept"]) == (reasons, 0)
    assert seen["peak_mb"] < 400
