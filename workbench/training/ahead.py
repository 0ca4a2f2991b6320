"""The batches of a step, made in a thread while the step before is worked on.

What a batch holds depends on (seed, step) alone, so it is the same whenever it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.contracts import model as contract
from workbench.contracts.context import Context
from workbench.training.batching import Batching, lengths_of
from workbench.training.data import Examples, Indices
from workbench.training.group import Group
from workbench.training.job import Job

if TYPE_CHECKING:
    import torch

    Batch = dict[str, torch.Tensor]

Counts = tuple[int, int]  # labels (rows where there are no labels at all), rows
IGNORED = -100  # the label of a position that is not predicted, PyTorch's own


@dataclass(frozen=True)
class Share:
    """What one process works on in one step.

    Attributes:
        numbers: The examples of the whole batch, of all processes.
        num_tokens: Their tokens.
        batches: This process's rows of every micro-batch.
        weights: What each of them weighs in the loss of the whole batch: its share of the `labels`. Labels of another name
            (`encoder_labels`, those of the further parts of `objective/multi`) are weighed by these too, so what pieces
            and processes add up to is their loss over the whole batch as far as both kinds are spread alike.
    """

    numbers: Indices
    num_tokens: int
    batches: list[Batch]
    weights: list[float]


class Shares:
    """The shares of every step, the next one made ahead.

    Args:
        job: What is trained.
        ctx: Gives seed and generators.
        group: The processes.
    """

    def __init__(self, job: Job, ctx: Context, group: Group) -> None:
        self._job = job
        self._ctx = ctx
        self._group = group
        self._batching = Batching.of(job.order, ctx.seed, job.batch_size, job.train)
        self._lengths = lengths_of(job.order, job.train)
        self._thread = ThreadPoolExecutor(1, "workbench-batches")
        self._next: tuple[int, Future[Share]] | None = None

    def take(self, step: int) -> Share:
        """Return the share of a step, and begin to make that of the next."""
        waiting = self._next
        self._next = None
        share = waiting[1].result() if waiting and waiting[0] == step else self.make(step)
        if step < self._job.num_steps:
            self._next = (step + 1, self._thread.submit(self.make, step + 1))
        return share

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def numbers(self, step: int) -> Indices:
        """Return the examples of a step."""
        return self._batching.numbers(step, self._lengths)

    def make(self, step: int) -> Share:
        """Return the share of a step."""
        numbers = np.asarray(self.numbers(step))
        pieces = np.array_split(numbers, min(self._job.accumulate, len(numbers)))
        purposes = [f"batch {step}/{part}" for part in range(len(pieces))]
        batches, weights = self._shares(self._job.train, pieces, purposes)
        return Share(numbers, self._job.train.num_tokens(numbers), batches, weights)

    def of_valid(self) -> Share:
        """Return the share of the first `eval_rows` examples of the valid part, the same ones each time."""
        examples = self._job.valid
        assert examples is not None
        numbers = np.arange(min(self._job.eval_rows, len(examples)))
        size = max(1, self._job.batch_size // self._job.accumulate)
        pieces = np.array_split(numbers, -(-len(numbers) // size))
        batches, weights = self._shares(examples, pieces, [f"valid {part}" for part in range(len(pieces))])
        return Share(numbers, examples.num_tokens(numbers), batches, weights)

    def _shares(
        self, examples: Examples, pieces: Sequence[Indices], purposes: Sequence[str]
    ) -> tuple[list[Batch], list[float]]:
        """Collate every piece as one process would, and take this process's rows: the draws are the same ones."""
        mine: list[Batch] = []
        counts: list[Counts] = []
        of_all: list[Counts] = []
        for piece, purpose in zip(pieces, purposes, strict=True):
            parts = self._parts(examples, piece, purpose)
            sizes = [counts_of(batch) if is_filled else (0, 0) for batch, is_filled in parts]
            of_all += sizes
            counts.append(sizes[self._group.rank])
            mine.append(self._pinned(parts[self._group.rank][0]))
        return mine, weights_of(counts, of_all)

    def _parts(self, examples: Examples, piece: Indices, purpose: str) -> list[tuple[Batch, bool]]:
        """Return the share of every process, and whether it holds anything: one without rows gets the first, to weigh 0."""
        whole = self._collate(examples, piece, purpose)
        if self._group.size == 1:
            return [(whole, True)]
        if all(len(tensor) == len(piece) for tensor in whole.values()):
            rows = np.array_split(np.arange(len(piece)), self._group.size)
            spans = [slice(part[0], part[-1] + 1) if len(part) else slice(0, 1) for part in rows]
            return [
                ({name: value[span] for name, value in whole.items()}, len(part) > 0)
                for span, part in zip(spans, rows, strict=True)
            ]
        # its tensors are not row by row (pairs of all rows, say): each process's examples become a batch of their own
        split = np.array_split(np.asarray(piece), self._group.size)
        return [
            (self._collate(examples, part if len(part) else piece[:1], f"{purpose} of {rank}"), len(part) > 0)
            for rank, part in enumerate(split)
        ]

    def _collate(self, examples: Examples, numbers: Indices, purpose: str) -> Batch:
        rows = contract.Examples(examples.rows(numbers), self._job.vocab)
        return self._job.objective.collate(rows, self._ctx.rng_for(purpose))

    def _pinned(self, batch: Batch) -> Batch:
        if self._group.device.type != "cuda":
            return batch
        return {name: tensor.pin_memory() for name, tensor in batch.items()}


def weights_of(counts: Sequence[Counts], of_all: Sequence[Counts]) -> list[float]:
    """Return the share of all labels that each micro-batch holds; of all rows where there are no labels at all."""
    which = 0 if any(labels for labels, _ in of_all) else 1
    total = sum(count[which] for count in of_all)
    return [count[which] / total for count in counts]


def counts_of(batch: Mapping[str, Any]) -> Counts:
    """Return how many labels a batch holds, and how many rows."""
    rows = len(next(iter(batch.values())))
    labels = batch.get("labels")
    return (rows if labels is None else int((labels != IGNORED).sum())), rows
