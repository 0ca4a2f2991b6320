"""Which documents a training step saw. Written with the model, read by `trace --batch`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workbench.artifacts.corpus import Corpus
from workbench.artifacts.model import Model
from workbench.artifacts.tokens import Tokens
from workbench.errors import UsageError
from workbench.files.atomic import replacing, write_json
from workbench.training.batching import FOR_RECORDS, Batching
from workbench.training.data import PackedRows, Windows, of_part
from workbench.training.order import Indices

FILE = "batches.json"
LENGTHS = "lengths.npy"  # of all records, where batches go by length


def write_batches(path: Path, data: Corpus | Tokens, part: str | None, batching: Batching, steps: int) -> None:
    """Write `batches.json`: the data by fingerprint, how batches are drawn from it, and how many `steps` there were."""
    facts = {"data": data.fingerprint, "data_type": data.type, "part": part, "steps": steps}
    write_json(path / FILE, {**facts, **batching.to_json()})


def write_lengths(path: Path, lengths: Indices) -> None:
    """Write the lengths of all records beside it: what `grouped` batches depend on besides the seed."""
    with replacing(path / LENGTHS) as temporary, temporary.open("wb") as file:
        np.save(file, lengths.astype(np.int32), allow_pickle=False)


def data_of(model: Model) -> dict[str, Any]:
    """Return what `write_batches` wrote: `data` is the fingerprint to find the data by, `data_type` what it is."""
    if not (model.path / FILE).is_file():
        raise UsageError("it was fitted on all documents at once, so no batch can be traced", where=model.step)
    return model.read_json(FILE)


def documents_of_step(model: Model, data: Corpus | Tokens, step: int) -> list[str]:
    """Return the ids of the documents that training step `step` of `model` saw, each once, in order.

    `data` is the artifact that `data_of(model)` names. Raises `UsageError` for a step that never was.
    """
    order = data_of(model)
    if not 1 <= step <= order["steps"]:
        raise UsageError(f"there is no step {step}", where=model.step, expected=f"1 to {order['steps']}")
    batching = Batching.from_json(order)
    lengths = np.load(model.path / LENGTHS, allow_pickle=False) if batching.order in FOR_RECORDS else None
    numbers = batching.numbers(step, lengths)
    if isinstance(data, Tokens):
        rows = Windows if batching.order == "windows" else PackedRows
        return rows(data, order["part"]).document_ids(numbers)
    ids = [name for batch in of_part(data, order["part"]).batches(["id"]) for name in batch["id"]]
    return list(dict.fromkeys(ids[number] for number in numbers))
