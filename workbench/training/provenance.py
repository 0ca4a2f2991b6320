"""Which documents a training step saw. Written with the model, read by `trace --batch`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.artifacts.corpus import Corpus
from workbench.artifacts.model import Model
from workbench.artifacts.tokens import Tokens
from workbench.errors import UsageError
from workbench.files.atomic import write_json
from workbench.training.data import PackedRows, of_part
from workbench.training.order import batch_examples

FILE = "batches.json"


def write_batches(path: Path, data: Corpus | Tokens, part: str | None, order: dict[str, int]) -> None:
    """Write `batches.json`: the data by fingerprint, and `seed`, `batch_size`, `num_examples`, `steps` in `order`."""
    write_json(path / FILE, {"data": data.fingerprint, "data_type": data.type, "part": part, **order})


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
    numbers = batch_examples(order["seed"], step, order["batch_size"], order["num_examples"])
    if isinstance(data, Tokens):
        return PackedRows(data, order["part"]).document_ids(numbers)
    ids = [name for batch in of_part(data, order["part"]).batches(["id"]) for name in batch["id"]]
    return list(dict.fromkeys(ids[number] for number in numbers))
