"""A model seen through its output: called once for a batch, whoever asks again gets the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Seen:
    """A model that goes through its forward pass once, for several losses over one batch.

    Attributes:
        output: What the model returned; None until it is called. Given to another view of the model, it stands for its pass.

    Args:
        model: The model.
        logits: What the logits of this view are called in the model's output.
        output: That of a pass that was made already.
    """

    def __init__(self, model: Any, logits: str = "logits", output: Any = None) -> None:
        self._model = model
        self._logits = logits
        self.output: Any = output

    def get_base_model(self) -> Any:
        """Return the model, for what asks it about itself."""
        return self._model

    def get_output_embeddings(self) -> None:
        """Return nothing: logits are wanted, not only a loss worked out of the output layer."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, **inputs: Any) -> Any:
        """Return the model's output; `inputs` are those of the first call."""
        if self.output is None:
            self.output = self._model(**inputs)
        if self._logits != "logits":
            self.output["logits"] = self.output[self._logits]
        return self.output

    @property
    def logits(self) -> torch.Tensor:
        """The logits of the pass that was made."""
        logits: torch.Tensor = self.output.logits
        return logits
