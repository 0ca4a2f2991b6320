"""Documents that go in favour of another are listed with it, group by group, beside the corpus."""

import polars as pl

from tests.engine.corpus.test_filtering import make_corpus, run_step
from workbench.contracts.filters import CorpusFilter
from workbench.showing import view_artifact

TYPES = {
    "id": pl.String,
    "reason": pl.String,
    "duplicate_of": pl.String,
    "similarity": pl.Float32,
    "start": pl.Int64,
    "end": pl.Int64,
}


class Going(CorpusFilter):
    """Let go what the test says."""

    rows: tuple[tuple[str | float | None, ...], ...] = ()

    def sketch(self, batch):
        return batch.select("id")

    def resolve(self, sketches):
        return pl.DataFrame(self.rows, schema=TYPES, orient="row")


def test_groups_are_listed_with_the_document_that_stays_first(tmp_path):
    """Of whole documents alone: what is cut, and what goes in favour of none, is in no group."""
    corpus = make_corpus(tmp_path / "in", {"train-0": ["a", "b", "c", "cut here"], "valid-0": ["d", "e", "f"]})
    rows = (
        ("valid-0/0", "near", "train-0/1", 0.75, None, None),
        ("train-0/0", "near", "train-0/1", 1.0, None, None),
        ("valid-0/2", "near", "valid-0/1", None, None, None),
        ("train-0/2", "alone", None, None, None, None),
        ("train-0/3", "cut", "train-0/1", None, 0, 4),
    )
    result = run_step(Going(rows=rows), corpus, tmp_path)
    assert result.clusters().collect().rows() == [
        ("train-0/1", "train-0/1", True, None),
        ("train-0/1", "train-0/0", False, 1.0),
        ("train-0/1", "valid-0/0", False, 0.75),
        ("valid-0/1", "valid-0/1", True, None),
        ("valid-0/1", "valid-0/2", False, None),
    ]
    assert result.ledger.rejected == {"near": 3, "alone": 1}
    assert result.cluster_sizes().rows() == [("train-0/1", 3, 0.75), ("valid-0/1", 2, None)]
    view = view_artifact(result)
    grid = next(grid for grid in view.grids if grid.title.startswith("Groups"))
    assert grid.title == "Groups of alike documents (the largest 2 of 2)"
    assert list(grid.rows) == [("train-0/1", "3", "0.75", "b"), ("valid-0/1", "2", "", "e")]
    assert view.document["clusters"] == {"clusters": 2, "documents": 5}


def test_a_corpus_without_groups_has_an_empty_table(tmp_path):
    corpus = make_corpus(tmp_path / "in", {"0": ["a"]})
    table = run_step(Going(), corpus, tmp_path).clusters().collect()
    assert table.schema == {"cluster": pl.String, "id": pl.String, "kept": pl.Boolean, "similarity": pl.Float64}
    assert table.is_empty()
