"""The learning rate at every step: a pure function, so that resuming needs no state."""

from __future__ import annotations

from math import cos, pi

from workbench.training.settings import Optimizer


def num_warmup(settings: Optimizer, num_steps: int) -> int:
    """Return the steps of linear rise.

    >>> num_warmup(Optimizer(), 200), num_warmup(Optimizer(), 100_000), num_warmup(Optimizer(warmup=7), 200)
    (10, 1000, 7)
    """
    return min(1000, num_steps // 20) if settings.warmup is None else settings.warmup


def learning_rate(settings: Optimizer, step: int, num_steps: int) -> float:
    """Return the rate of a step; steps count from 1, the last one gets `final_lr_share` of the highest rate."""
    warmup = num_warmup(settings, num_steps)
    if step <= warmup:
        return settings.lr * step / warmup
    if settings.schedule == "constant":
        return settings.lr
    done = min(1.0, (step - warmup) / max(1, num_steps - warmup))
    left = (1 + cos(pi * done)) / 2 if settings.schedule == "cosine" else 1 - done
    return settings.lr * (settings.final_lr_share + (1 - settings.final_lr_share) * left)
