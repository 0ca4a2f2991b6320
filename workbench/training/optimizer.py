"""AdamW and Muon over named parameters, with decay on matrices only, and their state by name, for checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from workbench.training.inside import output_layer
from workbench.training.settings import MOMENTUM, Optimizer

if TYPE_CHECKING:
    import torch

MATRIX = 2  # dimensions


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Return name → parameter for everything that learns; shared tensors once."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


class Optimizers:
    """One optimizer or two, over what learns in a model.

    Args:
        model: Its parameters with `requires_grad` are updated.
        settings: `adamw`: one fused pass over all of them (CPU and GPU have it). `muon`: matrices of the body by Muon;
            embeddings, output layers, vectors and whatever has no two dimensions by AdamW.
    """

    def __init__(self, model: torch.nn.Module, settings: Optimizer) -> None:
        from torch.optim import AdamW, Muon

        self._parameters = trainable(model)
        hidden = hidden_matrices(model) if settings.method == "muon" else {}
        rest = {name: parameter for name, parameter in self._parameters.items() if name not in hidden}
        self.parts: list[torch.optim.Optimizer] = []
        if hidden:
            momentum = MOMENTUM if settings.momentum is None else settings.momentum
            self.parts.append(
                Muon(
                    hidden.values(),
                    lr=settings.lr,
                    weight_decay=settings.weight_decay,
                    momentum=momentum,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        if rest:
            self.parts.append(AdamW(_groups(rest, settings), lr=settings.lr, betas=settings.betas, fused=True))

    @property
    def groups(self) -> Iterator[dict[str, object]]:
        """Every parameter group."""
        for part in self.parts:
            yield from part.param_groups

    def step(self, rate: float) -> None:
        """Update the weights with this learning rate, and forget the gradients."""
        for group in self.groups:
            group["lr"] = rate
        for part in self.parts:
            part.step()
        self.forget()

    def forget(self) -> None:
        """Drop the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tensors of the state as `<parameter>/<key>`."""
        return {
            f"{name}/{key}": value
            for name, parameter in self._parameters.items()
            for part in self.parts
            for key, value in part.state.get(parameter, {}).items()
        }

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put back what `state` returned."""
        owners = {id(p): part for part in self.parts for group in part.param_groups for p in group["params"]}
        for full_name, value in state.items():
            name, _, key = full_name.rpartition("/")
            parameter = self._parameters[name]
            owners[id(parameter)].state[parameter][key] = value.to(parameter.device, copy=True)


def _groups(parameters: Mapping[str, torch.nn.Parameter], settings: Optimizer) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = [
        {"params": [p for p in parameters.values() if p.ndim >= MATRIX], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters.values() if p.ndim < MATRIX], "weight_decay": 0.0},  # norms and biases
    ]
    return [group for group in groups if group["params"]]


def hidden_matrices(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Return the matrices that are neither embeddings nor an output layer: those Muon is for (Jordan et al. 2024)."""
    from torch.nn import Embedding

    apart = {id(p) for module in model.modules() if isinstance(module, Embedding) for p in module.parameters()}
    head = output_layer(model)
    apart |= {id(p) for p in head.parameters()} if head is not None else set()
    return {name: p for name, p in trainable(model).items() if p.ndim == MATRIX and id(p) not in apart}
