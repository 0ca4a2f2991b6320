"""Language models on one footing: how likely a text is, and how it goes on, whether the model is neural or static.

Special here: the first token of a document counts as one out of the whole vocabulary where a model has nothing before
it (every neural one). Documents longer than a neural model's context are read in windows that overlap by half, so that
every later token has at least half a context before it. Scores are measured in float32, also where training runs in
bfloat16, and do not depend on which rows are scored together beyond the last digits.

Shape suffixes: B rows, T tokens of a row, V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.artifacts.tokenizer import encode_text
from workbench.contracts.static import StaticLanguageModel
from workbench.training.masks import model_inputs
from workbench.training.padding import pad_rows
from workbench.training.writing import Writing, write_static

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


Floats = np.ndarray[Any, np.dtype[np.float64]]
Progress = Callable[[int, int], None]
UNLIMITED = 1024  # tokens read at once where a model has no limit of its own and no card
LOGITS_AT_ONCE = 2**25  # 128 MiB in float32


def silent(_done: int, _total: int) -> None:
    """Report nothing."""


class LanguageModel(ABC):
    """A model with a causal head, ready to be asked; see `writers.open_language_model`.

    Attributes:
        tokenizer: Its tokenizer.
        vocab_size: How many tokens it chooses from.
        context: The longest row it knows positions for; None for a model that has no such limit.
    """

    tokenizer: PreTrainedTokenizerFast
    vocab_size: int
    context: int | None

    def documents(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of whole documents as `tokens/pack` lays them down: the text and its end, nothing before."""
        if not texts:
            return []
        end = encode_text(self.tokenizer, "")[-1:]
        fast = self.tokenizer.backend_tokenizer
        fast.encode_special_tokens = True  # spelled out in a text they are characters, see `encode_text`
        return [found.ids + end for found in fast.encode_batch_fast(list(texts), add_special_tokens=False)]

    @abstractmethod
    def score(
        self, rows: Sequence[Sequence[int]], context: int | None = None, progress: Progress = silent
    ) -> list[Floats]:
        """Return for each document float64[T]: the log-probability, in nats, of each token given those before it.

        Args:
            rows: Token ids, one document each, of any length.
            context: Tokens read at once, if fewer than the model knows; at least 2.
            progress: Told how much is done of how much.
        """

    @abstractmethod
    def write(self, rows: Sequence[Sequence[int]], how: Writing, rng: np.random.Generator) -> list[list[int]]:
        """Return how each row goes on, without the row and without the end token."""


class StaticLanguage(LanguageModel):
    """An n-gram model, or another static one. Reads a document as it is."""

    context = None

    def __init__(self, model: StaticLanguageModel, tokenizer: PreTrainedTokenizerFast) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.vocab_size = model.vocab_size

    def score(
        self, rows: Sequence[Sequence[int]], context: int | None = None, progress: Progress = silent
    ) -> list[Floats]:
        """Return the log-probabilities; `context` shortens nothing, as there is no window."""
        found = []
        for number, row in enumerate(rows, 1):
            found.append(self.model.score(row))
            progress(number, len(rows))
        return found

    def write(self, rows: Sequence[Sequence[int]], how: Writing, rng: np.random.Generator) -> list[list[int]]:
        """Return how each row goes on."""
        return [write_static(self.model, row, how, self.tokenizer.eos_token_id, rng) for row in rows]


@dataclass(frozen=True)
class Window:
    """A stretch of one document that goes through the model at once.

    Attributes:
        document: Number of the document.
        start: Where the stretch begins in it.
        ids: Its tokens.
        first: The first of them that is scored; those before it only give context.
    """

    document: int
    start: int
    ids: Sequence[int]
    first: int


