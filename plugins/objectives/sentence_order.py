"""Sentence order prediction: tell whether two stretches of a document stand in their order or were swapped.

Source: Lan et al. 2020 (ALBERT), section 3.1. With y the truth, the loss is −(1/B) Σ log p(y | [CLS] A [SEP] B [SEP]).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.pairs import halves, lay_pairs, tensors
from workbench_plugins.objectives.rows import IGNORED

from workbench.api import Field, Objective, logits_loss, model_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples

NOTHING = np.array([], dtype=np.int64)


class SentenceOrder(Objective):
    """Tell whether two stretches of a document were swapped, Lan et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder", "permutation")
    head: ClassVar = "sequence-classification"
    labelled_logits: ClassVar = True
    classes: ClassVar = ("in order", "swapped")

    swapped_share: float = Field(0.5, gt=0, lt=1, description="share of the pairs that are swapped")

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return one row for each document of four tokens or more, and `labels` int64[B].

        A batch without such a document has one empty row without a label.
        """
        found = list(halves(examples, rng))
        labels = (rng.random(len(found)) < self.swapped_share).astype(np.int64)
        pairs = [(b, a) if swapped else (a, b) for (a, b), swapped in zip(found, labels, strict=True)]
        if not pairs:
            pairs, labels = [(NOTHING, NOTHING)], np.array([IGNORED])
        return tensors({**lay_pairs(pairs, examples.vocab), "labels": labels})

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per pair, and the accuracy."""
        return logits_loss(model(**model_inputs(model, batch)).logits, batch["labels"])
