"""Output layer and cross-entropy in one function that works out its gradients on the way forward.

Shape suffixes: N tokens, C tokens of one stretch, D width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch

from workbench.training.losses import FEWEST_ROWS, STRETCH

Maybe = torch.Tensor | None


class LinearLoss(torch.autograd.Function):
    """Mean cross-entropy of `linear(states, weight, bias)`, and how many labels are the likeliest word.

    The gradients are worked out while the logits of a stretch are at hand; `backward` scales them. So it can run
    backward once, and not twice. Under autocast matrix products run in its dtype, sums in float32.
    """

    @staticmethod
    def forward(
        ctx: Any, states_nd: torch.Tensor, weight_vd: torch.Tensor, bias_v: Maybe, labels_n: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss (float32 scalar, in nats) and the count of right ones (int64 scalar)."""
        device = states_nd.device
        dtype = torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else weight_vd.dtype
        with torch.autocast(device.type, enabled=False):
            work = _Work(states_nd.to(dtype), weight_vd.to(dtype), bias_v, labels_n, ctx.needs_input_grad[:3])
            work.run()
        ctx.gradients = work.gradients(states_nd.dtype, weight_vd.dtype)
        ctx.mark_non_differentiable(work.correct)
        return (work.loss / len(labels_n)).float(), work.correct

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Maybe, ...]:
        """Return the gradients of states, weight and bias."""
        scale = grad_outputs[0]
        gradients, ctx.gradients = ctx.gradients, None
        return (*(None if gradient is None else gradient.mul_(scale) for gradient in gradients), None)


class _Work:
    def __init__(
        self, states_nd: torch.Tensor, weight_vd: torch.Tensor, bias_v: Maybe, labels_n: torch.Tensor, wanted: Any
    ) -> None:
        self.states_nd, self.weight_vd, self.bias_v = states_nd, weight_vd, bias_v
        self.labels_n1 = labels_n[:, None]
        device = states_nd.device
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self.is_exact = weight_vd.dtype == torch.float32
        self.for_states = torch.empty_like(states_nd) if wanted[0] else None
        self.for_weight = torch.zeros_like(weight_vd, dtype=torch.float32) if wanted[1] else None
        self.for_bias = torch.zeros_like(bias_v) if bias_v is not None and wanted[2] else None

    def run(self) -> None:
        num_tokens, size = len(self.states_nd), len(self.weight_vd)
        room = STRETCH.get(self.states_nd.device.type, STRETCH["cpu"])
        rows = min(num_tokens, max(FEWEST_ROWS, room // size))
        buffer_cv = torch.empty(rows, size, dtype=self.weight_vd.dtype, device=self.states_nd.device)
        for first in range(0, num_tokens, rows):
            here = slice(first, min(first + rows, num_tokens))
            logits_cv = self._measure(here, buffer_cv[: here.stop - first])
            if self.for_states is not None or self.for_weight is not None:
                self._differentiate(here, logits_cv)

    def _measure(self, here: slice, out_cv: torch.Tensor) -> torch.Tensor:
        """Add to loss and count; return the probabilities of the stretch, float32[C, V]."""
        torch.mm(self.states_nd[here], self.weight_vd.t(), out=out_cv)
        p_cv = out_cv.float()
        if self.bias_v is not None:
            p_cv.add_(self.bias_v)
        p_cv.sub_(p_cv.amax(-1, keepdim=True))
        label_c1 = p_cv.gather(1, self.labels_n1[here])
        self.correct += _num_right(p_cv, label_c1, self.labels_n1[here])
        total_c1 = p_cv.exp_().sum(-1, keepdim=True)
        self.loss += (total_c1.log() - label_c1).sum(dtype=torch.float64)
        return p_cv.mul_(total_c1.mul_(len(self.labels_n1)).reciprocal_())

    def _differentiate(self, here: slice, gradient_cv: torch.Tensor) -> None:
        """Take 1/N off at the labels, which makes the gradient of the logits, and multiply it on."""
        labels_c1 = self.labels_n1[here]
        gradient_cv.scatter_(1, labels_c1, gradient_cv.gather(1, labels_c1) - 1 / len(self.labels_n1))
        if self.for_bias is not None:
            self.for_bias += gradient_cv.sum(0)
        gradient_cv = gradient_cv.to(self.weight_vd.dtype)
        if self.for_states is not None:
            torch.mm(gradient_cv, self.weight_vd, out=self.for_states[here])
        if self.for_weight is not None and self.is_exact:
            self.for_weight.addmm_(gradient_cv.t(), self.states_nd[here])
        elif self.for_weight is not None:
            self.for_weight += gradient_cv.t() @ self.states_nd[here]

    def gradients(self, of_states: torch.dtype, of_weight: torch.dtype) -> tuple[Maybe, Maybe, Maybe]:
        """Return the gradients in the dtypes of what they belong to."""
        states = None if self.for_states is None else self.for_states.to(of_states)
        weight = None if self.for_weight is None else self.for_weight.to(of_weight)
        return states, weight, self.for_bias


def _num_right(shifted_cv: torch.Tensor, label_c1: torch.Tensor, labels_c1: torch.Tensor) -> torch.Tensor:
    """Return how many labels are the likeliest word, the first of equal ones; the largest of each row is 0.

    Finding the place of the largest costs as much as the exponential, so on a CPU only rows are asked that can be right.
    """
    if shifted_cv.device.type == "cpu":
        rows = (label_c1[:, 0] == 0).nonzero()[:, 0]
        shifted_cv, labels_c1 = shifted_cv[rows], labels_c1[rows]
    return (shifted_cv.argmax(-1, keepdim=True) == labels_c1).sum()
