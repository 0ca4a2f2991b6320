"""Next sentence prediction: tell whether the second stretch of text follows the first.

Source: Devlin et al. 2019, section 3.1, task 2. Half of the second stretches are those that really follow, half come
from other documents of the batch. With y the truth, the loss is −(1/B) Σ log p(y | [CLS] A [SEP] B [SEP]).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.pairs import Ints, halves, lay_pairs, tensors
from workbench_plugins.objectives.rows import IGNORED

from workbench.api import Field, Objective, logits_loss, model_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples

NOTHING = np.array([], dtype=np.int64)


class NextSentence(Objective):
    """Tell whether one stretch of text follows another, Devlin et al. 2019."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder", "permutation")
    head: ClassVar = "sequence-classification"
    labelled_logits: ClassVar = True
    classes: ClassVar = ("follows", "is from elsewhere")

    random_share: float = Field(0.5, gt=0, lt=1, description="share of the pairs whose second part is from elsewhere")

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return one row for each document of four tokens or more, and `labels` int64[B].

        A batch without such a document has one empty row without a label.
        """
        pairs, labels = self.pairs(examples, rng)
        return tensors({**lay_pairs(pairs, examples.vocab), "labels": labels})

    def pairs(self, examples: Examples, rng: np.random.Generator) -> tuple[list[tuple[Ints, Ints]], Ints]:
        """Return pairs and whether their second part is from elsewhere; alone in its batch a pair keeps its own."""
        found = list(halves(examples, rng))
        if not found:
            return [(NOTHING, NOTHING)], np.array([IGNORED])
        labels = (rng.random(len(found)) < self.random_share).astype(np.int64) * (len(found) > 1)
        pairs = []
        for number, (first, second) in enumerate(found):
            other = (number + int(rng.integers(1, max(2, len(found))))) % len(found)
            room = examples.vocab.max_length - 3 - len(first)
            pairs.append((first, found[other][1][:room] if labels[number] else second))
        return pairs, labels

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per pair, and the accuracy."""
        return logits_loss(model(**model_inputs(model, batch)).logits, batch["labels"])
