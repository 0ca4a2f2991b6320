"""Compile with numba, machine code kept on disk where it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with numba; keep the machine code on disk where a cache folder can be written, else for this process."""
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # numba found no folder that it may write to
        return cast("F", njit(nogil=True, error_model="numpy")(function))


def vectorised(function: F) -> F:
    """Compile with numba, sums in whatever order the vector unit likes: equal on one kind of CPU, not on all."""
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy", fastmath=True)(function))
    except RuntimeError:
        return cast("F", njit(nogil=True, error_model="numpy", fastmath=True)(function))
