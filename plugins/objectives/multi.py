"""Several objectives at once: the weighted sum of their losses, L = Σᵢ wᵢ · Lᵢ, each on what it makes of the batch.

Source: Devlin et al. 2019, section 3.1, whose two tasks are `masked` and `next-sentence`, each of weight 1. Any objectives
with a head in common can be put together: each reads the batch in its own way and goes through the model by itself. With
`one_pass` one of them lays down the rows, the others set their tasks in these, and all losses come of one forward pass: as in
the original, where tokens are hidden in the pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import model_validator
from workbench_plugins.objectives.seen import Seen

from workbench.api import NEURAL, Field, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch

    from workbench.api import Examples

PRETRAINING = {"masked-lm": "prediction_logits", "sequence-classification": "seq_relationship_logits"}


class Multi(Objective):
    """Learn several objectives at once, by the weighted sum of their losses.

    Where a batch is worked on in pieces (`accumulate`, several processes), a piece weighs as much as its labels of the first
    part; the losses of the other parts are then those of the whole batch as far as their labels are spread alike.
    """

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL

    objectives: tuple[Objective, ...] = Field(min_length=2, description="what is learned")
    weights: tuple[float, ...] | None = Field(None, description="of each loss; default: 1 each")
    one_pass: bool = Field(
        False, description="one part lays down the rows, the others hide tokens in them: one forward pass for all"
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.objectives):
            raise ValueError(f"{len(self.weights)} weights for {len(self.objectives)} objectives")
        if any(part.data != "tokens" for part in self.objectives):
            raise ValueError("only objectives on packed tokens can be put together")
        if any(part.needs_teacher for part in self.objectives):
            raise ValueError(
                "an objective with a teacher cannot be put together with others; put it around one of them"
            )
        heads = sorted({part.head for part in self.objectives})
        if len(heads) > 1 and set(heads) != set(PRETRAINING):
            raise ValueError(f"objectives with the heads {' and '.join(heads)} cannot share a model")
        if self.one_pass and sum(not part.rereads for part in self.objectives) != 1:
            names = " and ".join(str(part.component_id or type(part).__name__) for part in self.objectives)
            raise ValueError(
                f"in one pass exactly one part lays down the rows and the others, such as objective/masked, set their "
                f"tasks in them; {names} cannot share one"
            )
        return self

    @property
    def members(self) -> tuple[Objective, ...]:
        """The objectives that all have to fit a model."""
        return self.objectives

    @property
    def head(self) -> Any:  # type: ignore[override]  # it follows from the parts
        """The head that all parts share; `pretraining` has one for tokens and one for pairs."""
        heads = {part.head for part in self.objectives}
        return heads.pop() if len(heads) == 1 else "pretraining"

    @property
    def num_marks(self) -> int:
        """As many as the part that needs most; parts share them."""
        return max(part.num_marks for part in self.objectives)

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the batches of all parts, their names behind `0/`, `1/`, …, and the first one's `labels`.

        In one pass all parts have the same tensors but for their labels.
        """
        if self.one_pass:
            return self._one_batch(examples, rng)
        batches = [part.collate(examples, rng) for part in self.objectives]
        named = {f"{part}/{name}": value for part, batch in enumerate(batches) for name, value in batch.items()}
        return {**named, "labels": batches[0]["labels"]}

    def _one_batch(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        first = next(number for number, part in enumerate(self.objectives) if not part.rereads)
        batch = self.objectives[first].collate(examples, rng)
        labels = {first: batch["labels"]}
        for number, part in enumerate(self.objectives):
            if part.rereads:
                batch = part.reread(batch, examples.vocab, rng)
                labels[number] = batch["labels"]
        named = {f"{number}/labels": value for number, value in labels.items()}
        return {**batch, **named, "labels": labels[0]}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the weighted sum, each loss and its metrics under the part's name."""
        total: Any = 0.0
        output: Any = None
        metrics: dict[str, float] = {}
        for number, part in enumerate(self.objectives):
            shared = {name: value for name, value in batch.items() if self.one_pass and "/" not in name}
            own = {name.partition("/")[2]: value for name, value in batch.items() if name.startswith(f"{number}/")}
            is_seen = self.one_pass or self.head == "pretraining"
            seen: Any = Seen(model, PRETRAINING.get(part.head, "logits"), output) if is_seen else model
            loss, found = part.loss(seen, {**shared, **own})
            output = seen.output if self.one_pass else None
            total = total + (1.0 if self.weights is None else self.weights[number]) * loss
            name = part.component_id.partition("/")[2] if part.component_id else str(number)
            metrics |= {f"{name} loss": loss.item(), **{f"{name} {key}": value for key, value in found.items()}}
        return total, metrics
