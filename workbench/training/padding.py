"""Rows of different lengths as one batch, padded on the right: one document for each row.

Shape suffixes: B rows, T tokens of the longest row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> dict[str, torch.Tensor]:
    """Return `input_ids`, `segment_ids` and `position_ids`, each int64[B, T].

    The segment is 1 at tokens of the row and 0 at padding, so that `model_inputs` takes the batch like a packed one.
    """
    import torch

    longest = max(map(len, rows))
    ids_bt = torch.full((len(rows), longest), pad, dtype=torch.int64)
    segments_bt = torch.zeros_like(ids_bt)
    for number, row in enumerate(rows):
        ids_bt[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
        segments_bt[number, : len(row)] = 1
    positions_bt = torch.arange(longest).expand(len(rows), longest).contiguous()
    return {"input_ids": ids_bt, "segment_ids": segments_bt, "position_ids": positions_bt}
