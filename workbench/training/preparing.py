"""A model made ready for the loop: on its device, recomputing or not, compiled or not, split among processes or not.

None of it changes what is learnt but in last digits.
"""

from __future__ import annotations

import copy
import shutil
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from workbench.contracts.model import Objective
from workbench.errors import EnvironmentProblem, StepError
from workbench.files.text import safe_line
from workbench.training import extras
from workbench.training.group import Group
from workbench.training.job import Job
from workbench.wording import duration

if TYPE_CHECKING:
    import torch

# Compiling the blocks of a Llama of 5 million weights cost 26 CPU-seconds, and a step then took 13 % less (float32, one
# thread): it pays from some 200 seconds on, as estimated below.
PAYS_FROM_SECONDS = 300.0
FLOPS_PER_SECOND = {"cpu": 5e10, "cuda": 1e14}  # of a device as they are common; only sizes matter here
FLOPS_PER_TOKEN_AND_WEIGHT = 6  # forward 2, backward 4 (Kaplan et al. 2020, section 2.1)


def prepare(job: Job, group: Group) -> tuple[torch.nn.Module, Any]:
    """Return the model to train and what is called with a batch for the objective's loss and metrics.

    The model is `job.model` itself, or a split copy of it where processes share the weights.
    """
    splits = is_split(job, group)
    model = copy.deepcopy(job.model) if splits else job.model.to(group.device)
    if job.recompute:
        _recompute(model)
    extras.put_in(model, job, group)
    if compiles(job, group)[0]:
        for block in blocks(model):
            block.compile()
    if not splits:
        return model, partial(job.objective.loss, model)
    loss = _loss_module(job.objective, model)
    _split(model, loss, group)
    return model, loss


def is_split(job: Job, group: Group) -> bool:
    """Return whether processes split the weights: where asked for, and on several GPUs unless Muon needs whole matrices.

    Raises `StepError` where Muon was asked for together with it.
    """
    if group.size == 1 or job.shard == "off":
        return False
    if job.optimizer.method == "muon":
        if job.shard == "on":
            raise StepError(
                "muon needs whole matrices, so they cannot be split", expected="shard: off, or method: adamw"
            )
        return False
    return job.shard == "on" or group.device.type == "cuda"


def compiles(job: Job, group: Group) -> tuple[bool, str]:
    """Return whether blocks are compiled, and why, in words for the record."""
    if job.compile == "off":
        return False, "off, as set"
    if group.device.type == "cpu" and shutil.which("c++") is None and shutil.which("g++") is None:
        if job.compile == "on":
            raise EnvironmentProblem(
                "compiling needs a C++ compiler, and there is none", advice="install g++, or set compile: off"
            )
        return False, "off, as there is no C++ compiler"
    if job.compile == "on":
        return True, "on, as set"
    seconds = estimated_seconds(job, group)
    if seconds < PAYS_FROM_SECONDS:
        length = f"about {duration(seconds)}" if seconds >= 1 else "less than a second"
        return False, f"off, as a run of {length} is too short to pay for it"
    fault = _compiler_fault(group.device)
    if fault:
        return False, f"off, as it does not work here: {fault}"
    return True, f"on, as it pays in a run of about {duration(seconds)}"


@cache
def _compiler_fault(device: torch.device) -> str:
    """Try the compiler on something small; return what went wrong, in a line, or nothing."""
    import torch

    try:
        torch.compile(lambda x: x.sin() + 1)(torch.ones(8, device=device))
    except Exception as error:  # noqa: BLE001  # a compiler, its headers and its linker can fail in any way
        return safe_line(str(error).strip() or type(error).__name__, 160)
    return ""


def estimated_seconds(job: Job, group: Group) -> float:
    """Return about how long the run takes on a common device of its kind; the same on every machine."""
    weights = sum(parameter.numel() for parameter in job.model.parameters())
    tokens = job.num_steps * job.batch_size * job.train.num_tokens() / max(1, len(job.train))
    return FLOPS_PER_TOKEN_AND_WEIGHT * weights * tokens / FLOPS_PER_SECOND[group.device.type] / group.size


def blocks(model: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the repeated blocks of a model: the members of its module lists that hold the most weights."""
    from torch.nn import ModuleList

    lists = [module for module in model.modules() if isinstance(module, ModuleList) and len(module) > 0]
    outer = [one for one in lists if not any(one is not other and one in set(other.modules()) for other in lists)]
    return [block for one in outer for block in one]


def _recompute(model: torch.nn.Module) -> None:
    enable = getattr(model, "activation_checkpointing_enable", None)
    if enable is None or not getattr(model, "supports_gradient_checkpointing", True):
        raise StepError(
            f"{type(model).__name__} cannot work out its activations again", expected="recompute: false for this model"
        )
    enable(activation_checkpointing_kwargs={"use_reentrant": False})


def _loss_module(objective: Objective, model: torch.nn.Module) -> torch.nn.Module:
    """Return the objective's loss as a module around the model.

    FSDP2 brings weights together around the `forward` of a module. A loss uses some outside of the model's own: an
    encoder that the mask compiler runs by itself, embeddings it moves positions in, an output layer it works in parts.
    """
    from torch.nn import Module

    class Loss(Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
            return objective.loss(self.model, batch)

    return Loss()


def _split(model: torch.nn.Module, root: torch.nn.Module, group: Group) -> None:
    """Split the weights of every block, and the rest, among all processes (FSDP2); gradients are added, not averaged."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard

    mesh = init_device_mesh(group.device.type, (group.size,))
    for block in blocks(model):
        fully_shard(block, mesh=mesh)
    fully_shard(root, mesh=mesh)
    for module in root.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            if group.device.type == "cpu":
                module.set_force_sum_reduction_for_comms(enable=True)  # gloo knows no other


def gather(model: torch.nn.Module, into: torch.nn.Module) -> None:
    """Copy the weights of a split model into a whole one. Every process must call it; all get them."""
    import torch
    from torch.distributed.tensor import DTensor

    targets = {**dict(into.named_parameters()), **dict(into.named_buffers())}
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
            targets[name].copy_(whole)
