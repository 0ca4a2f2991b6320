"""`train/tune`: a trained model, trained further: on a task, or on more text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.artifacts.corpus import Corpus
from workbench.artifacts.model import Model
from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import DigestFile, Field
from workbench.contracts.context import Context
from workbench.contracts.model import Mismatch, Objective, Tuning
from workbench.contracts.ports import Port
from workbench.contracts.step import Facts
from workbench.errors import StepError
from workbench.training.data import PackedRows, Records, encode_records, label_frame, of_part, part_names
from workbench.training.fitting import head_fits, objective_fits, takes, tuning_fits
from workbench.training.masks import known_positions
from workbench.training.models import load_model
from workbench.training.settings import Budget, TuningOptimizer
from workbench.training.teaching import TEACHER, teacher_digests, teacher_fits
from workbench.training.training_step import Material, TrainingStep, sizes

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Tune(TrainingStep):
    """Train a model further with a tuning method. The result is a plain model: what was added is merged."""

    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model", about="the model to start from"),
        "data": Port("corpus|tokens", whole=True, about="records of a task, or packed tokens"),
        "teacher": TEACHER,
    }

    tuning: Tuning = Field(description="what of the model learns")
    objective: Objective = Field(description="what is predicted")
    optimizer: TuningOptimizer = Field(TuningOptimizer(), description="how weights are updated")
    budget: Budget = Field(Budget(epochs=3), description="how long: tokens, steps or epochs")
    max_length: int | None = Field(
        None,
        ge=1,
        description="longest record in tokens, longer ones are cut; default: what the model was trained with",
    )

    def facts(self, inputs: Mapping[str, Facts]) -> Facts:
        """Say the family of the model (that of the one it starts from) and its head."""
        return {**inputs.get("model", {}), "head": self.objective.head}

    def mismatches(self, inputs: Mapping[str, Facts]) -> list[Mismatch]:
        """Return what does not go together: objective and data, objective or tuning and the model's family or head."""
        data = inputs.get("data", {}).get("data", "records")
        found = [takes(self.objective, data), self.order_fits(data), teacher_fits(self.objective, inputs)]
        model = inputs.get("model", {})
        if model.get("family") == "static":
            return [mismatch for mismatch in (tuning_fits(self.tuning, "static", "the model"),) if mismatch]
        if "family" in model:
            found.append(objective_fits(self.objective, model["family"], "the model"))
            found.append(tuning_fits(self.tuning, model["family"], "the model"))
        if "head" in model and not any(found):
            found.append(head_fits(self.objective, model["head"], "the model"))
        return [mismatch for mismatch in found if mismatch]

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return the digests of files that the objective reads."""
        return {**self.objective.digests(base, digest), **teacher_digests(self.objective, base, digest)}

    def run(self, ctx: Context) -> None:
        """Load the model, prepare it, train it, merge what was added, write it."""
        import torch

        source: Model = ctx.inputs["model"]
        material = self._material(source, ctx)
        torch.manual_seed(int(ctx.rng_for("weights").integers(1 << 63)))
        model = self._start(source, material)
        prepared = self.tuning.prepare(model, ctx)
        self.add_beside(prepared, material)
        trained = sizes(prepared)["trained_parameters"]
        curve = self.fit(prepared, self.tuning, material, ctx)
        finished = self.tuning.finish(prepared)
        facts = {
            "family": source.card["family"],
            "tuning": self.tuning.component_id,
            "parameters": sizes(finished)["parameters"],
            "trained_parameters": trained,
        }
        self.write(finished, curve, material, facts, ctx)

    def _start(self, source: Model, material: Material) -> PreTrainedModel:
        model = load_model(source, self.objective.head, material.labels)
        longest = known_positions(model)
        if longest is not None and material.vocab.max_length > longest:
            raise StepError(
                f"rows of {material.vocab.max_length} tokens, but the model knows {longest} positions",
                where=source.step or str(source.path),
                expected=f"max_length (or the context of the tokens) of at most {longest}",
            )
        return model

    def _material(self, source: Model, ctx: Context) -> Material:
        data: Corpus | Tokens = ctx.inputs["data"]
        return self._of_tokens(source, data) if isinstance(data, Tokens) else self._of_records(source, data, ctx)

    def _of_tokens(self, source: Model, tokens: Tokens) -> Material:
        mine, theirs = ((artifact.path / "tokenizer.json").read_bytes() for artifact in (source, tokens))
        if mine != theirs:
            raise StepError(
                "the tokens were made by another tokenizer than the model's",
                where=tokens.step,
                advice="pack the corpus with the tokenizer step that the model was trained with",
            )
        part, valid_part = part_names(tokens)
        assert part is not None
        valid = PackedRows(tokens, valid_part) if valid_part else None
        vocab = source.tokenizer.vocab(tokens.context, source.card.get("marks", 0))
        labels = self.objective.classes or None
        return Material(tokens, part, self.rows(tokens, part), valid, source.tokenizer, vocab, labels)

    def _of_records(self, source: Model, corpus: Corpus, ctx: Context) -> Material:
        part, valid_part = part_names(corpus)
        if not of_part(corpus, part).num_rows:
            raise StepError("there are no records to train on", where=corpus.step or ctx.step)
        labels = self.objective.labels(label_frame(of_part(corpus, part)))
        tokenizer = source.tokenizer.load()
        length = self.max_length or int(source.card["context"])

        def encoded(name: str | None) -> Records:
            return encode_records(of_part(corpus, name), self.objective, tokenizer, labels, length, ctx)

        valid = encoded(valid_part) if valid_part else None
        vocab = source.tokenizer.vocab(length, source.card.get("marks", 0))
        return Material(corpus, part, encoded(part), valid, source.tokenizer, vocab, labels)
