"""What tokenizers, architectures, objectives and tuning methods promise."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import polars as pl

from workbench.artifacts import Tokenizer
from workbench.contracts.component import Component
from workbench.contracts.context import Context
from workbench.contracts.model import Architecture, Examples, Objective, Tuning
from workbench.contracts.tokenizer import Vocab
from workbench.registry import shared_registry
from workbench.testing.artifacts import labelled_corpus, small_component, small_tokenizer
from workbench.testing.base import Conformance, StepConformance
from workbench.testing.texts import ordinary
from workbench.training.beside import add_beside
from workbench.training.masks import model_inputs
from workbench.training.models import with_head

if TYPE_CHECKING:
    import torch

VOCAB = Vocab(size=400, max_length=32, pad=0, eos=1, bos=None, unk=2, mask=3, cls=4, sep=5)
SMALL = {"layers": 1, "width": 16, "heads": 2}


def small_context(folder: Path, component: Component) -> Context:
    """Return a context for calling one method of a component."""
    return Context("trial", component.component_id, 7, folder, folder, folder, folder, device="cpu")


def fitting_architecture(family: str, head: str = "") -> str:
    """Return the id of a bundled architecture of this family, if possible with this head."""
    registry = shared_registry()
    classes = {ref.id: cast("type[Architecture]", registry.load(ref.id)) for ref in registry.refs("architecture")}
    fitting = [name for name, cls in classes.items() if getattr(cls, "family", None) == family]
    having = [name for name in fitting if classes[name].head == head]
    learning = [name for name in fitting if head in getattr(classes[name], "more_heads", ())]
    return (having + learning + fitting)[0]


class TokenizerConformance(StepConformance):
    """Tests for a tokenizer.

    Attributes:
        lossless: Whether decoding gives the text back.
    """

    settings: ClassVar[dict[str, Any]] = {"vocab_size": 400}
    lossless: ClassVar[bool] = False

    def test_loads_in_transformers(self, tmp_path: Path) -> None:
        """The saved folder loads as a transformers tokenizer with the same ids and its special tokens."""
        saved = cast("Tokenizer", self.run(tmp_path))
        loaded = saved.load()
        for text in ordinary(8):
            assert loaded(text)["input_ids"] == saved.fast.encode(text).ids
        for name, token in cast("Any", self.component()).roles().items():
            assert getattr(loaded, name) == token
        assert saved.vocab(16).size <= 400  # noqa: PLR2004  # asked for in the settings

    def test_encodes_any_text(self, tmp_path: Path) -> None:
        """English and Chinese become tokens; a lossless tokenizer gives them back."""
        saved = cast("Tokenizer", self.run(tmp_path))
        for text in (*ordinary(8), "naïve café 你好，世界 🙂"):
            ids = saved.fast.encode(text).ids
            assert ids
            if self.lossless:
                assert saved.fast.decode(ids) == text


class ArchitectureConformance(Conformance):
    """Tests for an architecture."""

    settings: ClassVar[dict[str, Any]] = SMALL

    def build(self, folder: Path, seed: int = 1) -> Any:
        """Return a freshly built small model."""
        import torch

        torch.manual_seed(seed)
        component = cast("Architecture", self.component())
        return component.build(VOCAB, small_context(folder, component)).eval()

    def test_seed_decides_the_weights(self, tmp_path: Path) -> None:
        """The same seed gives the same weights, another seed others."""
        first, again, other = (self.build(tmp_path, seed).state_dict() for seed in (1, 1, 2))
        assert all(bool((first[name] == again[name]).all()) for name in first)
        assert any(bool((first[name] != other[name]).any()) for name in first)

    def test_saved_and_loaded_gives_the_same_logits(self, tmp_path: Path) -> None:
        """The model goes to safetensors and back without a change."""
        import torch

        model = self.build(tmp_path)
        model.save_pretrained(tmp_path / "saved")
        assert not list((tmp_path / "saved").glob("*.bin"))
        loaded = type(model).from_pretrained(tmp_path / "saved").eval()
        ids = torch.arange(6, 22)[None]
        batch = {"input_ids": ids, "segment_ids": torch.ones_like(ids)}
        with torch.no_grad():
            first, again = (given(**model_inputs(given, batch)).logits for given in (model, loaded))
        assert torch.equal(first, again)

    def test_has_an_objective(self) -> None:
        """At least one objective fits the family."""
        registry = shared_registry()
        family = cast("Architecture", self.component()).family
        objectives = [cast("type[Objective]", registry.load(ref.id)) for ref in registry.refs("objective")]
        assert any(family in objective.families for objective in objectives)


class ObjectiveConformance(Conformance):
    """Tests for an objective."""

    def examples(self, folder: Path) -> tuple[Examples, list[str] | None]:
        """Return eight examples: packed rows of two documents, or encoded records."""
        objective = cast("Objective", self.component())
        if objective.data == "tokens":
            vocab = replace(VOCAB, size=VOCAB.size + objective.num_marks, num_marks=objective.num_marks)
            random = np.random.default_rng(1)
            rows = [
                {
                    "input_ids": random.integers(6, VOCAB.size, 24),
                    "segment_ids": np.repeat([1, 2], [10, 14]),
                    "position_ids": np.concatenate([np.arange(10), np.arange(14)]),
                }
                for _ in range(8)
            ]
            return Examples(rows, vocab), list(objective.classes) or None
        corpus = labelled_corpus(folder / "labelled", parts=())
        records = corpus.scan().collect()
        angles = range(len(records))
        records = records.with_columns(image=pl.Series([[math.cos(n), math.sin(n), 1.0] for n in angles]))
        labels = objective.labels(records)
        tokenizer = small_tokenizer(folder)
        encoded = [objective.encode(row, tokenizer.load(), labels, 32) for row in records.head(8).to_dicts()]
        return Examples(encoded, tokenizer.vocab(32)), labels

    def model(self, folder: Path, family: str, labels: list[str] | None, vocab: Vocab) -> Any:
        """Return a small model of a family with the head the objective wants."""
        import torch

        torch.manual_seed(1)
        objective = cast("Objective", self.component())
        use = fitting_architecture(family, objective.head)
        architecture = cast("Architecture", small_component(use, **SMALL))
        model = architecture.build(vocab, small_context(folder, architecture))
        return model if architecture.head == objective.head else with_head(model, objective.head, labels)

    def taught(self, folder: Path, family: str, labels: list[str] | None, vocab: Vocab) -> Objective:
        """Return the objective; one that needs a teacher is bound to a model of the family that was never trained."""
        objective = cast("Objective", self.component())
        return objective.taught(self.model(folder, family, labels, vocab)) if objective.needs_teacher else objective

    def test_collate_follows_the_generator(self, tmp_path: Path) -> None:
        """The same generator gives the same batch."""
        objective = cast("Objective", self.component())
        examples, _ = self.examples(tmp_path)
        first, again = (objective.collate(examples, np.random.default_rng(3)) for _ in range(2))
        assert first.keys() == again.keys()
        assert all(bool((first[name] == again[name]).all()) for name in first)

    def test_loss_falls_for_every_family(self, tmp_path: Path) -> None:
        """On one batch, learned by heart, the loss of every family it claims falls clearly."""
        objective = cast("Objective", self.component())
        examples, labels = self.examples(tmp_path)
        known = {
            str(getattr(shared_registry().load(r.id), "family", "")) for r in shared_registry().refs("architecture")
        }
        families = sorted(family for family in known if all(family in part.families for part in objective.members))
        assert families
        for family in families:
            model = self.model(tmp_path, family, labels, examples.vocab)
            add_beside(model, objective, examples.rows[0])
            losses = self._learn(self.taught(tmp_path, family, labels, examples.vocab), model, examples)
            assert losses[-1] < 0.9 * losses[0], family

    def _learn(self, objective: Objective, model: Any, examples: Examples) -> list[float]:
        import torch

        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        losses = []
        for _ in range(30):
            batch = objective.collate(examples, np.random.default_rng(3))
            loss, metrics = objective.loss(model, batch)
            assert loss.ndim == 0
            assert all(isinstance(value, float) for value in metrics.values())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        return losses


class TuningConformance(Conformance):
    """Tests for a tuning method."""

    def prepared(self, folder: Path) -> tuple[Any, torch.nn.Module]:
        """Return a small decoder, and the same prepared by the method."""
        import copy

        import torch

        torch.manual_seed(1)
        architecture = cast("Architecture", small_component(fitting_architecture("decoder"), **SMALL))
        model = architecture.build(VOCAB, small_context(folder, architecture))
        tuning = cast("Tuning", self.component())
        return model, tuning.prepare(copy.deepcopy(model), small_context(folder, tuning))

    def test_something_learns(self, tmp_path: Path) -> None:
        """At least one weight is trained, and no more than the method says."""
        _, prepared = self.prepared(tmp_path)
        assert any(weight.requires_grad for weight in prepared.parameters())

    def test_finish_gives_a_plain_model(self, tmp_path: Path) -> None:
        """What comes out has the architecture that went in; untouched, it computes the same."""
        import torch

        model, prepared = self.prepared(tmp_path)
        finished = cast("Tuning", self.component()).finish(prepared)
        assert type(finished) is type(model)
        assert finished.state_dict().keys() == model.state_dict().keys()
        ids = torch.arange(6, 22)[None]
        with torch.no_grad():
            assert torch.allclose(model.eval()(input_ids=ids).logits, finished.eval()(input_ids=ids).logits, atol=1e-5)
