"""What a person sees while a model trains: live numbers about twice a second, and TensorBoard files."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

from workbench.contracts.context import Context

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SECONDS_BETWEEN = 0.5


class Reporter:
    """Report steps as they finish. Nothing of this enters the result.

    Args:
        ctx: Where live numbers go; TensorBoard files only if it keeps logs.
        num_steps: How many steps there will be.
        first_step: The first step of this process, after a resume the one after the checkpoint.
    """

    def __init__(self, ctx: Context, num_steps: int, first_step: int) -> None:
        self._ctx = ctx
        self._num_steps = num_steps
        self._first_step = first_step
        self._since = monotonic()
        self._tokens = 0
        self._writer: SummaryWriter | None = None

    def step(self, number: int, num_tokens: int, values: Mapping[str, float]) -> None:
        """Take the numbers of a finished step. Raises `Interrupted` when the user asked to stop."""
        self._tokens += num_tokens
        self._write(number, values)
        seconds = monotonic() - self._since
        if seconds < SECONDS_BETWEEN and number != self._num_steps and "valid_loss" not in values:
            return
        self._ctx.metrics(number, tokens_per_second=self._tokens / max(seconds, 1e-9), **values)
        self._since, self._tokens = monotonic(), 0
        self._ctx.progress(number, self._num_steps, "steps")

    def close(self) -> None:
        """Finish the TensorBoard files."""
        if self._writer is not None:
            self._writer.close()

    def _write(self, number: int, values: Mapping[str, float]) -> None:
        if self._ctx.logs is None:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._ctx.logs), purge_step=self._first_step)
        for name, value in values.items():
            self._writer.add_scalar(f"{self._ctx.step}/{name}", value, number)
