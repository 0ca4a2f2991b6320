"""The training curve: one row of numbers for each step, none of which depends on time or machine load."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("number", "tokens", "loss", "learning_rate", "gradient_norm", "valid_loss")
WHOLE_NUMBERS = ("number", "tokens")


class Curve:
    """Rows of `COLUMNS`, and of what else the objective measures. Not measured at a step: null."""

    def __init__(self, columns: tuple[str, ...] = COLUMNS, rows: np.ndarray[Any, np.dtype[Any]] | None = None) -> None:
        self.columns = columns
        self._rows: list[list[float]] = [] if rows is None else rows.tolist()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, values: Mapping[str, float]) -> None:
        """Append the row of one step. Names that are new get a column of their own, empty for the steps before."""
        new = tuple(sorted(set(values) - set(self.columns)))
        if new:
            self.columns += new
            self._rows = [row + [nan] * len(new) for row in self._rows]
        self._rows.append([values.get(name, nan) for name in self.columns])

    def values(self, name: str, last: int = 0) -> list[float]:
        """Return what stands under `name` at every step, or at the last so many; nan where nothing was measured."""
        place = self.columns.index(name)
        return [row[place] for row in self._rows[-last:]]

    def last(self, name: str) -> float | None:
        """Return the last value measured under `name`."""
        place = self.columns.index(name)
        return next((row[place] for row in reversed(self._rows) if not isnan(row[place])), None)

    def first(self, name: str) -> float | None:
        """Return the value under `name` at the first step."""
        return self._rows[0][self.columns.index(name)] if self._rows else None

    def array(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return float64[steps, columns], nan where nothing was measured."""
        return np.array(self._rows, dtype=np.float64).reshape(len(self._rows), len(self.columns))

    def frame(self) -> pl.DataFrame:
        """Return the curve as a frame."""
        import polars as pl

        frame = pl.DataFrame(self.array(), schema=list(self.columns), orient="row").fill_nan(None)
        return frame.cast(dict.fromkeys(WHOLE_NUMBERS, pl.Int64))
