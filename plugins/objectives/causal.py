"""Causal language modelling: predict each token of a document from those before it.

Special here: rows are packed with several documents, and the first token of a document has no label, so nothing is
ever predicted from the document before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Objective, model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class Causal(Objective):
    """Predict the next token of the same document, Radford et al. 2018."""

    version: ClassVar[int] = 1
    families: ClassVar = ("decoder",)
    head: ClassVar = "causal-lm"
    labelled_logits: ClassVar = True

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with `labels`: at each position the token that follows, where it is of the same document."""
        import torch

        batch = stack(examples.rows)
        ids, segments = batch["input_ids"], batch["segment_ids"]
        labels = np.full_like(ids, IGNORED)
        same = (segments[:, 1:] == segments[:, :-1]) & (segments[:, 1:] > 0)
        labels[:, :-1] = np.where(same, ids[:, 1:], IGNORED)
        return {name: torch.from_numpy(array) for name, array in {**batch, "labels": labels}.items()}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per predicted token, and the accuracy."""
        return token_loss(model, model_inputs(model, batch), batch["labels"])
