"""Prefix language modelling: read the beginning of a document from both sides, predict the rest.

Sources: Raffel et al. 2020, section 3.2.1; Dong et al. 2019 (UniLM), sequence-to-sequence masks. For a document x of n
tokens that is cut before token s, the loss is −(1/(n − s)) Σₜ₌ₛⁿ⁻¹ log p(xₜ | x₀ … xₜ₋₁), where x₀ … xₛ₋₁ see each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Field, Objective, model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class Prefix(Objective):
    """Predict the rest of a document from its beginning, which is read from both sides, Raffel et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("prefix-decoder",)
    head: ClassVar = "causal-lm"
    labelled_logits: ClassVar = True

    prefix_share: float = Field(0.5, gt=0, lt=1, description="mean share of a document that is read, not predicted")

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with `prefix_mask` bool[B, T] and `labels`: the tokens behind each document's prefix.

        Where a document is cut is drawn evenly about the wanted share; a document of one token has no labels.
        """
        import torch

        batch = stack(examples.rows)
        ids, segments = batch["input_ids"], batch["segment_ids"]
        prefix = np.zeros(ids.shape, dtype=bool)
        labels = np.full_like(ids, IGNORED)
        for row, segments_t in enumerate(segments):
            for start, end in _stretches(segments_t):
                cut = start + self.cut(end - start, rng)
                prefix[row, start:cut] = True
                labels[row, cut - 1 : end - 1] = ids[row, cut:end]
        return {
            name: torch.from_numpy(array) for name, array in {**batch, "labels": labels, "prefix_mask": prefix}.items()
        }

    def cut(self, length: int, rng: np.random.Generator) -> int:
        """Return how many of `length` tokens are read: at least one, and all but one at most where there are two."""
        low, high = max(0.0, 2 * self.prefix_share - 1), min(1.0, 2 * self.prefix_share)
        return max(1, min(length - 1, round(length * rng.uniform(low, high))))

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per predicted token, and the accuracy."""
        return token_loss(model, model_inputs(model, batch), batch["labels"])


def _stretches(segments_t: np.ndarray) -> list[tuple[int, int]]:
    starts = np.flatnonzero(np.diff(segments_t, prepend=-1))
    ends = [*starts[1:], len(segments_t)]
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True) if segments_t[start] > 0]
