"""A model made ready to be judged: loaded on its device, not learning, giving the same numbers again.

Scores are measured in float32, also where training runs in bfloat16: they must not depend on the machine. (In
bfloat16 the perplexity of a small Llama differed in the fifth digit: 303.235 for 303.228.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.api import StepError, choose_device, load_model, repeatable, row_logits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from workbench.api import Context, Model


@dataclass(frozen=True)
class Network:
    """A model in evaluation mode with its tokenizer and device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    device: torch.device

    def longest_row(self, artifact: Model, length: int | None) -> int:
        """Return how many tokens are read of a text: `length`, else what `artifact` was trained with, if it can.

        Raises `StepError` for a model that has no length it was made for.
        """
        known = getattr(self.model.config, "max_position_embeddings", None) or 0  # XLNet says -1
        wanted = length or artifact.card.get("context") or known
        if wanted <= 0:
            raise StepError(
                "it is not known how many tokens this model reads",
                where=artifact.step or str(artifact.path),
                advice="set max_length",
            )
        return min(wanted, known) if known > 0 else int(wanted)

    def logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return what the head says of a few rows of token ids, one document each, in float32."""
        return row_logits(self.model, rows, self.device)


@contextmanager
def opened(model: Model, ctx: Context) -> Iterator[Network]:
    """Give the model ready for use; gradients are off, and operations have a fixed order."""
    import torch

    device = choose_device(ctx.device)
    network = load_model(model, device=device).eval()
    with repeatable(device, ctx.threads), torch.inference_mode():
        yield Network(network, model.tokenizer.load(), device)
