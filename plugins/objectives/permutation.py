"""Permutation language modelling: predict tokens in a random order, each from those that came before it in that order.

Source: Yang et al. 2019, equations 3 and 5: max E_z Σ_{t > c} log p(x_{z_t} | x_{z_≤t−1}), where z is a random order and
only what comes behind a cutting point c is predicted, one token in K. The first c tokens of the order are given: they
see each other, and all others see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.documents import lay_down
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Field, Objective, model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class Permutation(Objective):
    """Predict tokens in a random order from those before them in that order, Yang et al. 2019."""

    version: ClassVar[int] = 1
    families: ClassVar = ("permutation",)
    head: ClassVar = "permutation-lm"
    labelled_logits: ClassVar = True

    one_in: float = Field(6.0, gt=1, description="one token in so many is predicted (K, the last ones of the order)")

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with `order` int64[B, T] (0: given), `target_positions` and `labels`, each int64[B, N].

        A document of one token is given as it is.
        """
        import torch

        batch = stack(examples.rows)
        ids, segments = batch["input_ids"], batch["segment_ids"]
        order = np.zeros_like(ids)
        for row in range(len(ids)):
            for number in np.unique(segments[row][segments[row] > 0]):
                places = np.flatnonzero(segments[row] == number)
                chosen = rng.permutation(places)[: self.num_targets(len(places))]
                order[row, chosen] = np.arange(1, len(chosen) + 1)
        asked = [np.flatnonzero(ranks) for ranks in order]
        targets, _ = lay_down([[places] for places in asked], 0)
        labels, _ = lay_down([[row[places]] for row, places in zip(ids, asked, strict=True)], IGNORED)
        targets[labels == IGNORED] = np.repeat(
            (order == 0).argmax(1), (labels == IGNORED).sum(1)
        )  # a token that is given
        arrays = {**batch, "order": order, "target_positions": targets, "labels": labels}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def num_targets(self, length: int) -> int:
        """Return how many of a document's tokens are predicted: one in K, at least one, and never all of them."""
        return min(max(1, round(length / self.one_in)), length - 1)

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per predicted token, and the accuracy."""
        return token_loss(model, model_inputs(model, batch), batch["labels"])
