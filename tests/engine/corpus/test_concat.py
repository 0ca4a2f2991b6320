"""Corpora behind each other: order, parts, columns, ids."""

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.engine.corpus.concat import Concat
from workbench.engine.corpus.writing import CorpusWriter
from workbench.errors import StepError


def concat(folder, corpora, **settings):
    ctx = Context("all", "corpus/concat", 1, folder, folder, folder / "scratch", folder, {"corpora": corpora})
    Concat(**settings).run(ctx)
    return Corpus(folder)


def with_columns(folder, ids, part=None, **columns):
    """Return a corpus of one shard with further columns."""
    rows = {"id": ids, "text": [f"文 {name}" for name in ids], "source": ["s"] * len(ids), "meta": ["{}"] * len(ids)}
    writer = CorpusWriter(folder)
    listed = writer.add(part, 0, pl.DataFrame({**rows, **columns}))
    writer.finish(Ledger(read=len(ids), kept=len(ids)), [listed], (part,) if part else ())
    return Corpus(folder)


def test_documents_stand_in_the_order_of_the_list(tmp_path):
    """Every document as it is, shards numbered anew, the ledger balanced."""
    first, second = with_columns(tmp_path / "a", ["b", "a"]), with_columns(tmp_path / "b", ["d", "c"])
    result = concat(tmp_path / "out", [second, first])
    assert result.scan().collect().equals(pl.concat([second.scan().collect(), first.scan().collect()]))
    assert [shard.name for shard in result.shards] == ["00000.parquet", "00001.parquet"]
    assert (result.ledger.read, result.ledger.kept) == (4, 4)


def test_parts_are_kept_when_they_agree(corpora, tmp_path):
    """The parts of the first input, in its order; one chosen part is a corpus in one piece."""
    first = corpora.make({"train-0": ["a"], "valid-0": ["b"]})
    renamed = {"train-1": ["c"], "valid-1": ["d"]}
    result = concat(tmp_path / "out", [first, corpora.make(renamed)])
    assert result.parts == ("train", "valid")
    assert corpora.ids(result, "valid") == ["valid-0/0", "valid-1/0"]
    chosen = [Corpus(first.path, part="train"), Corpus(first.path, part="valid")]
    together = concat(tmp_path / "chosen", chosen)
    assert (together.parts, corpora.ids(together)) == ((), ["train-0/0", "valid-0/0"])
    with pytest.raises(StepError, match="input 1 has the parts: none"):
        concat(tmp_path / "refused", [first, with_columns(tmp_path / "whole", ["x"])])


def test_an_id_in_two_inputs_is_refused(tmp_path):
    """With the id and the inputs it stands in."""
    first, second = with_columns(tmp_path / "a", ["a", "b"]), with_columns(tmp_path / "b", ["c", "b"])
    with pytest.raises(StepError, match=r"1 ids stand more than once: 'b' \(inputs 0, 1\)"):
        concat(tmp_path / "out", [first, second])


def test_columns_agree_or_are_filled(tmp_path):
    """A column that one input lacks is refused, or null there; another type is always refused."""
    plain = with_columns(tmp_path / "a", ["a"])
    scored = with_columns(tmp_path / "b", ["b"], score=[0.5], tags=[["x"]])
    with pytest.raises(StepError, match="input 0 lacks the columns: score, tags"):
        concat(tmp_path / "refused", [plain, scored])
    result = concat(tmp_path / "out", [plain, scored], fill=True)
    assert result.scan().select("id", "score", "tags").collect().rows() == [("a", None, None), ("b", 0.5, ["x"])]
    assert result.columns["tags"] == "List(String)"
    texts = with_columns(tmp_path / "c", ["c"], score=["high"])
    with pytest.raises(StepError, match="the column 'score' of input 1 is String"):
        concat(tmp_path / "types", [scored, texts], fill=True)


def test_inputs_without_documents(corpora, tmp_path):
    """They add nothing, and ask for no column."""
    scored = with_columns(tmp_path / "a", ["a"], score=[1.0])
    assert corpora.ids(concat(tmp_path / "out", [corpora.make({}), scored])) == ["a"]
    assert concat(tmp_path / "none", [corpora.make({}), corpora.make({})]).num_rows == 0
