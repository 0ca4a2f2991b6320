"""A moving average of the weights: less noise than those of the last step, at the price of one more copy.

Source: Polyak and Juditsky 1992; the exponential form as in Tarvainen and Valpola 2017. Early in training the average
forgets faster, (1 + n) / (10 + n), so that it does not keep the fresh weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Average:
    """The average of what learns.

    Args:
        parameters: Name → parameter; averaged from their present values on.
        decay: Of the average, per step.
    """

    def __init__(self, parameters: Mapping[str, torch.nn.Parameter], decay: float) -> None:
        self._parameters = parameters
        self._decay = decay
        self.tensors = {name: parameter.detach().clone() for name, parameter in parameters.items()}

    def take_in(self, step: int) -> None:
        """Take in the weights after `step` (from 1)."""
        import torch

        decay = min(self._decay, (1 + step) / (10 + step))
        averages = [self.tensors[name] for name in self._parameters]
        present = [parameter.detach() for parameter in self._parameters.values()]
        torch._foreach_lerp_(averages, present, 1 - decay)  # one pass over all; there is no public one

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average for weights inside."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def settle(self) -> None:
        """Give the model the average for good."""
        self._swap()

    def _swap(self) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self._parameters.items():
                before = parameter.detach().clone()
                parameter.copy_(self.tensors[name])
                self.tensors[name].copy_(before)
