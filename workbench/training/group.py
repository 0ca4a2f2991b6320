"""The processes that train one model together: what they add up, and how they find each other.

Each process works out its rows of every micro-batch; the loss of a row weighs what it weighs in the whole batch, so the
sum over processes is the gradient of the whole batch, whatever their number. With one process nothing here costs
anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.contracts.context import Context
from workbench.errors import StepError

if TYPE_CHECKING:
    import torch

LOST = ("gloo", "NCCL", "closed by peer", "Connection reset")  # in errors about other processes


@dataclass(frozen=True)
class Group:
    """All processes of one training step.

    Attributes:
        rank: Number of this process, from 0; process 0 writes and reports.
        size: How many there are.
        device: Where this process works.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    def total(self, values: Sequence[float]) -> list[float]:
        """Return the sums over all processes, in float64; every process must give as many numbers."""
        if self.size == 1:
            return list(values)
        import torch
        import torch.distributed as dist

        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return list(map(float, tensor.tolist()))

    def add_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Add up the gradients of all processes. One that a process lacks counts as 0; one that all lack stays away."""
        if self.size == 1:
            return
        import torch
        import torch.distributed as dist

        counts = self.total([float(parameter.grad is not None) for parameter in parameters])
        present = [parameter for parameter, count in zip(parameters, counts, strict=True) if count]
        for parameter in present:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in present if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


@contextmanager
def joined(ctx: Context, device: torch.device) -> Iterator[Group]:
    """Join the processes of the step: gloo on CPUs, NCCL on GPUs, one GPU for each. They meet at a file in `ctx.scratch`."""
    if ctx.processes == 1:
        yield Group(0, 1, device)
        return
    import torch
    import torch.distributed as dist

    if device.type == "cuda":
        device = torch.device("cuda", ctx.rank % torch.cuda.device_count())
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=(ctx.scratch.absolute() / "meeting").as_uri(),
        rank=ctx.rank,
        world_size=ctx.processes,
        device_id=device if device.type == "cuda" else None,
    )
    try:
        yield Group(ctx.rank, ctx.processes, device)
    except RuntimeError as error:
        if any(word in str(error) for word in LOST):
            raise StepError(f"another process of the step is gone: {str(error).splitlines()[0][:160]}") from error
        raise
    finally:
        dist.destroy_process_group()
