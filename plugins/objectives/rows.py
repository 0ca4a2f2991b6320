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

    logits_nv, labels_n = logits_btv.flatten(0, 1), labels_bt.flatten()
    labelled_n = labels_n != IGNORED
    num_labelled = int(labelled_n.sum())
    if 2 * num_labelled < len(labels_n):  # gathering copies the logits: it pays only where most of them fall away
        logits_nv, labels_n = logits_nv[labelled_n], labels_n[labelled_n]
    logits_nv = logits_nv.float()
    loss = cross_entropy(logits_nv, labels_n, ignore_index=IGNORED, reduction="sum") / max(1, num_labelled)
    correct = (logits_nv.detach().argmax(-1) == labels_n).sum() / max(1, num_labelled)
    return loss, {"accuracy": correct.item()}
