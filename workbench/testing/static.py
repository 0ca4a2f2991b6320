"""What static architectures and their objectives promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from workbench.artifacts import Artifact, Model
from workbench.contracts.component import Component, settings_of
from workbench.contracts.model import AnyObjective
from workbench.contracts.static import (
    StaticArchitecture,
    StaticClassifier,
    StaticFeatures,
    StaticLanguageModel,
    StaticVectors,
    WindowObjective,
)
from workbench.registry import shared_registry
from workbench.testing.artifacts import labelled_corpus, small_component, small_tokens
from workbench.testing.base import Conformance
from workbench.testing.models import VOCAB
from workbench.testing.texts import ordinary
from workbench.testing.trials import another_hash_seed, digest_of, trial, trial_in_process
from workbench.training.static import load_static

HEADS: dict[str, type] = {
    "causal-lm": StaticLanguageModel,
    "sequence-classification": StaticClassifier,
    "embedding": StaticVectors,
    "features": StaticFeatures,
}


def fitting_objectives(architecture: type[StaticArchitecture]) -> list[str]:
    """Return the ids of the installed objectives that this architecture can learn by."""
    registry = shared_registry()
    found = []
    for ref in registry.refs("objective"):
        cls = cast("type[AnyObjective]", registry.load(ref.id))
        if "static" in cls.families and cls.head == architecture.head:
            found.append(ref.id)
    return found


class StaticArchitectureConformance(Conformance):
    """Tests for an architecture of the family `static`."""

    settings: ClassVar[dict[str, Any]] = {}

    def step(self) -> Component:
        """Return the training step with this architecture, and with an objective if it takes one."""
        component = cast("StaticArchitecture", self.component())
        given: dict[str, Any] = {"architecture": {"use": self.use, "with": settings_of(component)}}
        if component.takes_objective:
            given["objective"] = {"use": fitting_objectives(type(component))[0], "with": {}}
        return small_component("train/pretrain", **given)

    def lesson(self, folder: Path) -> dict[str, Artifact | list[Artifact]]:
        """Return what it learns from: packed tokens, or labelled documents."""
        component = cast("StaticArchitecture", self.component())
        return (
            {"tokens": small_tokens(folder)}
            if component.data == "tokens"
            else {"corpus": labelled_corpus(folder / "c")}
        )

    def fitted(self, folder: Path) -> Model:
        """Return a model that was trained as a step."""
        return cast("Model", trial(self.step(), self.lesson(folder), folder / "model"))

    def test_same_bytes_in_every_process(self, tmp_path: Path) -> None:
        """The model does not depend on the process or on the order of hashes."""
        lesson = self.lesson(tmp_path)
        another = trial_in_process(self.step(), lesson, tmp_path / "there", hash_seed=another_hash_seed())
        assert digest_of(trial(self.step(), lesson, tmp_path / "here").path) == another

    def test_saved_and_loaded_gives_the_same_tables(self, tmp_path: Path) -> None:
        """The tables go to safetensors and back without a change; no file could run code."""
        from safetensors.numpy import load_file

        model = self.fitted(tmp_path)
        tables = load_static(model).tables()
        written = load_file(model.path / "model.safetensors")
        assert tables.keys() == written.keys()
        assert all(np.array_equal(tables[name], written[name]) for name in tables)
        assert {file.suffix for file in model.path.rglob("*")} <= {".json", ".safetensors", ".parquet"}
        assert model.card["family"] == "static"
        assert model.card["parameters"] == load_static(model).num_parameters > 0

    def test_answers_as_its_head_promises(self, tmp_path: Path) -> None:
        """Distributions sum to one, vectors and features have a row for each token or text."""
        loaded = load_static(self.fitted(tmp_path))
        assert isinstance(loaded, HEADS[cast("StaticArchitecture", self.component()).head])
        texts = [*ordinary(6), "", "\N{GRINNING FACE}"]
        if isinstance(loaded, StaticLanguageModel):
            ids = [6, 7, 8, 6, 7]
            after = [np.exp(loaded.next_log_probabilities(ids[:place])) for place in range(len(ids))]
            assert np.allclose([shares.sum() for shares in after], 1, atol=1e-9)
            given = [shares[token] for shares, token in zip(after, ids, strict=True)]
            assert np.allclose(np.exp(loaded.score(ids)), given, rtol=1e-9)
        elif isinstance(loaded, StaticClassifier):
            shares_nl = loaded.predict(texts)
            assert shares_nl.shape == (len(texts), len(loaded.labels))
            assert np.allclose(shares_nl.sum(axis=1), 1)
        elif isinstance(loaded, StaticVectors):
            assert loaded.vectors_vw.ndim == 2  # noqa: PLR2004  # tokens by width
            assert np.isfinite(loaded.vectors_vw).all()
        elif isinstance(loaded, StaticFeatures):
            assert loaded.transform(texts).shape == (len(texts), len(loaded.names))

    def test_has_an_objective_if_it_takes_one(self) -> None:
        """At least one objective fits the family and the head."""
        cls = type(cast("StaticArchitecture", self.component()))
        assert not cls.takes_objective or fitting_objectives(cls)


class StaticObjectiveConformance(Conformance):
    """Tests for an objective of static architectures."""

    def test_an_architecture_takes_it(self) -> None:
        """At least one static architecture can learn by it."""
        registry = shared_registry()
        objective = cast("AnyObjective", self.component())
        classes = [registry.load(ref.id) for ref in registry.refs("architecture")]
        assert any(
            issubclass(cls, StaticArchitecture) and cls.takes_objective and cls.head == objective.head
            for cls in classes
        )

    def test_loss_is_low_when_the_true_token_stands_out(self) -> None:
        """Zero vectors tell nothing, which costs log 2 for each token asked; vectors that point the right way cost less."""
        objective = cast("WindowObjective", self.component())
        zero = np.zeros(VOCAB.max_length)
        drawn = np.zeros((objective.negative, VOCAB.max_length))
        blind = objective.loss(zero, zero, drawn)
        assert np.isclose(blind, (1 + objective.negative) * np.log(2))
        one = np.ones(VOCAB.max_length)
        assert objective.loss(one, one, drawn - 1) < 1e-6 < blind < objective.loss(one, -one, drawn + 1)  # noqa: PLR2004
