import gzip

import pytest
from workbench_plugins.sources import text as text_module
from workbench_plugins.sources.text import Text

from workbench.testing.trials import trial

CONTENT = "# Title\r\n\r\nfirst line\nsecond line\n   \n\n\nlast é"


def read(folder, content, unit, **settings):
    (folder / "book").mkdir()
    (folder / "book/a.md").write_bytes(content if isinstance(content, bytes) else content.encode())
    return trial(Text(paths=("**/*.md",), unit=unit, **settings), {}, folder)


@pytest.mark.parametrize(
    "unit, documents",
    [
        ("file", [("book/a.md", CONTENT.replace("\r\n", "\n"))]),
        (
            "paragraph",
            [("book/a.md:1", "# Title"), ("book/a.md:3", "first line\nsecond line"), ("book/a.md:8", "last é")],
        ),
        (
            "line",
            [
                ("book/a.md:1", "# Title"),
                ("book/a.md:3", "first line"),
                ("book/a.md:4", "second line"),
                ("book/a.md:8", "last é"),
            ],
        ),
    ],
)
def test_a_document_is_what_the_unit_says(tmp_path, unit, documents):
    """The source names file and line, meta the folder; line ends become line feeds."""
    frame = read(tmp_path, CONTENT, unit).scan().collect()
    assert list(zip(frame["source"], frame["text"], strict=True)) == documents
    assert set(frame["meta"]) == {'{"folder": "book"}'}
    assert frame["id"].n_unique() == len(documents)


@pytest.mark.parametrize("unit, kept", [("file", 0), ("paragraph", 2), ("line", 3)])
def test_a_wrong_byte_costs_the_unit_it_stands_in(tmp_path, unit, kept):
    """And nothing else of the file."""
    corpus = read(tmp_path, b"one\n\ntwo\n\xff\n\nthree", unit, max_bad_share=1)
    assert (corpus.ledger.kept, corpus.ledger.quarantined) == (kept, 1)
    assert corpus.quarantine().collect()["reason"].to_list() == ["invalid-utf8"]


@pytest.mark.parametrize("unit", ["file", "paragraph", "line"])
def test_compressed_files_are_read_and_cut_ones_are_found(tmp_path, unit):
    """The paragraph that a cut goes through is not given."""
    whole = gzip.compress(b"one\n\ntwo\nthree", mtime=0)
    corpus = read(tmp_path, whole[:-3], unit, max_bad_share=1, allow_damaged=True)
    assert "three" not in "".join(corpus.scan().collect()["text"])
    assert corpus.quarantine().collect()["reason"].to_list() == ["truncated-gzip"]


def test_a_paragraph_without_end_is_a_bad_record(tmp_path, monkeypatch):
    """It is not held beyond the limit, and the next one is read."""
    monkeypatch.setattr(text_module, "MAX_PARAGRAPH_BYTES", 10)
    corpus = read(tmp_path, b"ok\n\n" + b"12345\n" * 5 + b"\nfine", "paragraph", max_bad_share=1)
    assert corpus.scan().collect()["text"].to_list() == ["ok", "fine"]
    assert corpus.quarantine().collect().select("place", "reason").row(0) == ("line 3", "paragraph-too-long")


def test_an_empty_file_is_an_empty_document(tmp_path):
    """It is rejected, and counted."""
    assert dict(read(tmp_path, b"", "file").ledger.rejected) == {"empty": 1}
