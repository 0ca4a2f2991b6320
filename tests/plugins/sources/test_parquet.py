"""Parquet: types, nesting, damage."""

import datetime as dt
import json
import random
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbench_plugins.sources.parquet_table import ParquetTable

from workbench.errors import StepError
from workbench.testing.trials import trial


def read(folder, table, name="data.parquet", **settings):
    if isinstance(table, bytes):
        (folder / name).write_bytes(table)
    else:
        pq.write_table(table, folder / name, write_page_checksum=True, row_group_size=100)
    corpus = trial(ParquetTable(paths=(name,), max_bad_share=1, allow_damaged=True, **settings), {}, folder)
    ledger = corpus.ledger
    assert ledger.read == ledger.kept + ledger.rejected.total() + ledger.quarantined
    return corpus


def bad(corpus):
    return [(row["place"], row["reason"]) for row in corpus.quarantine().collect().to_dicts()]


def test_every_type_has_a_place_in_meta(tmp_path):
    """Dates are ISO 8601, bytes base64, decimals text, NaN null; keys are sorted."""
    table = pa.table(
        {
            "text": ["中文", "b"],
            "when": pa.array([dt.datetime(2026, 1, 2, tzinfo=dt.UTC), None]),
            "day": pa.array([dt.date(2026, 1, 2), None]),
            "price": pa.array([Decimal("1.50"), None]),
            "raw": pa.array([b"\x00\xff", None]),
            "tags": pa.array([["x", "y"], None]),
            "deep": pa.array([{"n": 1, "name": "ü"}, None]),
            "score": [0.5, float("nan")],
            "kind": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    frame = read(tmp_path, table).scan().collect()
    assert frame["text"].to_list() == ["中文", "b"]
    assert frame["source"].to_list() == ["data.parquet:1", "data.parquet:2"]
    assert json.loads(frame["meta"][0]) == {
        "when": "2026-01-02T00:00:00+00:00",
        "day": "2026-01-02",
        "price": "1.50",
        "raw": "AP8=",
        "tags": ["x", "y"],
        "deep": {"n": 1, "name": "ü"},
        "score": 0.5,
        "kind": "a",
    }
    assert json.loads(frame["meta"][1])["score"] is None
    assert list(json.loads(frame["meta"][0])) == sorted(json.loads(frame["meta"][0]))


def test_nested_text_and_further_columns(tmp_path):
    """`a.b` leads into a struct; columns keep their types."""
    table = pa.table({"body": [{"text": "one"}, {"text": "two"}], "label": [1, 2], "roles": [[{"r": "u"}], []]})
    corpus = read(tmp_path, table, text="body.text", columns=("label", "roles"), keep_meta=False)
    frame = corpus.scan().collect()
    assert frame["text"].to_list() == ["one", "two"]
    assert frame.schema["label"] == pl.Int64
    assert frame["roles"].to_list() == [[{"r": "u"}], []]
    assert frame["meta"].to_list() == ["{}", "{}"]


def test_text_that_is_no_utf8_costs_its_row(tmp_path):
    """A writer may put any bytes into a column it calls text; also inside a list."""
    broken = pa.array([b"good", b"caf\xe9", b"good"]).view(pa.string())
    inner = pa.ListArray.from_arrays([0, 1, 2, 3], pa.array([b"x", b"y", b"\xff"]).view(pa.string()))
    corpus = read(tmp_path, pa.table({"text": broken, "tags": inner}))
    assert bad(corpus) == [("row 2", "invalid-utf8"), ("row 3", "invalid-utf8")]
    assert corpus.ledger.kept == 1


def test_a_null_text_is_rejected_and_not_bad(tmp_path):
    """It is a record with nothing in it."""
    corpus = read(tmp_path, pa.table({"text": ["a", None, ""]}))
    assert (corpus.ledger.kept, dict(corpus.ledger.rejected)) == (1, {"empty": 2})


@pytest.mark.parametrize(
    "table, message",
    [(pa.table({"body": ["a"]}), "no column 'text'"), (pa.table({"text": [1]}), "is int64")],
)
def test_a_column_that_will_not_do_is_said_at_once(tmp_path, table, message):
    """With the columns there are."""
    with pytest.raises(StepError, match=message):
        read(tmp_path, table)


def content(rows=300):
    sink = pa.BufferOutputStream()
    table = pa.table({"text": [f"document {n} " + "words " * (n % 7) for n in range(rows)]})
    pq.write_table(table, sink, write_page_checksum=True, row_group_size=100, use_dictionary=False, compression="none")
    return sink.getvalue().to_pybytes()


def test_a_flipped_bit_of_a_page_is_found(tmp_path):
    """The row group is named, what lies before it is kept, and nothing wrong gets in."""
    whole = content()
    at = whole.index(b"document 150 ")
    corpus = read(tmp_path, whole[:at] + b"D" + whole[at + 1 :])
    assert bad(corpus) == [("row group 1", "damaged-parquet")]
    assert corpus.ledger.kept == 100


def test_cuts_and_flips_never_trip(tmp_path):
    """Wherever a file is cut or a bit is flipped, the ledger balances and every text that comes out was in it."""
    whole = content(60)
    good = set(read(tmp_path, whole).scan().collect()["text"])
    chance = random.Random(1)
    for number in range(60):
        at = chance.randrange(len(whole))
        flipped = whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        folder = tmp_path / str(number)
        folder.mkdir()
        damaged = whole[:at] if number % 2 else flipped
        try:
            corpus = read(folder, damaged)
        except StepError:  # the name of the column was hit
            continue
        assert set(corpus.scan().collect()["text"]) <= good
        assert corpus.ledger.kept == len(good) or corpus.ledger.quarantined


def test_no_parquet_at_all(tmp_path):
    """A file of another kind is damage, named at its footer."""
    assert bad(read(tmp_path, b"text\na\n")) == [("footer", "damaged-parquet")]


@pytest.mark.parametrize("columns", [(), ("when",)])
@pytest.mark.parametrize(
    "when, good",
    [
        (pa.array([0, 10**18], pa.timestamp("us")), 1),
        (pa.array([0, 10**7], pa.date32()), 1),
        (pa.array([0, None], pa.timestamp("us", tz="Mars/Base")), 1),
    ],
)
def test_a_time_that_nobody_can_write_costs_its_row(tmp_path, when, good, columns):
    """Beyond the year 9999, or in a zone that does not exist; as meta and as a column."""
    corpus = read(tmp_path, pa.table({"text": ["a", "b"], "when": when}), columns=columns)
    assert corpus.ledger.kept == good
    assert [reason for _, reason in bad(corpus)] == ["unreadable-value"]


def test_a_uuid_is_text(tmp_path):
    """As it is written, in meta and in a column."""
    table = pa.table({"text": ["a"], "key": pa.array([bytes(range(16))], pa.uuid())})
    frame = read(tmp_path, table, columns=("key",)).scan().collect()
    assert frame["key"].to_list() == ["00010203-0405-0607-0809-0a0b0c0d0e0f"]


def test_two_columns_of_one_name_are_refused(tmp_path):
    """One of them would be lost without a word."""
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(StepError, match="stands twice"):
        read(tmp_path, table)
