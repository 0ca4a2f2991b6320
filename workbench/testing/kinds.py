"""What sources, core steps, evaluators and exporters promise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, cast

from workbench.artifacts import Artifact, Corpus, Export, Report
from workbench.contracts.evaluation import Evaluator
from workbench.testing.artifacts import labelled_corpus, small_classifier, small_corpus
from workbench.testing.base import StepConformance
from workbench.testing.texts import HOSTILE
from workbench.testing.trials import trial


class SourceConformance(StepConformance):
    """Tests for a source."""

    def test_documents_are_well_formed(self, tmp_path: Path) -> None:
        """Ids are unique, texts are not empty, `meta` is a JSON object, and the ledger balances."""
        corpus = cast("Corpus", self.run(tmp_path))
        corpus.ledger.check(self.use)
        frame = corpus.scan().collect()
        assert frame.height == corpus.ledger.kept > 0
        assert frame["id"].n_unique() == frame.height
        assert frame["text"].str.len_chars().min() > 0  # type: ignore[operator]
        assert all(isinstance(json.loads(meta), dict) for meta in frame["meta"])
        assert frame["source"].null_count() == 0

    def test_names_no_place_of_this_machine(self, tmp_path: Path) -> None:
        """Nothing in the corpus says where on this machine it was read."""
        corpus = cast("Corpus", self.run(tmp_path))
        frame = corpus.scan().select("source", "meta").collect()
        assert not any(str(tmp_path) in text for column in frame for text in column)

    def test_digests_follow_the_input(self, tmp_path: Path) -> None:
        """What is read from outside has digests, and they change with it."""
        from workbench.files.digest import digest_file

        self.write_files(tmp_path)
        before = self.component().digests(tmp_path, digest_file)
        assert before
        for name in self.files:
            with (tmp_path / name).open("ab") as file:
                file.write(b"\nmore\n")
            assert self.component().digests(tmp_path, digest_file) != before


class CoreConformance(StepConformance):
    """Tests for the steps of the core: `tokens`, `train`."""


class CorpusStepConformance(CoreConformance):
    """Tests for the kind `corpus`: steps over whole corpora.

    Attributes:
        hostile: Texts of documents that no step may trip over.
    """

    hostile: ClassVar[tuple[str, ...]] = tuple(text[:100_000] for text in HOSTILE.values())

    def run_over(self, folder: Path, texts: Sequence[str] | None) -> tuple[set[str], Artifact]:
        """Return the ids of the documents given at the ports, and what the step made of them."""
        self.write_files(folder / "run")
        inputs = self.inputs(folder / "inputs")
        if texts is not None:
            inputs = self.inputs_of(small_corpus(folder / "texts", texts), inputs)
        given = [item for value in inputs.values() for item in (value if isinstance(value, list) else [value])]
        ids = {name for item in given if isinstance(item, Corpus) for name in item.scan().select("id").collect()["id"]}
        return ids, trial(self.component(), inputs, folder / "run")

    def inputs_of(
        self, corpus: Corpus, inputs: dict[str, Artifact | list[Artifact]]
    ) -> dict[str, Artifact | list[Artifact]]:
        """Return the inputs with another corpus at the first port; override where the others must fit to it."""
        port, value = next(iter(inputs.items()))
        return {**inputs, port: [corpus] if isinstance(value, list) else corpus}

    def test_nothing_is_lost(self, tmp_path: Path) -> None:
        """Every document given is kept or rejected with a reason; a report says something and can do nothing."""
        self._check(*self.run_over(tmp_path, None))

    def test_survives_hostile_documents(self, tmp_path: Path) -> None:
        """The same for empty, NUL, bidi, markup and very long texts."""
        self._check(*self.run_over(tmp_path, self.hostile))

    def _check(self, ids: set[str], result: Artifact) -> None:
        if isinstance(result, Report):
            page = (result.path / "report.html").read_text("utf-8")
            assert result.tables
            assert "<script" not in page
            assert not set(page) & {"\x00", "\x07", "\x1b", "\u202e"}
            return
        assert isinstance(result, Corpus)
        result.ledger.check(self.use)
        rejects = result.rejects().collect()
        kept = result.scan().select("id").collect()["id"].to_list()
        assert len(kept) == len(set(kept)) == result.ledger.kept
        assert {*kept, *rejects["id"]} == ids
        assert rejects["reason"].null_count() == 0


class EvaluatorConformance(StepConformance):
    """Tests for an evaluator."""

    def artifact(self, artifact_type: str, port: str, folder: Path) -> Artifact:
        """Return a small artifact; the model has a head that the evaluator can judge, the texts have labels."""
        heads = cast("Evaluator", self.component()).heads
        if artifact_type == "model" and heads == ("sequence-classification",):
            return small_classifier(folder)
        if artifact_type == "corpus":
            return labelled_corpus(folder, parts=())
        return super().artifact(artifact_type, port, folder)

    def test_scores_can_be_judged(self, tmp_path: Path) -> None:
        """Every score has its number of items and an interval around it."""
        report = cast("Report", self.run(tmp_path))
        for score in report.scores:
            assert score.n > 0
            assert score.low <= score.value <= score.high
        assert report.scores or report.tables
        assert "<script" not in (report.path / "report.html").read_text("utf-8")


class ExporterConformance(StepConformance):
    """Tests for an exporter."""

    def test_writes_files(self, tmp_path: Path) -> None:
        """Something comes out, and none of it can run code when it is loaded."""
        files = cast("Export", self.run(tmp_path)).files
        assert files
        assert not [file for file in files if file.suffix in {".bin", ".pt", ".pkl", ".pickle"}]
