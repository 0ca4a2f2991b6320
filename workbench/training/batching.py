"""Which examples a step sees: a pure function of (seed, step), whatever the order.

    shuffled     every example once an epoch, in an order of its own
    windows      the same, over rows that begin at another token each epoch (random sampling: no two epochs cut the
                 text at the same places)
    sequential   the text cut into as many stretches as the batch has rows; row b of each step goes on where row b of
                 the step before ended (sequential partitioning, for models that carry a state)
    grouped      records of about equal length in one batch, so that little is padded; batches in an order of their own

`windows` and `sequential` are for packed tokens, `grouped` is for records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from workbench.errors import StepError
from workbench.training.data import Examples
from workbench.training.order import MASK64, Indices, batch_examples, permutation

Order = Literal["shuffled", "windows", "sequential", "grouped"]
FOR_TOKENS: tuple[Order, ...] = ("windows", "sequential")
FOR_RECORDS: tuple[Order, ...] = ("grouped",)
BATCHES_IN_GROUP = 64  # records are sorted by length within so many batches: enough to pad little, few enough to mix


@dataclass(frozen=True)
class Batching:
    """The examples of every step.

    Attributes:
        order: One of the four.
        seed: The pipeline's seed.
        batch_size: Examples in a step.
        num_examples: How many there are.
        context: Tokens in a row (`windows` only).

    Raises `StepError` when there are fewer examples than an order needs.
    """

    order: Order
    seed: int
    batch_size: int
    num_examples: int
    context: int = 0

    def __post_init__(self) -> None:
        if self.order in ("sequential", "grouped") and self.num_examples < self.batch_size:
            raise StepError(
                f"{self.num_examples} examples are fewer than the {self.batch_size} of one batch",
                expected=f"a smaller batch_size, or an order other than {self.order}",
            )

    @classmethod
    def of(cls, order: Order, seed: int, batch_size: int, examples: Examples) -> Batching:
        """Return the batching of these examples."""
        context = int(getattr(examples, "context", 0)) if order == "windows" else 0
        return cls(order, seed, batch_size, len(examples), context)

    def numbers(self, step: int, lengths: Indices | None = None) -> Indices:
        """Return the examples of a step (from 1). For `windows` these are places of tokens where rows begin.

        `lengths` are those of all records; `grouped` needs them.
        """
        if self.order == "sequential":
            stretch = self.num_examples // self.batch_size
            return np.arange(self.batch_size, dtype=np.int64) * stretch + (step - 1) % stretch
        if self.order == "grouped":
            assert lengths is not None
            return self._grouped(step, lengths)
        rows = batch_examples(self.seed, step, self.batch_size, self.num_examples)
        if self.order == "shuffled":
            return rows
        first = (step - 1) * self.batch_size
        epochs = np.arange(first, first + self.batch_size) // self.num_examples
        return rows * self.context + np.array([self._offset(int(epoch)) for epoch in epochs], dtype=np.int64)

    def _offset(self, epoch: int) -> int:
        words = np.random.SeedSequence([self.seed & MASK64, epoch, self.context]).generate_state(1, dtype=np.uint64)
        return int(words[0] % np.uint64(self.context))

    def _grouped(self, step: int, lengths: Indices) -> Indices:
        """Take a stretch of the epoch's order, sort it by length, cut it into batches, and take one of them.

        What is left over at the end of an epoch waits: the next epoch has another order.
        """
        epoch, batch = divmod(step - 1, self.num_examples // self.batch_size)
        group, place = divmod(batch, BATCHES_IN_GROUP)
        batches = min(BATCHES_IN_GROUP, self.num_examples // self.batch_size - group * BATCHES_IN_GROUP)
        first = group * BATCHES_IN_GROUP * self.batch_size
        drawn = permutation(self.seed, epoch, np.arange(first, first + batches * self.batch_size), self.num_examples)
        by_length = drawn[np.argsort(lengths[drawn], kind="stable")].reshape(batches, self.batch_size)
        which = permutation(self.seed ^ (group + 1), epoch, np.array([place]), batches)
        return np.asarray(by_length[int(which[0])], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Batching:
        """Read what `to_json` gave, among other facts."""
        order = facts.get("order", "shuffled")
        return cls(order, facts["seed"], facts["batch_size"], facts["num_examples"], facts.get("context", 0))


def lengths_of(order: Order, examples: Examples) -> Indices | None:
    """Return the lengths of all records where batches go by length, else None."""
    return getattr(examples, "lengths", None) if order in FOR_RECORDS else None
