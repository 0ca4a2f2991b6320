"""What a filter promises: it removes only what it gives a reason for, and survives any text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, cast

import polars as pl

from workbench.artifacts import Artifact, Corpus
from workbench.contracts.filters import CorpusFilter, RewriteFilter, RowFilter
from workbench.testing.artifacts import small_classifier, small_corpus
from workbench.testing.base import StepConformance
from workbench.testing.texts import HOSTILE
from workbench.testing.trials import trial


class FilterConformance(StepConformance):
    """Tests for a filter of any of the three shapes.

    Attributes:
        hostile: Name → text of documents that no filter may trip over.
    """

    hostile: ClassVar[dict[str, str]] = HOSTILE

    def artifact(self, artifact_type: str, port: str, folder: Path) -> Artifact:
        """Return a small artifact; a model has the head that the filter says it scores with (`heads`)."""
        if artifact_type == "model" and "sequence-classification" in getattr(type(self.component()), "heads", ()):
            return small_classifier(folder)
        return super().artifact(artifact_type, port, folder)

    def filtered(self, folder: Path, texts: list[str], *, parts: tuple[str, ...] = ()) -> tuple[Corpus, Corpus]:
        """Return the corpus made of `texts` and what the filter made of it."""
        self.write_files(folder / "run")
        corpus = small_corpus(folder / "corpus", texts, parts=parts)
        given = {**self.inputs(folder / "further"), "corpus": corpus}
        return corpus, cast("Corpus", trial(self.component(), given, folder / "run"))

    def test_survives_hostile_documents(self, tmp_path: Path) -> None:
        """Empty, NUL, bidi, ten megabytes in one line, no spaces: every document comes out kept or rejected."""
        corpus, result = self.filtered(tmp_path, list(self.hostile.values()))
        result.ledger.check(self.use)
        before = set(corpus.scan().select("id").collect()["id"])
        after = set(result.scan().select("id").collect()["id"]) | set(result.rejects().select("id").collect()["id"])
        assert result.ledger.read == len(before)
        assert after == before

    def test_removes_only_with_a_reason(self, tmp_path: Path) -> None:
        """Every rejected document names the filter and the reason, and the ledger counts the same."""
        texts = ["", "short", *[text[:2000] for text in self.hostile.values()], *["the same text twice " * 20] * 2]
        _, result = self.filtered(tmp_path, texts)
        rejects = result.rejects().collect()
        assert rejects.filter(pl.col("reason").is_null() | (pl.col("reason") == "")).is_empty()
        assert rejects.filter(pl.col("filter").is_null() | (pl.col("filter") == "")).is_empty()
        counted = dict(rejects.group_by("reason").len().iter_rows())
        assert counted == {reason: number for reason, number in result.ledger.rejected.items() if number}
        component = self.component()
        if isinstance(component, (RowFilter, RewriteFilter)):
            assert set(counted) <= set(component.rules())

    def test_keeps_order_columns_and_parts(self, tmp_path: Path) -> None:
        """What is kept stays in order, in its part, with its id and columns."""
        corpus, result = self.filtered(
            tmp_path, [f"{text[:300]} {n}" for n, text in enumerate(self.hostile.values())], parts=("train", "valid")
        )
        kept = result.scan().collect()
        ids = corpus.scan().select("id").collect()["id"].to_list()
        assert kept["id"].to_list() == [name for name in ids if name in set(kept["id"])]
        assert set(kept.columns) >= {"id", "text", "source", "meta"}
        assert result.parts == ("train", "valid")
        assert [shard.name for shard in result.shards] == [shard.name for shard in corpus.shards]
        kept_before = corpus.scan().collect().join(kept.select("id"), on="id", how="semi")
        before, after = kept_before["text"].to_list(), kept["text"].to_list()
        if isinstance(self.component(), RowFilter):
            assert before == after
        if isinstance(self.component(), CorpusFilter):
            assert all(left_after_cuts(one, other) for one, other in zip(before, after, strict=True))
            assert before == after or result.ledger.edited, "documents were cut, but the ledger counts no edits"

    def test_stores_the_signals_of_every_document(self, tmp_path: Path) -> None:
        """Kept or rejected, every document has its signals; those of a rejected one stand beside its reason."""
        component = self.component()
        _, result = self.filtered(tmp_path, [text[:500] for text in self.hostile.values()])
        if not isinstance(component, RowFilter):
            return
        signals = pl.read_parquet(sorted((tmp_path / "run" / "signals" / "signals").glob("*.parquet")))
        assert signals.height == len(self.hostile)
        name = component.component_id.partition("/")[2]
        expected = {f"{name}.{signal}" for signal in component.signals()}
        assert set(signals.columns) >= {"id", *expected}
        for text in result.rejects().collect()["signals"]:
            assert set(json.loads(text)) >= expected


def left_after_cuts(before: str, after: str) -> bool:
    """Return whether `after` is what is left of `before` when spans are cut out of it.

    >>> left_after_cuts("one, two, three", "one, three"), left_after_cuts("one, two", "two, one")
    (True, False)
    """
    characters = iter(before)
    return all(character in characters for character in after)
