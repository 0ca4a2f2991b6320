"""A model made ready to be judged: loaded on its device, not learning, giving the same numbers again.

Scores are measured in float32, also where training runs in bfloat16: they must not depend on the machine. (In
bfloat16 the perplexity of a small Llama differed in the fifth digit: 303.235 for 303.228.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.api import choose_device, encode_text, load_model, model_inputs, pad_rows, repeatable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from workbench.api import Context, Model

LOGITS_AT_ONCE = 2**25  # 128 MiB in float32


@dataclass(frozen=True)
class Network:
    """A model in evaluation mode with its tokenizer and device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    device: torch.device

    @property
    def context(self) -> int:
        """The longest row the model knows positions for."""
        return int(self.model.config.max_position_embeddings)

    @property
    def vocab_size(self) -> int:
        """How many tokens the model chooses from."""
        return int(self.model.config.vocab_size)

    def document(self, text: str) -> list[int]:
        """Return the ids of a whole document as `tokens/pack` lays it down: the text and its end, nothing before."""
        ids = encode_text(self.tokenizer, text)
        return ids[1:] if ids[:1] == [self.tokenizer.cls_token_id] else ids

    def logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return what the head says of a few rows of token ids, one document each, in float32."""
        pad = self.model.config.pad_token_id
        batch = {name: tensor.to(self.device) for name, tensor in pad_rows(rows, pad).items()}
        return self.model(**model_inputs(self.model, batch)).logits.float()  # type: ignore[no-any-return]


@contextmanager
def opened(model: Model, ctx: Context) -> Iterator[Network]:
    """Give the model ready for use; gradients are off, and operations have a fixed order."""
    import torch

    device = choose_device(ctx.device)
    network = load_model(model, device=device).eval()
    with repeatable(device, ctx.threads), torch.inference_mode():
        yield Network(network, model.tokenizer.load(), device)


def batches_by_length(lengths: Sequence[int], logits_per_token: int) -> Iterator[list[int]]:
    """Yield the numbers of rows that go through the model together: of like length, long ones first.

    A batch holds at most `LOGITS_AT_ONCE` logits, and one row at least.

    >>> list(batches_by_length([3, 9, 9, 2], 2**25 // 16))
    [[1], [2], [0, 3]]
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        longest = lengths[batch[0]] if batch else lengths[number]
        if batch and (len(batch) + 1) * longest * logits_per_token > LOGITS_AT_ONCE:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
