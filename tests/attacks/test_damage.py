"""R3, damage is seen: 200 cuts and 200 flipped bits for each format that has a checksum."""

import bz2
import gzip
import json
import lzma
import random

import pytest
import zstandard
from workbench_plugins.sources.json_records import NotARecord, parse_object
from workbench_plugins.sources.jsonl import JsonLines

from workbench.errors import DataError
from workbench.files.bad_record import BadRecord
from workbench.files.input import read_lines
from workbench.testing.trials import trial

LINES = [json.dumps({"text": f"record {number} " + "word " * (number % 40)}).encode() for number in range(300)]
CONTENT = b"\n".join(LINES) + b"\n"
FILES = {
    "data.jsonl.gz": gzip.compress(CONTENT[:9000]) + gzip.compress(CONTENT[9000:]),
    "data.jsonl.zst": b"".join(
        zstandard.ZstdCompressor(write_checksum=True).compress(part) for part in (CONTENT[:9000], CONTENT[9000:])
    ),
    "data.jsonl.bz2": bz2.compress(CONTENT[:9000]) + bz2.compress(CONTENT[9000:]),
    "data.jsonl.xz": lzma.compress(CONTENT[:9000]) + lzma.compress(CONTENT[9000:]),
}


def outcome(path):
    """Return the good lines, and whether anything was found to be wrong."""
    good, is_bad = [], False
    for line in read_lines(path, path.name):
        try:
            is_bad = is_bad or isinstance(line, BadRecord) or not parse_object(line.content)
        except NotARecord:
            is_bad = True
        good.append(getattr(line, "content", None))
    return good, is_bad


@pytest.mark.parametrize("name", FILES)
def test_every_cut_is_found(tmp_path, name):
    """At every place but the end of a member, where what is left is a whole file."""
    whole = FILES[name]
    path = tmp_path / name
    draw = random.Random(1)
    missed = []
    for length in sorted({0, 1, 2, 3, 4, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(200))}):
        path.write_bytes(whole[:length])
        if not outcome(path)[1]:
            missed.append(length)
    assert missed == []


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_found_or_changes_nothing(tmp_path, name):
    """A flip in the time or name of a gzip header leaves the content as it was; any other is seen."""
    path = tmp_path / name
    draw = random.Random(2)
    missed = []
    for _ in range(200):
        content = bytearray(FILES[name])
        place = draw.randrange(len(content) * 8)
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        good, is_bad = outcome(path)
        if not is_bad and good != LINES:
            missed.append(place)
    assert missed == []


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_fails_the_step_and_says_what_allows_it(tmp_path, name):
    """In at most five lines; with allow_damaged the lines before the cut are kept and the rest is one record."""
    (tmp_path / name).write_bytes(FILES[name][:-20])
    with pytest.raises(DataError) as problem:
        trial(JsonLines(paths=(name,)), {}, tmp_path)
    assert "allow_damaged: true" in problem.value.message
    assert name in problem.value.message
    assert len(problem.value.message.splitlines()) <= 5
    other = tmp_path / "allowed"
    other.mkdir()
    (other / name).write_bytes(FILES[name][:-20])
    ledger = trial(JsonLines(paths=(name,), allow_damaged=True, max_bad_share=1), {}, other).ledger
    assert (ledger.read, ledger.quarantined) == (ledger.kept + 1, 1)
    assert ledger.kept >= CONTENT[:9000].count(b"\n")
