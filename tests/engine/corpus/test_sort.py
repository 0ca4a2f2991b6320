"""Sorting: stable, external, the same for any shards of the input; nothing lost."""

import json

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.engine.corpus import sort
from workbench.engine.corpus.sort import Sort
from workbench.errors import StepError


@pytest.fixture
def small_shards(monkeypatch):
    """Let a shard hold 8 documents or 4 KiB, so that a few hundred documents need many."""
    monkeypatch.setattr(sort, "SHARD_DOCUMENTS", 8)
    monkeypatch.setattr(sort, "SHARD_BYTES", 4096)


def texts(result):
    return result.scan().collect()["text"].to_list()


def test_by_length_stable(corpora):
    """The example by hand: equal lengths stay in the order they came in, in both directions."""
    corpus = corpora.make({"0": ["ccc", "a", "zz"], "1": ["bb", "春天来", "d", "yy"]})
    assert texts(corpora.run(Sort(by="length"), corpus)) == ["a", "d", "zz", "bb", "yy", "ccc", "春天来"]
    down = corpora.run(Sort(by="length", descending=True), corpus)
    assert texts(down) == ["ccc", "春天来", "zz", "bb", "yy", "a", "d"]
    assert down.ledger.to_json()["kept"] == 7


def test_by_meta_numbers_and_text(corpora):
    """Numbers as numbers (9 before 10), text by code point, no value last whichever the direction."""
    corpus = corpora.make({"0": ["10", "", "9"], "1": ["-1", "100"]}, meta=lambda t: {"n": int(t), "s": t} if t else {})
    assert texts(corpora.run(Sort(by="n"), corpus)) == ["-1", "9", "10", "100", ""]
    assert texts(corpora.run(Sort(by="n", descending=True), corpus)) == ["100", "10", "9", "-1", ""]
    assert texts(corpora.run(Sort(by="s"), corpus)) == ["-1", "10", "100", "9", ""]


def test_many_shards_hold_the_same_as_one_sort(corpora, small_shards):
    """500 documents in shards of about 8, beside Python's sort; no shard holds more than twice its share."""
    words = [f"{'x' * (n * 7919 % 101)}{n}" for n in range(500)]
    corpus = corpora.make({"0": words[:200], "1": [], "2": words[200:]})
    result = corpora.run(Sort(by="length"), corpus)
    assert texts(result) == sorted(words, key=len)
    rows = [shard.rows for shard in result.shards]
    assert len(rows) > 40
    assert max(rows) <= 16


def test_equal_keys_fill_more_than_one_shard(corpora, small_shards):
    """A hundred documents of one length are parted by their place, so none grows without bound."""
    corpus = corpora.make({"0": [f"{n:03}" for n in range(60)], "1": [f"{n:03}" for n in range(60, 100)]})
    result = corpora.run(Sort(by="length"), corpus)
    assert texts(result) == [f"{n:03}" for n in range(100)]
    assert max(shard.rows for shard in result.shards) <= 16


def test_random_follows_from_seed_and_ids_alone(corpora, small_shards):
    """The same for the same seed; the direction of the input does not count."""
    corpus = corpora.make({"0": [f"t{n}" for n in range(99)]})
    backwards = corpora.run(Sort(by="id", descending=True), corpus)
    once, again, other = (
        corpora.ids(corpora.run(Sort(by="random"), given, seed))
        for given, seed in ((corpus, 1), (backwards, 1), (corpus, 2))
    )
    assert once == again
    assert sorted(once) == sorted(other) != other != once


def test_parts_stay_parts(corpora):
    """Each part is sorted by itself."""
    corpus = corpora.make({"train-0": ["bb", "a"], "valid-0": ["dddd", "ccc"], "train-1": [""]})
    result = corpora.run(Sort(by="length"), corpus)
    assert result.parts == ("train", "valid")
    assert [Corpus(result.path, part=part).scan().collect()["text"].to_list() for part in result.parts] == [
        ["", "a", "bb"],
        ["ccc", "dddd"],
    ]


def test_a_column_keeps_its_type(corpora, tmp_path):
    """A column of numbers is no text: 9 stands before 10, null last."""
    corpus = corpora.make({"0": ["a", "b", "c"]})
    path = corpus.shards[0].path
    frame = pl.read_parquet(path).with_columns(pl.Series("rank", [10, None, 9], dtype=pl.Int32))
    frame.write_parquet(path)
    index = corpus.read_json("corpus.json")
    (corpus.path / "corpus.json").write_text(json.dumps({**index, "columns": {**index["columns"], "rank": "Int32"}}))
    assert texts(corpora.run(Sort(by="rank"), corpus)) == ["c", "a", "b"]


def test_what_cannot_be_sorted_is_refused(corpora):
    """A key nobody has, and numbers beside text; the messages say what there is."""
    corpus = corpora.make({"0": ["a"], "1": ["b"]}, meta=lambda text: {"mixed": 1 if text == "a" else "one"})
    with pytest.raises(StepError, match=r"no document has 'sight'.*\n.*length, id, random, mixed"):
        corpora.run(Sort(by="sight"), corpus)
    with pytest.raises(StepError, match="several kinds: Float64, String"):
        corpora.run(Sort(by="mixed"), corpus)


def test_nothing_to_sort(corpora):
    """A corpus without documents, or without shards, stays so."""
    assert corpora.run(Sort(by="length"), corpora.make({"0": []})).num_rows == 0
    assert corpora.run(Sort(by="length"), corpora.make({})).num_rows == 0


def test_any_way_the_shards_lie(tmp_path, corpora, small_shards):
    """One shard or seven: the same rows, in the same shards."""
    words = [f"{'y' * (n % 13)}{n:03}" for n in range(120)]
    one = corpora.make({"0": words})
    frame = one.scan().collect()
    index = one.read_json("corpus.json")
    several = tmp_path / "several"
    (several / "shards").mkdir(parents=True)
    listed = []
    for number in range(7):
        piece = frame[number * 18 : (number + 1) * 18]
        piece.write_parquet(several / "shards" / f"{number:05}.parquet")
        listed.append({"name": f"{number:05}.parquet", "part": None, "rows": piece.height})
    (several / "corpus.json").write_text(json.dumps({**index, "shards": listed}))
    results = [corpora.run(Sort(by="length"), corpus) for corpus in (one, Corpus(several))]
    tables = [[pl.read_parquet(shard.path) for shard in result.shards] for result in results]
    assert len(tables[0]) == len(tables[1])
    assert all(left.equals(right) for left, right in zip(*tables, strict=True))
