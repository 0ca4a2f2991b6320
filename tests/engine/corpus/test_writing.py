"""The one way corpora are written."""

import contextlib
import random

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import read_shard, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.records import documents
from workbench.engine.corpus.writing import CorpusWriter, write_part_shard
from workbench.errors import DamagedObject, PluginError, StepError


def frame(*texts, **more):
    return documents([{"id": str(n), "text": text, "source": "s", **more} for n, text in enumerate(texts)])


def test_reads_back_what_was_written(tmp_path):
    """Index, ledger, parts, columns and rejects."""
    writer = CorpusWriter(tmp_path)
    shards = [
        writer.add("train", 0, frame("a", "b", label="x"), pl.DataFrame({"id": ["9"], "reason": ["r"]})),
        writer.add("valid", 0, frame("c", label="y").clear()),
    ]
    ledger = Ledger(read=3, kept=2)
    ledger.rejected["r"] = 1
    writer.finish(ledger, shards, ["train", "valid"])
    corpus = Corpus(tmp_path)
    assert corpus.parts == ("train", "valid")
    assert [(shard.name, shard.part, shard.rows) for shard in corpus.shards] == [
        ("train-00000.parquet", "train", 2),
        ("valid-00000.parquet", "valid", 0),
    ]
    assert corpus.columns == dict.fromkeys(("id", "text", "source", "meta", "label"), "String")
    assert corpus.scan().collect().columns == ["id", "text", "source", "meta", "label"]
    assert corpus.rejects().collect().select("id", "reason", "text").rows() == [("9", "r", None)]
    assert corpus.ledger.to_json() == ledger.to_json()


def test_the_bytes_do_not_show_how_a_frame_was_put_together(tmp_path):
    """The same rows in one chunk or in three give the same file."""
    whole = frame(*(f"text {n} " * 50 for n in range(3000)))
    write_shard(tmp_path / "whole", whole)
    write_shard(tmp_path / "chunks", pl.concat([whole[:7], whole[7:1500], whole[1500:]], rechunk=False))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "chunks").read_bytes()


def test_every_flipped_bit_in_the_data_is_seen(tmp_path):
    """200 single-bit flips between header and footer: each is `DamagedObject`, none gives other documents."""
    path = tmp_path / "00000.parquet"
    write_shard(path, frame(*(f"text {n} 中文" * 20 for n in range(500))))
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    original = read_shard(path)
    chance = random.Random(5)
    for _ in range(200):
        place = chance.randrange(4, len(content) - footer)
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with contextlib.suppress(DamagedObject):
            assert read_shard(path).equals(original)  # a bit of a page header that says nothing


@pytest.mark.parametrize(
    "documents_, said",
    [
        (frame("a").drop("meta"), "without the column 'meta'"),
        (frame("a").with_columns(id=pl.lit(1)), "'id' is Int32, not String"),
        (frame("a").with_columns(text=pl.lit(None, pl.String)), "1 documents have no text"),
        (frame("a", "b").with_columns(id=pl.lit("x")), "1 ids stand more than once"),
    ],
)
def test_frames_that_are_no_documents_are_refused(tmp_path, documents_, said):
    """A missing column, another type, a null, an id twice."""
    with pytest.raises(PluginError, match=said):
        write_part_shard(tmp_path, "00000.parquet", documents_)
    assert not list(tmp_path.iterdir())


def test_a_ledger_that_does_not_balance_stores_nothing(tmp_path):
    """Neither one that does not add up, nor one that counts other documents than there are."""
    writer = CorpusWriter(tmp_path)
    shards = [writer.add(None, 0, frame("a"))]
    with pytest.raises(StepError, match="does not balance"):
        writer.finish(Ledger(read=2, kept=1), shards)
    with pytest.raises(PluginError, match="counts 2 kept, but the shards hold 1"):
        writer.finish(Ledger(read=2, kept=2), shards)
    assert not (tmp_path / "corpus.json").exists()


def test_shards_with_other_columns_are_refused(tmp_path):
    """The message names the shard and the columns."""
    writer = CorpusWriter(tmp_path)
    shards = [writer.add(None, 0, frame("a", score=1)), writer.add(None, 1, frame("a", score="high"))]
    with pytest.raises(PluginError, match=r"shard 00001\.parquet has other columns than 00000\.parquet: .*score"):
        writer.finish(Ledger(read=2, kept=2), shards)