class NeuralLanguage(LanguageModel):
    """A transformers model with a causal head."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        device: torch.device,
        context: int | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.device = device
        self.vocab_size = int(model.config.vocab_size)
        self.context = context or longest_row(model.config)

    def score(
        self, rows: Sequence[Sequence[int]], context: int | None = None, progress: Progress = silent
    ) -> list[Floats]:
        """Return the log-probabilities, windows of like length going through the model together."""
        length = min(context or int(self.context or 0), int(self.context or 0))
        cuts = [window for number, row in enumerate(rows) for window in windows(number, row, length)]
        found = [np.full(len(row), -log(self.vocab_size)) for row in rows]
        done = 0
        for batch in batches_by_length([len(cut.ids) for cut in cuts], self.vocab_size):
            chosen = [cuts[number] for number in batch]
            for window, scores_t in zip(chosen, self._score_windows(chosen), strict=True):
                begin = window.start + window.first
                found[window.document][begin : begin + len(scores_t)] = scores_t
            done += len(batch)
            progress(done, len(cuts))
        return found

    def logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return what the head says of a few rows of token ids, one document each, in float32."""
        return row_logits(self.model, rows, self.device)

    def _score_windows(self, batch: Sequence[Window]) -> list[Floats]:
        import torch
        from torch.nn.functional import cross_entropy

        logits_btv = self.logits([window.ids for window in batch])
        scores = []
        for window, logits_tv in zip(batch, logits_btv, strict=True):
            targets_t = torch.tensor(list(window.ids[window.first :]), device=logits_tv.device)
            before_tv = logits_tv[window.first - 1 : len(window.ids) - 1]
            nats_t = cross_entropy(before_tv, targets_t, reduction="none").double()
            scores.append(-nats_t.cpu().numpy())
        return scores

    def write(self, rows: Sequence[Sequence[int]], how: Writing, rng: np.random.Generator) -> list[list[int]]:
        """Return how each row goes on; all go through the model together, padded on the left."""
        import torch

        limit = int(self.context or 0)
        kept = [list(row)[-max(1, limit - how.max_tokens) :] for row in rows]
        longest = max(map(len, kept))
        pad, end = self.model.config.pad_token_id, self.tokenizer.eos_token_id
        ids_bt = torch.tensor([[pad] * (longest - len(row)) + row for row in kept], device=self.device)
        mask_bt = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in kept], device=self.device)
        with torch.random.fork_rng():
            torch.manual_seed(int(rng.integers(2**62)))
            written = self.model.generate(
                ids_bt,
                attention_mask=mask_bt,
                max_new_tokens=min(how.max_tokens, limit - 1),
                do_sample=how.samples,
                num_beams=how.beams,
                pad_token_id=pad,
                **({"temperature": how.temperature, "top_p": how.top_p, "top_k": how.top_k} if how.samples else {}),
            )
        found = [row[longest:].tolist() for row in written]
        return [row[: row.index(end)] if end in row else row for row in found]


def longest_row(config: Any) -> int:
    """Return how many tokens a transformers model knows positions for.

    Models that only know distances say nothing, or the length they were made for under a name of their own.
    """
    known = getattr(config, "max_position_embeddings", None) or getattr(config, "max_seq_len", None) or 0
    return int(known) if known > 0 else UNLIMITED


def row_logits(model: PreTrainedModel, rows: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    """Return what the head of `model` says of a few rows of token ids, one document each, in float32."""
    pad = model.config.pad_token_id
    batch = {name: tensor.to(device) for name, tensor in pad_rows(rows, pad).items()}
    return model(**model_inputs(model, batch)).logits.float()  # type: ignore[no-any-return]


def windows(document: int, ids: Sequence[int], length: int) -> list[Window]:
    """Return the stretches of a document, each at most `length` tokens, in which every token but the first is scored.

    >>> [(window.start, list(window.ids), window.first) for window in windows(0, range(7), 4)]
    [(0, [0, 1, 2, 3], 1), (2, [2, 3, 4, 5], 2), (4, [4, 5, 6], 2)]
    """
    stride = length // 2
    starts = range(stride, max(0, len(ids) - length) + stride, stride)
    later = [Window(document, start, ids[start : start + length], length - stride) for start in starts]
    return [window for window in (Window(document, 0, ids[:length], 1), *later) if len(window.ids) > window.first]


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
