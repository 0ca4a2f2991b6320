"""Weights that an objective learns beside a model's own, such as a projection of what the model itself never sees.

They hang on the model as `beside`, so that the loop trains, checks and stores them like all others: in its
`model.safetensors` under `beside.<name>`, where transformers passes over them, with their shapes in `config.json` under
`beside`. `load_model` hangs them back on under the head they were learned with.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contracts.model import Objective
from workbench.errors import StepError
from workbench.training.inside import unwrapped

if TYPE_CHECKING:
    import torch

NAME = "beside"


def add_beside(model: Any, objective: Objective, example: Mapping[str, Any]) -> None:
    """Hang what the objective learns beside the model on it, unless it brings the same along already.

    Args:
        model: Also one that peft is wrapped around; changed in place.
        objective: Names the weights and draws their first values.
        example: One that the loss will see.
    """
    bare = unwrapped(model)
    first = objective.beside(example, int(bare.config.hidden_size))
    if not first:
        remove_beside(bare)
        return
    shapes = {name: list(value.shape) for name, value in first.items()}
    if getattr(bare, NAME, None) is not None and getattr(bare.config, NAME, None) == shapes:
        for weight in getattr(bare, NAME).values():
            weight.requires_grad_(requires_grad=True)
        return
    _hang(bare, first)


def weights_beside(model: Any) -> Mapping[str, torch.Tensor]:
    """Return name → weight of what was learned beside a model. Raises `StepError` when there is nothing."""
    found = getattr(unwrapped(model), NAME, None)
    if found is None:
        raise StepError("nothing was learned beside this model", expected="a model trained with such an objective")
    return dict(found.items())


def restore_beside(model: Any, folder: Path) -> None:
    """Hang the weights of a model's folder back on it. Raises `StepError` when one lacks or has another shape."""
    from safetensors import safe_open

    shapes = getattr(model.config, NAME, None)
    if shapes is None:
        return
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if name.startswith(f"{NAME}.")]  # noqa: SIM118  # it has no iterator
            found |= {name.removeprefix(f"{NAME}."): file.get_tensor(name) for name in names}
    if not isinstance(shapes, dict) or {name: list(value.shape) for name, value in found.items()} != shapes:
        raise StepError(
            f"the weights `{NAME}` are not those that config.json tells of",
            where=str(folder),
            expected=f"{str(shapes)[:160]} in *.safetensors",
        )
    _hang(model, found)


def remove_beside(model: Any) -> None:
    """Take them off a model whose head is another one now."""
    if hasattr(model, NAME):
        delattr(model, NAME)
    if getattr(model.config, NAME, None) is not None:
        delattr(model.config, NAME)


def _hang(model: Any, values: Mapping[str, torch.Tensor]) -> None:
    from torch.nn import Parameter, ParameterDict

    setattr(model, NAME, ParameterDict({name: Parameter(value.clone()) for name, value in values.items()}))
    setattr(model.config, NAME, {name: list(value.shape) for name, value in values.items()})
