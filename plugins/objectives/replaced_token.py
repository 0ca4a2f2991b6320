"""Replaced token detection: tell for every token whether it stood in the text or was put in.

Source: Clark et al. 2020 (ELECTRA), equation for the discriminator, −(1/n) Σₜ log p(yₜ | x̃), with yₜ whether x̃ₜ ≠ xₜ.
Replacements are drawn from the tokens of the batch as often as they occur there, which is the unigram generator of the
paper's comparison (section 3.2 and appendix F); no second network is trained beside the one that is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.masked import special_ids
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Field, Objective, logits_loss, model_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class ReplacedToken(Objective):
    """Tell tokens that were put in from those that stood in the text, Clark et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder",)
    head: ClassVar = "token-classification"
    labelled_logits: ClassVar = True
    classes: ClassVar = ("original", "replaced")

    probability: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is replaced")

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with tokens replaced, and `labels` int64[B, T]: 1 where another token stands now, else 0.

        Special tokens are never replaced and have no label. A replacement that happens to be the token itself counts
        as original, as in the paper.
        """
        import torch

        batch = stack(examples.rows)
        ids = batch["input_ids"]
        ordinary = ~np.isin(ids, special_ids(examples.vocab)) & (batch["segment_ids"] > 0)
        pool = ids[ordinary]
        if not len(pool):
            pool = ids.ravel()
        drawn = pool[rng.integers(0, len(pool), ids.shape)]
        chosen = ordinary & (rng.random(ids.shape) < self.probability)
        read = np.where(chosen, drawn, ids)
        labels = np.where(ordinary, (read != ids).astype(np.int64), IGNORED)
        arrays = {**batch, "input_ids": read, "labels": labels}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per token, the accuracy, and the share of replaced tokens found."""
        logits_btc = model(**model_inputs(model, batch)).logits
        loss, metrics = logits_loss(logits_btc, batch["labels"])
        replaced_bt = batch["labels"] == 1
        found = (logits_btc.detach().argmax(-1)[replaced_bt] == 1).float().mean().item() if replaced_bt.any() else 0.0
        return loss, {**metrics, "recall": found}
