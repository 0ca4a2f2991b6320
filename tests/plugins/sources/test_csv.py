"""CSV as people write it, and as it should not be."""

import gzip

import polars as pl
import pytest
from workbench_plugins.sources.csv_table import CsvTable

from workbench.errors import StepError
from workbench.testing.trials import trial


def read(folder, content, name="data.csv", **settings):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    corpus = trial(CsvTable(paths=(name,), max_bad_share=1, **settings), {}, folder)
    ledger = corpus.ledger
    assert ledger.read == ledger.kept + ledger.rejected.total() + ledger.quarantined
    return corpus


def texts(corpus):
    return corpus.scan().collect()["text"].to_list()


def bad(corpus):
    return [(row["place"], row["reason"]) for row in corpus.quarantine().collect().to_dicts()]


@pytest.mark.parametrize(
    "content",
    [
        "text,label\none,a\ntwo,b\n",
        "text,label\r\none,a\r\ntwo,b\r\n",
        "\ufefftext,label\none,a\n\n  \ntwo,b",
        "label\ttext\na\tone\nb\ttwo\n",
        'text;label\n"one";"a"\n"two";b\n',
        gzip.compress(b"text,label\none,a\ntwo,b\n", mtime=0),  # both test workers must collect the same
    ],
)
def test_dialects(tmp_path, content):
    """Line ends, byte order mark, blank lines, tabs, semicolons, quotes and gzip make no difference."""
    corpus = read(tmp_path, content, columns=("label",))
    frame = corpus.scan().collect()
    assert frame["text"].to_list() == ["one", "two"]
    assert frame["label"].to_list() == ["a", "b"]
    assert bad(corpus) == []


def test_quoted_fields_hold_anything(tmp_path):
    """Delimiters, quotes, line ends and Chinese; the place of a record is its first line, the rest is meta."""
    corpus = read(tmp_path, 'text,n\n"a, ""b""\nc\r\nd，中文",1\nplain,2\n')
    frame = corpus.scan().collect()
    assert frame["text"].to_list() == ['a, "b"\nc\nd，中文', "plain"]
    assert frame["source"].to_list() == ["data.csv:2", "data.csv:5"]
    assert frame["meta"].to_list() == ['{"n":"1"}', '{"n":"2"}']


@pytest.mark.parametrize(
    "line, reason",
    [
        ("one", "wrong-number-of-fields"),
        ("one,two,three", "wrong-number-of-fields"),
        ('5" disk,x', "unclosed-quote"),
        ('"one"x,b', "invalid-csv"),
        (b"caf\xe9,x", "invalid-utf8"),
    ],
)
def test_one_bad_record_costs_one_record(tmp_path, line, reason):
    """Its line is named; everything before and after it is kept."""
    line = line if isinstance(line, bytes) else line.encode()
    corpus = read(tmp_path, b"text,label\n" + b"good,a\n" * 3 + line + b"\n" + b"good,b\n" * 4)
    assert bad(corpus) == [("line 5", reason)]
    assert texts(corpus) == ["good"] * 7


def test_a_stray_quote_takes_no_other_record_with_it(tmp_path):
    """Two of them enclose what looks like one record of several lines; the lines between are read all the same."""
    corpus = read(tmp_path, 'text,label\n5" disk,a\none,b\ntwo,c\n3" disk,d\nthree,e\n')
    assert texts(corpus) == ["one", "two", "three"]
    assert bad(corpus) == [("line 2", "invalid-csv"), ("line 5", "unclosed-quote")]


def test_an_empty_text_is_rejected_and_not_bad(tmp_path):
    """It is a record with nothing in it."""
    corpus = read(tmp_path, "text,label\n,a\nx,b\n")
    assert (corpus.ledger.kept, dict(corpus.ledger.rejected)) == (1, {"empty": 1})


def test_a_file_without_a_header_takes_names(tmp_path):
    """Every line is a record then."""
    corpus = read(tmp_path, "a,one\nb,two\n", names=("label", "text"), columns=("label",))
    assert texts(corpus) == ["one", "two"]


def test_other_encodings(tmp_path):
    """Chinese in GB 18030."""
    assert texts(read(tmp_path, "text,n\n“你好”，世界,1\n".encode("gb18030"), encoding="gb18030")) == ["“你好”，世界"]


@pytest.mark.parametrize(
    "content, message", [("body,n\na,1\n", "no column 'text'"), ("text,text\na,b\n", "stands twice"), ("\n", "")]
)
def test_a_header_that_will_not_do_is_said_at_once(tmp_path, content, message):
    """And an empty file holds no record."""
    if message:
        with pytest.raises(StepError, match=message):
            read(tmp_path, content)
    else:
        assert read(tmp_path, content).ledger.read == 0


def test_ids_do_not_move_with_a_file(tmp_path):
    """The same bytes under another name give the same ids."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = read(tmp_path / "one", "text\na\nb\n").scan().collect()
    second = read(tmp_path / "two", "text\na\nb\n", name="other.csv").scan().collect()
    assert first["id"].equals(second["id"])
    assert first.schema["text"] == pl.String
