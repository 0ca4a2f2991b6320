"""`train/pretrain`: a new model, trained on packed tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import Field
from workbench.contracts.context import Context
from workbench.contracts.model import Architecture, Mismatch
from workbench.contracts.ports import Port
from workbench.contracts.step import Facts
from workbench.training.data import PackedRows, part_names
from workbench.training.fitting import head_fits, objective_fits, takes
from workbench.training.training_step import Material, TrainingStep, sizes


class Pretrain(TrainingStep):
    """Train a new model of `architecture` on tokens, from weights drawn with the pipeline's seed."""

    inputs: ClassVar[Mapping[str, Port]] = {"tokens": Port("tokens", whole=True, about="what to learn from")}

    architecture: Architecture = Field(description="what the model looks like inside")

    def facts(self, inputs: Mapping[str, Facts]) -> Facts:
        """Say the family of the model and its head."""
        del inputs
        return {"family": self.architecture.family, "head": self.objective.head}

    def mismatches(self, inputs: Mapping[str, Facts]) -> list[Mismatch]:
        """Return whether the objective goes with the architecture and with tokens."""
        del inputs
        found = [
            takes(self.objective, "tokens"),
            objective_fits(self.objective, self.architecture.family, str(self.architecture.component_id)),
        ]
        if not any(found):
            found.append(head_fits(self.objective, self.architecture.head, str(self.architecture.component_id)))
        return [mismatch for mismatch in found if mismatch]

    def run(self, ctx: Context) -> None:
        """Build the model, train it, write it."""
        import torch

        material = self._material(ctx.inputs["tokens"])
        torch.manual_seed(int(ctx.rng_for("weights").integers(1 << 63)))
        model = self.architecture.build(material.vocab, ctx)
        facts = {"family": self.architecture.family, "tuning": None, **sizes(model)}
        curve = self.fit(model, None, material, ctx)
        self.write(model, curve, material, facts, ctx)

    @staticmethod
    def _material(tokens: Tokens) -> Material:
        part, valid_part = part_names(tokens)
        assert part is not None
        valid = PackedRows(tokens, valid_part) if valid_part else None
        vocab = tokens.tokenizer.vocab(tokens.context)
        return Material(tokens, part, PackedRows(tokens, part), valid, tokens.tokenizer, vocab)
