"""What every tracker does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROJECT = "workbench"


class Tracker(ABC):
    """Follows one run.

    Args:
        run: Its id.
        folder: Where files go, unless the tracker's own environment variables say otherwise.
        steps: The names of the run's steps.
    """

    @abstractmethod
    def __init__(self, run: str, folder: Path, steps: Sequence[str]) -> None: ...

    @abstractmethod
    def log(self, step: str, number: int, values: Mapping[str, float]) -> None:
        """Take the numbers of training step `number` of a step of the pipeline."""

    @abstractmethod
    def finish(self, status: str) -> None:
        """End the run: `done`, `failed` or `interrupted`."""
