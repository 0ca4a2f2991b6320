"""The learning rate at every step: a pure function, so that resuming needs no state."""

from __future__ import annotations

from math import cos, pi, sqrt

from workbench.training.settings import DECAY_SHARE, Optimizer


def num_warmup(settings: Optimizer, num_steps: int) -> int:
    """Return the steps of linear rise.

    >>> num_warmup(Optimizer(), 200), num_warmup(Optimizer(), 100_000), num_warmup(Optimizer(warmup=7), 200)
    (10, 1000, 7)
    """
    return min(1000, num_steps // 20) if settings.warmup is None else settings.warmup


def learning_rate(settings: Optimizer, step: int, num_steps: int) -> float:
    """Return the rate of a step, from 1; where it falls, the last one gets `final_lr_share` of the highest rate."""
    warmup = num_warmup(settings, num_steps)
    if step <= warmup:
        return settings.lr * step / warmup
    if settings.schedule == "constant":
        return settings.lr
    begin = max(warmup, num_steps - num_decay(settings, num_steps))
    done = min(1.0, max(0, step - begin) / max(1, num_steps - begin))
    return settings.lr * (settings.final_lr_share + (1 - settings.final_lr_share) * _left(settings, done))


def num_decay(settings: Optimizer, num_steps: int) -> int:
    """Return the steps in which the rate falls; all of them, unless it is stable first.

    >>> num_decay(Optimizer(schedule="warmup-stable-decay"), 200), num_decay(Optimizer(), 200)
    (40, 200)
    """
    if settings.schedule != "warmup-stable-decay":
        return num_steps
    return max(1, round(num_steps * (settings.decay_share or DECAY_SHARE)))


def _left(settings: Optimizer, done: float) -> float:
    """Return what is left of the fall; after a stable rate, one minus the square root (Hägele et al. 2024)."""
    if settings.schedule == "cosine":
        return (1 + cos(pi * done)) / 2
    return 1 - done if settings.schedule == "linear" else 1 - sqrt(done)
