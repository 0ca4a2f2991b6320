"""How training goes by its valid loss: which step was best, and whether more is worth while.

Everything is read from the curve, so a run that is resumed decides what it would have decided in one piece.
"""

from __future__ import annotations

from math import isnan

from workbench.training.curve import Curve


def measured(curve: Curve) -> list[tuple[int, float]]:
    """Return (step, valid loss) for every step at which it was measured."""
    return [
        (int(step), loss)
        for step, loss in zip(curve.values("number"), curve.values("valid_loss"), strict=True)
        if not isnan(loss)
    ]


def best_step(curve: Curve) -> int | None:
    """Return the step with the lowest valid loss, the first of equal ones; None before the first measurement."""
    found = measured(curve)
    return min(found, key=lambda one: one[1])[0] if found else None


def is_over(curve: Curve, patience: int | None) -> bool:
    """Return whether the last `patience` measurements brought no lower valid loss."""
    found = measured(curve)
    best = best_step(curve)
    return patience is not None and best is not None and len([1 for step, _ in found if step > best]) >= patience
