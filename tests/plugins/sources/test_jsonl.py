import hashlib
import json

import pytest
from pydantic import ValidationError
from workbench_plugins.sources import row_frames
from workbench_plugins.sources.jsonl import JsonLines

from workbench.testing.trials import trial


def read(folder, records, **settings):
    (folder / "a.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return trial(JsonLines(paths=("a.jsonl",), **settings), {}, folder)


def test_a_record_becomes_text_columns_and_meta(tmp_path):
    """What is neither text nor column is meta, keys sorted; the source says the line."""
    record = {"z": [1], "body": {"text": "a", "lang": "en"}, "label": "x"}
    (row,) = read(tmp_path, [record], text="body.text", columns=("label",)).scan().collect().to_dicts()
    digest = hashlib.sha256((tmp_path / "a.jsonl").read_bytes()).hexdigest()
    assert row == {
        "id": hashlib.sha256(f"{digest}\x001".encode()).hexdigest()[:24],
        "text": "a",
        "source": "a.jsonl:1",
        "meta": '{"body":{"lang":"en"},"z":[1]}',
        "label": "x",
    }


def test_meta_can_be_left_out(tmp_path):
    """Then it is an empty object."""
    corpus = read(tmp_path, [{"text": "a", "b": 1}], keep_meta=False)
    assert corpus.scan().collect()["meta"].to_list() == ["{}"]


def test_a_field_with_a_dot_in_its_name_comes_first(tmp_path):
    """`a.b` is the field of that name where there is one, otherwise a path."""
    corpus = read(tmp_path, [{"a.b": "name"}, {"a": {"b": "path"}}], text="a.b")
    assert corpus.scan().collect()["text"].to_list() == ["name", "path"]


def test_columns_hold_messages(tmp_path):
    """Lists of objects are columns like any other; a field that is missing is null."""
    messages = [{"role": "user", "content": "hi"}]
    corpus = read(tmp_path, [{"text": "a", "messages": messages}, {"text": "b"}], columns=("messages",))
    assert corpus.scan().collect()["messages"].to_list() == [messages, None]


def test_a_value_of_another_type_is_a_bad_record(tmp_path):
    """The column keeps the type of its first values."""
    records = [{"text": "a", "label": 1}, {"text": "b", "label": "one"}]
    corpus = read(tmp_path, records, columns=("label",), max_bad_share=1)
    (row,) = corpus.quarantine().collect().to_dicts()
    assert (row["place"], row["reason"], row["detail"]) == ("line 2", "column-type", "label: String beside Int64")


def test_a_column_that_begins_with_nulls_gets_its_type_later(tmp_path, monkeypatch):
    """Batches of nulls fit any type; a column of nothing else is text."""
    monkeypatch.setattr(row_frames, "BATCH_DOCUMENTS", 2)
    records = [{"text": str(number), "label": number if number > 4 else None} for number in range(7)]
    frame = read(tmp_path, records, columns=("label", "none")).scan().collect()
    assert frame["label"].to_list() == [None] * 5 + [5, 6]
    assert [str(dtype) for dtype in frame.select("label", "none").dtypes] == ["Int64", "String"]


def test_equal_files_give_different_ids(tmp_path):
    """A copy is another document; a new name alone is not."""
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('{"text": "same"}\n')
    both = trial(JsonLines(paths=("*.jsonl",)), {}, tmp_path).scan().collect()["id"].to_list()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/c.jsonl").write_text('{"text": "same"}\n')
    alone = trial(JsonLines(paths=("*.jsonl",)), {}, tmp_path / "other").scan().collect()["id"].to_list()
    assert len(set(both)) == 2
    assert alone == both[:1]


def test_the_columns_of_every_document_cannot_be_further_ones():
    """The message says that the field is kept in meta."""
    with pytest.raises(ValidationError, match="kept in meta"):
        JsonLines(paths=("a",), columns=("source",))


@pytest.mark.parametrize(
    "settings", [{"columns": ("label", "label")}, {"text": "body", "columns": ("body",)}, {"columns": ("a.b", "a.b")}]
)
def test_a_field_is_read_into_one_place(settings):
    """Named twice, it is refused before anything is read."""
    with pytest.raises(ValidationError, match="named twice"):
        JsonLines(paths=("a.jsonl",), **settings)


def test_a_column_may_be_32_levels_deep(tmp_path):
    """What is deeper is a bad record."""
    deep = "x"
    for _ in range(32):
        deep = [deep]
    corpus = read(tmp_path, [{"text": "a", "m": deep}, {"text": "b", "m": [deep]}], columns=("m",), max_bad_share=1)
    assert corpus.scan().collect()["m"].to_list() == [deep]
    assert corpus.quarantine().collect()["reason"].to_list() == ["column-type"]
