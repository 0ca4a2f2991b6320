"""Rows of packed documents as tensors, which the token objectives share.

Shape suffixes: B rows, T tokens of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IGNORED = -100  # PyTorch's own mark for positions without a label
ROW = ("input_ids", "segment_ids", "position_ids")


def stack(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return `input_ids`, `segment_ids` and `position_ids` of all rows, each int64[B, T]."""
    return {name: np.stack([np.asarray(row[name], dtype=np.int64) for row in rows]) for name in ROW}
