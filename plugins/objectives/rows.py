"""Rows of packed documents as tensors, and the loss over labelled positions that the token objectives share.

Shape suffixes: B rows, T tokens of a row, N labelled positions, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

IGNORED = -100  # PyTorch's own mark for positions without a label
ROW = ("input_ids", "segment_ids", "position_ids")


def stack(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return `input_ids`, `segment_ids` and `position_ids` of all rows, each int64[B, T]."""
    return {name: np.stack([np.asarray(row[name], dtype=np.int64) for row in rows]) for name in ROW}


def labelled_loss(logits_btv: torch.Tensor, labels_bt: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the mean cross-entropy in nats over labelled positions, in float32, and the accuracy there.

    A batch without a single label has loss 0 and is connected to the weights, so that a training step passes.
    """
    from torch.nn.functional import cross_entropy

    labelled_bt = labels_bt != IGNORED
    logits_nv = logits_btv[labelled_bt].float()
    labels_n = labels_bt[labelled_bt]
    loss = cross_entropy(logits_nv, labels_n, reduction="sum") / max(1, labels_n.numel())
    correct = (logits_nv.detach().argmax(-1) == labels_n).sum() / max(1, labels_n.numel())
    return loss, {"accuracy": correct.item()}
