"""`train/pretrain`: a new model, trained on packed tokens; a static one fitted on tokens or on documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import DigestFile, Field
from workbench.contracts.context import Context
from workbench.contracts.model import AnyArchitecture, Architecture, Mismatch
from workbench.contracts.ports import Port, with_article
from workbench.contracts.static import StaticArchitecture
from workbench.contracts.step import Facts
from workbench.training.data import PackedRows, part_names
from workbench.training.fitting import head_fits, objective_fits, objective_given, takes
from workbench.training.models import with_head
from workbench.training.static import fit_static
from workbench.training.teaching import TEACHER, teacher_digests, teacher_fits
from workbench.training.training_step import Material, TrainingStep, sizes

ALWAYS = ("architecture", "objective", "checkpoint_seconds")  # all other settings are those of the training loop


class Pretrain(TrainingStep):
    """Train a new model of `architecture` on tokens, from weights drawn with the pipeline's seed.

    A static architecture (n-grams, word vectors, a linear model) is fitted by its own method: it takes an objective
    only where it has a choice, and no optimizer, budget or batch.
    """

    inputs: ClassVar[Mapping[str, Port]] = {
        "tokens": Port("tokens", optional=True, whole=True, about="what to learn from"),
        "corpus": Port(
            "corpus", optional=True, whole=True, about="documents, for a static architecture that reads text"
        ),
        "teacher": TEACHER,
    }

    architecture: AnyArchitecture = Field(description="what the model looks like inside")

    def facts(self, inputs: Mapping[str, Facts]) -> Facts:
        """Say the family of the model and its head."""
        del inputs
        head = self.objective.head if self.objective is not None else self.architecture.head
        return {"family": self.architecture.family, "head": head}

    def mismatches(self, inputs: Mapping[str, Facts]) -> list[Mismatch]:
        """Return whether the objective goes with the architecture, and both with the input and the settings."""
        found = [
            objective_given(self.architecture, self.objective),
            *self._ports(inputs),
            *self._idle_settings(),
            teacher_fits(self.objective, inputs),
        ]
        if self.objective is None or found[0]:
            return [mismatch for mismatch in found if mismatch]
        owner = str(self.architecture.component_id)
        fits = [
            takes(self.objective, "tokens"),
            self.order_fits("tokens"),
            objective_fits(self.objective, self.architecture.family, owner),
        ]
        if not any(fits):
            fits.append(head_fits(self.objective, self.architecture.head, owner, self._more_heads()))
        return [mismatch for mismatch in (*found, *fits) if mismatch]

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return the digests of files that the architecture or the objective reads."""
        chosen = [part for part in (self.architecture, self.objective) if part is not None]
        found = {name: value for part in chosen for name, value in part.digests(base, digest).items()}
        return {**found, **teacher_digests(self.objective, base, digest)}

    def _ports(self, inputs: Mapping[str, Facts]) -> Iterator[Mismatch]:
        data = self.architecture.data if isinstance(self.architecture, StaticArchitecture) else "tokens"
        wanted, other = ("tokens", "corpus") if data == "tokens" else ("corpus", "tokens")
        if wanted not in inputs:
            message = f"{self.architecture.component_id} needs the input {wanted!r} ({with_article(wanted)})"
            yield Mismatch(("inputs",), message)
        if other in inputs:
            message = f"{self.architecture.component_id} learns from {wanted}; the input {other!r} is not read"
            yield Mismatch(("inputs", other), message)

    def _idle_settings(self) -> Iterator[Mismatch]:
        if not isinstance(self.architecture, StaticArchitecture):
            return
        for name, field in type(self).model_fields.items():
            if name not in ALWAYS and getattr(self, name) != field.default:
                message = f"{self.architecture.component_id} is not trained step by step, so {name!r} means nothing"
                yield Mismatch((name,), f"{message}; leave it out")

    def run(self, ctx: Context) -> None:
        """Build the model, train it, write it."""
        if isinstance(self.architecture, StaticArchitecture):
            fit_static(self.architecture, self.objective, ctx)
            return
        import torch

        assert isinstance(self.architecture, Architecture)
        material = self._material(ctx.inputs["tokens"])
        torch.manual_seed(int(ctx.rng_for("weights").integers(1 << 63)))
        model = self.architecture.build(material.vocab, ctx)
        if self.learned.head != self.architecture.head:
            model = with_head(model, self.learned.head, material.labels)
        self.add_beside(model, material)
        facts = {"family": self.architecture.family, "tuning": None, **sizes(model)}
        curve = self.fit(model, None, material, ctx)
        self.write(model, curve, material, facts, ctx)

    def _more_heads(self) -> tuple[str, ...]:
        return self.architecture.more_heads if isinstance(self.architecture, Architecture) else ()

    def _material(self, tokens: Tokens) -> Material:
        part, valid_part = part_names(tokens)
        assert part is not None
        valid = PackedRows(tokens, valid_part) if valid_part else None
        vocab = tokens.tokenizer.vocab(tokens.context, self.learned.num_marks)
        labels = self.learned.classes or None
        return Material(tokens, part, self.rows(tokens, part), valid, tokens.tokenizer, vocab, labels)
