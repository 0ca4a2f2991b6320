"""Model: a Hugging Face folder, the card of its training, its curve and its data order.

config.json, model.safetensors, tokenizer.json, …     what transformers loads
training.json       the card: family, head, objective, labels, steps, tokens, losses, parameters, data order
metrics.parquet     number, tokens, loss, learning_rate, gradient_norm, … : nothing that depends on time
batches.json        which examples a step saw: {"seed", "batch_size", "num_examples", "part", "data", "data_type"}
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.artifacts.base import Artifact
from workbench.artifacts.tokenizer import Tokenizer

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Model(Artifact):
    """A trained model on disk."""

    type: ClassVar[str] = "model"

    @cached_property
    def card(self) -> dict[str, Any]:
        """The content of `training.json`."""
        return self.read_json("training.json")

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer the model was trained with."""
        return Tokenizer(self.path, self.fingerprint, step=self.step)

    def metrics(self) -> pl.DataFrame:
        """Return the training curve."""
        import polars as pl

        return pl.read_parquet(self.path / "metrics.parquet")
