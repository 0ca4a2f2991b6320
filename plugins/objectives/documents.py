"""Packed rows taken apart into their documents, changed one by one, and laid down again.

Shape suffixes: B rows, T tokens of a row, U written tokens of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from workbench_plugins.objectives.rows import IGNORED

from workbench.api import model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

Ints = np.ndarray[Any, np.dtype[np.int64]]


def documents_of(row: Mapping[str, Any]) -> Iterator[Ints]:
    """Yield the tokens of each document of a row, in order; padding (segment 0) is left out."""
    ids_t = np.asarray(row["input_ids"], dtype=np.int64)
    segments_t = np.asarray(row["segment_ids"])
    starts = np.flatnonzero(np.diff(segments_t, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(ids_t)], strict=True):
        if segments_t[start] > 0:
            yield ids_t[start:end]


def lay_down(rows: Sequence[Sequence[Ints]], fill: int) -> tuple[Ints, Ints]:
    """Return the documents of each row one behind the other, int64[B, T], and the number of each, int64[B, T].

    A document may be empty. Rows are filled to the longest with `fill` and segment 0.

    >>> lay_down([[np.array([5, 6]), np.array([7])], [np.array([], dtype=int), np.array([8])]], 0)
    (array([[5, 6, 7],
           [8, 0, 0]]), array([[1, 1, 2],
           [2, 0, 0]]))
    """
    longest = max((sum(map(len, row)) for row in rows), default=0)
    ids_bt = np.full((len(rows), max(1, longest)), fill, dtype=np.int64)
    segments_bt = np.zeros_like(ids_bt)
    for number, row in enumerate(rows):
        end = 0
        for place, document in enumerate(row, start=1):
            start, end = end, end + len(document)
            ids_bt[number, start:end] = document
            segments_bt[number, start:end] = place
    return ids_bt, segments_bt


def read_and_write(rows: Sequence[Sequence[tuple[Ints, Ints]]], pad: int) -> dict[str, torch.Tensor]:
    """Return a batch for an encoder-decoder from what is read and what is written for each document of each row.

    It holds `input_ids`, `segment_ids` int64[B, T], and `labels`, `decoder_segment_ids` int64[B, U].
    """
    import torch

    read_bt, read_segments_bt = lay_down([[read for read, _ in row] for row in rows], pad)
    written_bu, written_segments_bu = lay_down([[written for _, written in row] for row in rows], IGNORED)
    arrays = {
        "input_ids": read_bt,
        "segment_ids": read_segments_bt,
        "labels": written_bu,
        "decoder_segment_ids": written_segments_bu,
    }
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def writing_inputs(model: Any, batch: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Return what an encoder-decoder needs for a batch of `read_and_write`.

    Each document's decoder begins with the model's own start token and reads what it has to write, one place later.
    """
    import torch

    labels_bu, segments_bu = batch["labels"], batch["decoder_segment_ids"]
    before_bu = labels_bu.clamp(min=0).roll(1, dims=1)
    starts_bu = torch.ones_like(segments_bu, dtype=torch.bool)
    starts_bu[:, 1:] = segments_bu[:, 1:] != segments_bu[:, :-1]
    begun_bu = torch.where(starts_bu, model.config.decoder_start_token_id, before_bu)
    return model_inputs(model, {**batch, "decoder_input_ids": begun_bu})


def writing_loss(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the mean cross-entropy in nats per written token, and the accuracy."""
    return token_loss(model, writing_inputs(model, batch), batch["labels"])
