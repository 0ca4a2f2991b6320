"""The digest over rows: the same for the same rows however they lie, another for any other row."""

import json
from datetime import date

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import read_shard, write_shard
from workbench.engine.corpus.writing import write_part_shard
from workbench.engine.rows import rows_digest, shard_digest

FRAME = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "text": ["one", "", "二", None],
        "number": [1, None, 3, 0],
        "share": [0.5, 1.0, None, 0.0],
        "is_good": [True, None, False, True],
        "day": [date(2024, 1, 2), None, date(1990, 5, 6), date(2000, 1, 1)],
        "tags": [["x", "y"], [], None, ["é"]],
        "place": [{"city": "北京", "at": 1}, {"city": None, "at": 2}, None, {"city": "x", "at": None}],
    }
)


def digest(folder, *frames, parts=()):
    folder.mkdir()
    names = [f"{number:05}.parquet" for number in range(len(frames))]
    for name, frame in zip(names, frames, strict=True):
        write_shard(folder / "shards" / name, frame)
    listed = [
        {"name": name, "part": part, "rows": frame.height}
        for name, frame, part in zip(names, frames, parts or [None] * len(frames), strict=True)
    ]
    (folder / "corpus.json").write_text(json.dumps({"parts": [], "columns": {}, "shards": listed}))
    return rows_digest(Corpus(folder))


def test_empty_shards_and_widths_do_not_count(tmp_path):
    """With or without an empty shard, narrow or wide integers, columns in any order: the rows are the same."""
    whole = digest(tmp_path / "whole", FRAME)
    assert digest(tmp_path / "empty", FRAME[:0], FRAME) == whole
    assert digest(tmp_path / "turned", FRAME.select(reversed(FRAME.columns))) == whole
    assert digest(tmp_path / "narrow", FRAME.with_columns(pl.col("number").cast(pl.Int8))) == whole


@pytest.mark.parametrize(
    "other",
    [
        FRAME[::-1],
        FRAME[:3],
        FRAME.drop("share"),
        FRAME.rename({"share": "part"}),
        FRAME.with_columns(text=pl.Series(["on", "e", "二", None])),
        FRAME.with_columns(text=pl.Series(["one", None, "二", ""])),
        FRAME.with_columns(pl.col("number").fill_null(0)),
        FRAME.with_columns(pl.col("is_good").fill_null(value=False)),
        FRAME.with_columns(tags=pl.Series([["x,y"], [], None, ["é"]])),
        FRAME.with_columns(pl.col("number").cast(pl.String)),
    ],
)
def test_any_other_row_gives_another_digest(tmp_path, other):
    """Order, rows, columns, values and what is missing all count."""
    assert digest(tmp_path / "other", other) != digest(tmp_path / "this", FRAME)


def test_the_digest_of_the_writer_is_that_of_what_is_read(tmp_path):
    """A digest taken while a shard was written is the one that its file gives."""
    frame = FRAME.with_columns(
        pl.col("text").fill_null(""),
        source=pl.lit("s"),
        meta=pl.lit("{}"),
        kind=pl.Series(["a", "b", None, "a"], dtype=pl.Categorical),
        at=pl.Series([1, None, 3, 4]).cast(pl.Datetime("ms")),
        took=pl.Series([1.5, None, float("nan"), -0.0], dtype=pl.Float32),
    )
    listed = write_part_shard(tmp_path, "00000.parquet", frame)
    assert listed["digest"] == shard_digest(read_shard(tmp_path / "shards" / "00000.parquet"))


def test_parts_count(tmp_path):
    """The same rows in another part are another corpus."""
    assert digest(tmp_path / "a", FRAME, parts=["train"]) != digest(tmp_path / "b", FRAME, parts=["valid"])
