"""AdamW with weight decay on matrices only, and its state by name, for checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.training.settings import Optimizer

if TYPE_CHECKING:
    import torch


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Return name → parameter for everything that learns; shared tensors once."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def make_optimizer(model: torch.nn.Module, settings: Optimizer) -> torch.optim.AdamW:
    """Return AdamW over what learns, as one fused pass over the weights (CPU and GPU have it)."""
    from torch.optim import AdamW

    parameters = trainable(model).values()
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},  # noqa: PLR2004
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},  # noqa: PLR2004  # norms and biases
    ]
    return AdamW([group for group in groups if group["params"]], lr=settings.lr, betas=settings.betas, fused=True)


def optimizer_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the optimizer's tensors as `<parameter>/<key>`."""
    return {
        f"{name}/{key}": value
        for name, parameter in trainable(model).items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, torch.Tensor]
) -> None:
    """Put back what `optimizer_state` returned."""
    parameters = trainable(model)
    for full_name, value in state.items():
        name, _, key = full_name.rpartition("/")
        parameter = parameters[name]
        optimizer.state[parameter][key] = value.to(parameter.device, copy=True)
