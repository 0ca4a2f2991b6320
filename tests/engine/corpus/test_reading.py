import json

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.contracts.context import Context
from workbench.contracts.records import TURNED_AWAY, BadRecord
from workbench.contracts.source import Source
from workbench.engine.corpus import reading
from workbench.engine.corpus.reading import run
from workbench.engine.rows import shard_digest
from workbench.errors import PluginError
from workbench.testing.trials import digest_of


def frame(numbers, text="text", **columns):
    numbers = list(numbers)
    return pl.DataFrame(
        {
            "id": [f"id-{number}" for number in numbers],
            "text": [text] * len(numbers),
            "source": ["here"] * len(numbers),
            "meta": ["{}"] * len(numbers),
            **{name: [value] * len(numbers) for name, value in columns.items()},
        }
    )


class Given(Source):
    """Hand over what it was given."""

    items: tuple[object, ...]

    def read(self, ctx):
        yield from self.items


def read(folder, *items):
    for name in ("out", "scratch"):
        (folder / name).mkdir(parents=True)
    ctx = Context("raw", "source/given", 1, folder, folder / "out", folder / "scratch", folder / "partial")
    run(Given(items=items), ctx)
    return Corpus(folder / "out")


def test_every_record_is_in_the_ledger(tmp_path):
    """Read = kept + rejected + quarantined; null and empty texts are rejected as empty."""
    corpus = read(
        tmp_path,
        frame(range(3)),
        BadRecord("a", "line 1", "invalid-json"),
        frame([3], text=None),
        frame([4], text=""),
    )
    assert corpus.ledger.to_json() == {
        "read": 6,
        "kept": 3,
        "rejected": {"empty": 2},
        "quarantined": 1,
        "by_filter": {"source/given": {"empty": 2}},
        "edited": {},
    }
    assert corpus.rejects().collect()["id"].to_list() == ["id-3", "id-4"]


@pytest.mark.parametrize("limits, rows", [((100, 4), [4, 4, 2]), ((8, 100), [2, 2, 2, 2, 2]), ((3, 100), [1] * 10)])
def test_shards_do_not_depend_on_the_frames(tmp_path, monkeypatch, limits, rows):
    """A shard ends before the document that would be too much, of bytes or of documents; one always goes in."""
    monkeypatch.setattr(reading, "SHARD_BYTES", limits[0])
    monkeypatch.setattr(reading, "SHARD_DOCUMENTS", limits[1])
    digests = set()
    for size in (1, 3, 10):
        frames = [frame(range(start, min(start + size, 10))) for start in range(0, 10, size)]
        corpus = read(tmp_path / str(size), *frames)
        assert [shard.rows for shard in corpus.shards] == rows
        assert corpus.scan().collect()["id"].to_list() == [f"id-{number}" for number in range(10)]
        digests.add(digest_of(corpus.path))
    assert len(digests) == 1


def test_a_column_of_nulls_takes_its_type_from_later_frames(tmp_path, monkeypatch):
    """Also in shards that are already written; one that stays null is text."""
    monkeypatch.setattr(reading, "SHARD_DOCUMENTS", 2)
    corpus = read(tmp_path, frame(range(4), label=None, none=None), frame(range(4, 6), label=0.5, none=None))
    assert corpus.scan().collect()["label"].to_list() == [None] * 4 + [0.5] * 2
    assert (corpus.columns["label"], corpus.columns["none"]) == ("Float64", "String")
    assert [shard.digest for shard in corpus.shards] == [shard_digest(batch) for batch in corpus.batches()]


@pytest.mark.parametrize("at_a_time", [1 << 22, 3])
def test_an_id_that_stands_twice_is_found_across_shards(tmp_path, monkeypatch, at_a_time):
    """However few ids are compared at once."""
    monkeypatch.setattr(reading, "SHARD_DOCUMENTS", 4)
    monkeypatch.setattr(reading, "IDS_AT_A_TIME", at_a_time)
    with pytest.raises(PluginError, match="the id 'id-3' stands twice"):
        read(tmp_path, frame(range(20)), frame([3]))


@pytest.mark.parametrize(
    "items, message",
    [
        (({"text": "a"},), "it gives dict"),
        ((frame([1]).drop("source"),), "no column 'source'"),
        ((frame([1]).with_columns(pl.lit(1).alias("meta")),), "the column 'meta' is Int"),
        ((frame([1]).with_columns(pl.lit(None, pl.String).alias("id")),), "the column 'id' holds nulls"),
        ((frame([1], label=1), frame([2])), "different columns: label"),
        ((frame([1], label=1), frame([2], label="x")), "the column 'label' is Int64 first and String later"),
        ((frame([1]), frame([1])), "stand"),
    ],
)
def test_a_source_that_breaks_the_contract_is_told_so(tmp_path, items, message):
    """With the step, the component and what a frame must be."""
    with pytest.raises(PluginError, match=message):
        read(tmp_path, *items)


def test_reading_nothing_is_said(tmp_path):
    """It is no error: an empty file holds no records."""
    corpus = read(tmp_path)
    assert (corpus.num_rows, corpus.ledger.read) == (0, 0)


def test_a_source_can_turn_documents_away(tmp_path):
    """They are rejected under its own reason, which comes before `empty`; the column goes into no corpus."""
    given = frame(range(4)).with_columns(
        pl.Series("text", ["a", "b", None, None]), pl.Series(TURNED_AWAY, [None, 'say "no"', "deleted", None])
    )
    corpus = read(tmp_path, given, frame(range(4, 6)))
    assert corpus.scan().collect()["id"].to_list() == ["id-0", "id-4", "id-5"]
    assert TURNED_AWAY not in corpus.columns
    ledger = corpus.ledger
    assert (ledger.read, dict(ledger.rejected)) == (6, {'say "no"': 1, "deleted": 1, "empty": 1})
    rejects = corpus.rejects().collect()
    assert rejects["reason"].to_list() == ['say "no"', "deleted", "empty"]
    assert json.loads(rejects["reasons"][0]) == ['source/given: say "no"']
    assert rejects["text"].to_list() == ["b", None, None]
