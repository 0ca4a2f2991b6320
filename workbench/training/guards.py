"""What stops a run that goes wrong, or speaks up: numbers that are none, and losses far above those before.

A spike is a loss more than six standard deviations above the mean of the 128 steps before it (the rule of OLMo 2,
Walsh et al. 2025, section 3), and more than a tenth of that mean above it, so that a very even loss does not make noise
of nothing. It is a function of the curve: a resumed run finds the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite, sqrt
from typing import Any

from workbench.contracts.context import Context
from workbench.errors import StepError
from workbench.files.atomic import write_json
from workbench.training.curve import Curve

STEPS_BEFORE = 128
FEWEST_BEFORE = 32
DEVIATIONS = 6.0
LEAST_SHARE = 0.1  # of the mean
IDS_SHOWN = 20
SPIKES_SAID = 10  # in the log; the file has them all


def spike_limit(losses: Sequence[float]) -> float | None:
    """Return the loss above which the next one is a spike; None while too few steps are done.

    >>> spike_limit([2.0] * 31) is None, spike_limit([2.0] * 32)
    (True, 2.2)
    """
    before = [loss for loss in losses[-STEPS_BEFORE:] if isfinite(loss)]
    if len(before) < FEWEST_BEFORE:
        return None
    mean = sum(before) / len(before)
    deviation = sqrt(sum((loss - mean) ** 2 for loss in before) / len(before))
    return mean + max(DEVIATIONS * deviation, LEAST_SHARE * abs(mean))


def spikes(curve: Curve) -> list[dict[str, float]]:
    """Return `step`, `loss` and `limit` of every spike of a curve."""
    losses = curve.values("loss")
    found = []
    for place, loss in enumerate(losses):
        limit = spike_limit(losses[max(0, place - STEPS_BEFORE) : place])
        if limit is not None and loss > limit:
            found.append({"step": place + 1, "loss": loss, "limit": limit})
    return found


def shown(documents: Sequence[str], rest: str) -> str:
    """Return the ids of documents for a message, with where the rest is listed."""
    more = f" and {len(documents) - IDS_SHOWN} more in {rest}" if len(documents) > IDS_SHOWN else ""
    return ", ".join(documents[:IDS_SHOWN]) + more


class Guard:
    """Watches the losses of one run.

    Args:
        ctx: Where it speaks.
        num_steps: How many steps there will be.
        documents: Returns the ids of the documents of a step.
        saved: Returns the steps that have a checkpoint.
    """

    def __init__(
        self, ctx: Context, num_steps: int, documents: Callable[[int], list[str]], saved: Callable[[], list[int]]
    ) -> None:
        self._ctx = ctx
        self._num_steps = num_steps
        self._documents = documents
        self._saved = saved
        self._said = 0

    def check_finite(self, step: int, **numbers: float) -> None:
        """Raise `StepError` when one of the numbers is none; before the weights change."""
        for name, value in numbers.items():
            if not isfinite(value):
                self.stop(step, f"the {name.replace('_', ' ')} is {value}", "a finite number")

    def is_spike(self, step: int, loss: float, curve: Curve) -> bool:
        """Return whether `loss`, that of `step`, is a spike, and say so with the documents of the batch."""
        limit = spike_limit(curve.values("loss", STEPS_BEFORE))
        if limit is None or loss <= limit:
            return False
        self._said += 1
        if self._said <= SPIKES_SAID:
            documents = shown(self._documents(step), "spikes.json of the result")
            self._ctx.log(f"the loss of step {step} is {loss:.4g}, above {limit:.4g}; its documents: {documents}")
        return True

    def stop(self, step: int, what: str, expected: str) -> None:
        """Raise `StepError` with the documents of the batch; all of them are written beside the checkpoints."""
        documents = self._documents(step)
        facts: dict[str, Any] = {"step": step, "what": what, "documents": documents}
        with suppress(OSError):  # the message matters more
            write_json(self._ctx.partial / "stopped.json", facts)
        saved = self._saved()
        raise StepError(
            f"{what} at step {step} of {self._num_steps}; the last good checkpoint is "
            + (f"that of step {saved[-1]} in {self._ctx.partial}" if saved else "none yet"),
            where=self._ctx.step,
            expected=f"{expected} from documents {shown(documents, 'stopped.json there')}",
            advice="look at these documents with `workbench trace`, or set a lower optimizer.lr or optimizer.clip",
        )
