"""Reconstruction: write a document out again from the one vector it was pressed into.

Sources: Hinton and Salakhutdinov 2006; with noise on what is read, Vincent et al. 2008. With z the vector of x (or of x
with tokens hidden), the loss over tokens is −(1/n) Σₜ log p(xₜ | z); over embeddings it is the mean squared error
(1/(n·d)) Σₜ ‖sₜ(z) − e(xₜ)‖², where s are the states that are written and e the embeddings, which it leaves as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from workbench_plugins.objectives.masked import special_ids
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Field, Objective, logits_loss, model_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class Reconstruction(Objective):
    """Write a document out again from one vector, Hinton and Salakhutdinov 2006."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder",)
    head: ClassVar = "reconstruction"

    noise: float = Field(0.0, ge=0, lt=1, description="share of the tokens that is hidden from the encoder")
    target: Literal["tokens", "embeddings"] = Field(
        "tokens", description="what is compared: tokens by cross-entropy, or embeddings by squared error"
    )

    @property
    def num_marks(self) -> int:
        """One that hides tokens, for tokenizers without a mask token."""
        return 1

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows, tokens hidden by `noise`, and `labels`: every token as it was."""
        import torch

        vocab = examples.vocab
        batch = stack(examples.rows)
        ids = batch["input_ids"]
        hidden = (rng.random(ids.shape) < self.noise) & ~np.isin(ids, special_ids(vocab))
        mask = vocab.mask if vocab.mask is not None else vocab.mark(0)
        labels = np.where(batch["segment_ids"] > 0, ids, IGNORED)
        arrays = {**batch, "input_ids": np.where(hidden, mask, ids), "labels": labels}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per token or the mean squared error, and the accuracy."""
        network: Any = model
        output = network(**model_inputs(model, batch))
        nats, metrics = logits_loss(output.logits, batch["labels"])
        if self.target == "tokens":
            return nats, metrics
        real_bt = batch["labels"] != IGNORED
        wanted_nd = network.get_input_embeddings()(batch["labels"][real_bt]).detach()
        error = (output.hidden_states[0][real_bt].float() - wanted_nd.float()).square().mean()
        return error, {**metrics, "nats": nats.item()}
