import bz2
import gzip
import lzma

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import EnvironmentProblem
from workbench.files.bad_record import BadRecord
from workbench.files.containers import PIECE_BYTES
from workbench.files.input import DamagedInput, Line, open_input, read_lines, read_whole

TEXT = b"".join(b"line %d %s\n" % (number, b"x" * (number % 97)) for number in range(40_000))
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def zst(content):
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


CONTAINERS = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "gzip-members": gzip.compress(TEXT[:100]) + gzip.compress(b"") + gzip.compress(TEXT[100:]),
    "gzip-padded": gzip.compress(TEXT) + b"\0" * (PIECE_BYTES + 7),
    "zstd": zst(TEXT),
    "zstd-frames": zst(TEXT[:100]) + zst(b"") + zst(TEXT[100:]),
    "zstd-skippable": SKIPPABLE + zst(TEXT) + SKIPPABLE,
    "bzip2": bz2.compress(TEXT[:100]) + bz2.compress(TEXT[100:]),
    "xz": lzma.compress(TEXT),
}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("name", ["data", "data.gz", "data.zst"])
def test_the_bytes_tell_the_container_and_the_name_does_not(tmp_path, kind, name):
    """Every container gives the same content under every name, members and frames joined."""
    path = tmp_path / name
    path.write_bytes(CONTAINERS[kind])
    with open_input(path) as source:
        pieces = list(source.chunks())
    assert b"".join(pieces) == TEXT
    assert source.container == kind.partition("-")[0]


@pytest.mark.parametrize("kind", [kind for kind in CONTAINERS if kind != "plain"])
def test_garbage_after_the_end_is_damage(tmp_path, kind):
    """All lines before it are given."""
    path = tmp_path / "data"
    path.write_bytes(CONTAINERS[kind] + b"garbage")
    *lines, last = read_lines(path, "data")
    assert [line.content for line in lines] == TEXT.splitlines()
    assert (last.reason, last.fatal) == ("trailing-garbage", True)


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".bz2", ".xz"])
def test_an_empty_file_is_no_container(tmp_path, suffix):
    """What a cut leaves of a compressed file is seen even when it is nothing."""
    path = tmp_path / f"data{suffix}"
    path.write_bytes(b"")
    assert [record.reason for record in read_lines(path, "data")] == ["truncated-file"]


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"PAR1", b"%PDF-1.7", b"\xff\xfeh\x00i\x00", b"\xfe\xff\x00h"])
def test_a_file_that_is_no_text_is_named(tmp_path, head):
    """Zip, Parquet, PDF and UTF-16 are refused with what they are."""
    path = tmp_path / "data"
    path.write_bytes(head + b"more" * 9)
    with pytest.raises(DamagedInput, match="expected UTF-8 text"), open_input(path):
        pass


@pytest.mark.parametrize("compress", [gzip.compress, zst, bz2.compress, lzma.compress])
def test_caps_stop_what_expands_too_much(tmp_path, compress):
    """What came out before stays within the cap."""
    path = tmp_path / "data"
    path.write_bytes(compress(bytes(8 << 20)))
    pieces = []

    def read():
        with open_input(path, max_bytes=3_000_000) as source:
            pieces.extend(map(len, source.chunks()))

    with pytest.raises(DamagedInput, match="more than 3,000,000 bytes come out"):
        read()
    assert sum(pieces) <= 3_000_000


def test_lines_end_in_line_feeds_alone(tmp_path):
    """CRLF is taken, the byte order mark is dropped; U+2028, form feeds and lone CRs end nothing."""
    path = tmp_path / "data"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n" + "two\u2028\x0b\x0c\x85three".encode() + b"\rfour\nlast")
    assert list(read_lines(path, "data")) == [
        Line(1, 0, b"one"),
        Line(2, 8, b""),
        Line(3, 9, "two\u2028\x0b\x0c\x85three".encode() + b"\rfour"),
        Line(4, 30, b"last"),
    ]


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))), st.booleans())
def test_lines_are_what_was_written(tmp_path_factory, lines, has_final_end):
    """Any bytes come back, with and without a line end at the end of the file."""
    content = b"\n".join(lines) + (b"\n" if has_final_end and lines else b"")
    path = tmp_path_factory.mktemp("lines") / "data"
    path.write_bytes(b"start\n" + content)
    read = [line.content for line in read_lines(path, "data")][1:]
    expected = content.split(b"\n")
    assert read == (expected[:-1] if expected[-1] == b"" else expected)


def test_a_long_line_is_a_bad_record_and_the_next_ones_are_read(tmp_path):
    """With head and digest, at its place; a line of exactly the limit is good."""
    path = tmp_path / "data"
    path.write_bytes(b"a\n" + b"x" * 101 + b"\n" + b"y" * 100 + b"\nb")
    first, long, exact, last = read_lines(path, "data", max_line_bytes=100)
    assert (first.content, exact.content, last.content) == (b"a", b"y" * 100, b"b")
    assert exact.offset == 2 + 102
    assert long == BadRecord.of(
        b"x" * 101, file="data", place="line 2", reason="line-too-long", detail="101 bytes, at most 100"
    )


def test_a_whole_file_is_bytes_or_one_bad_record(tmp_path):
    """Too long and damaged files are said so."""
    path = tmp_path / "data"
    path.write_bytes(gzip.compress(TEXT))
    assert read_whole(path, "data") == TEXT
    assert read_whole(path, "data", max_bytes=1000).reason == "file-too-long"
    path.write_bytes(gzip.compress(TEXT)[:-1])
    assert (read_whole(path, "data").reason, read_whole(path, "data").fatal) == ("truncated-gzip", True)


def test_a_folder_a_missing_and_a_forbidden_file_are_clear_lines(tmp_path, monkeypatch):
    """The machine is at fault, not the data: exit status 3."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(EnvironmentProblem, match="cannot be read"):
            list(read_lines(path, "data"))
    path = tmp_path / "forbidden"
    path.write_bytes(b"x")

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(EnvironmentProblem, match="Permission denied"):
        list(read_lines(path, "data"))
