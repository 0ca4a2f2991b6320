"""Several objectives at once: the weighted sum of their losses, L = Σᵢ wᵢ · Lᵢ, each on what it makes of the batch.

Source: Devlin et al. 2019, section 3.1, whose two tasks are `masked` and `next-sentence`, each of weight 1. Here each
task reads the batch in its own way and goes through the model by itself, where the original hides tokens in the pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import model_validator

from workbench.api import NEURAL, Field, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch

    from workbench.api import Examples

PRETRAINING = {"masked-lm": "prediction_logits", "sequence-classification": "seq_relationship_logits"}


class Multi(Objective):
    """Learn several objectives at once, by the weighted sum of their losses."""

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL

    objectives: tuple[Objective, ...] = Field(min_length=2, description="what is learned")
    weights: tuple[float, ...] | None = Field(None, description="of each loss; default: 1 each")

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
        """Return the batches of all parts, their names behind `0/`, `1/`, …, and the first one's `labels`."""
        batches = [part.collate(examples, rng) for part in self.objectives]
        named = {f"{part}/{name}": value for part, batch in enumerate(batches) for name, value in batch.items()}
        return {**named, "labels": batches[0]["labels"]}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the weighted sum, each loss and its metrics under the part's name."""
        total: Any = 0.0
        metrics: dict[str, float] = {}
        for number, part in enumerate(self.objectives):
            own = {name.partition("/")[2]: value for name, value in batch.items() if name.startswith(f"{number}/")}
            seen: Any = _Seen(model, PRETRAINING[part.head]) if self.head == "pretraining" else model
            loss, found = part.loss(seen, own)
            total = total + (1.0 if self.weights is None else self.weights[number]) * loss
            name = part.component_id.partition("/")[2] if part.component_id else str(number)
            metrics |= {f"{name} loss": loss.item(), **{f"{name} {key}": value for key, value in found.items()}}
        return total, metrics


class _Seen:
    """A model with two heads, seen as one that has one of them."""

    def __init__(self, model: Any, output: str) -> None:
        self._model = model
        self._output = output

    def get_base_model(self) -> Any:
        """Return the model, for what asks it about itself."""
        return self._model

    def get_output_embeddings(self) -> None:
        """Return nothing: the head is not alone on its model."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, **inputs: Any) -> Any:
        """Return the model's output with the logits of the one head."""
        output = self._model(**inputs)
        output["logits"] = output[self._output]
        return output
