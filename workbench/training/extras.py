"""Extras for GPUs: Liger's kernels, FlashAttention, products in float8. Used only where they are, and said in the record.

Each is a switch: `off`, `auto` (where the package, the device and the model allow it), `on` (else an error that says what
is lacking). None is part of what is stored: after training the model is made of its own layers again.

Sources: Hsu et al. 2024 (Liger); Dao 2023 (FlashAttention 2); Micikevicius et al. 2022 (float8, scaled per tensor, by
torchao).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from workbench.errors import EnvironmentProblem
from workbench.training.group import Group
from workbench.training.inside import output_layer, unwrapped
from workbench.training.job import Job, Switch

if TYPE_CHECKING:
    import torch

FLASH_HEADS = ("causal-lm", "masked-lm", "token-classification")  # rows laid one behind the other have no pooled state
FLOAT8_FROM = (8, 9)  # compute capability: Ada and Hopper
FLOAT8_SIDES = 16  # both sides of a matrix are a multiple of it


@dataclass(frozen=True)
class Fault:
    """Why an extra cannot be used here, and what to do."""

    what: str
    advice: str


def liger(job: Job, group: Group) -> tuple[bool, str]:
    """Return whether Liger's kernels are used, and why. Raises `EnvironmentProblem` when they were asked for in vain."""
    return _settled(job.kernels, "kernels", lambda: _liger_fault(job, group))


def flash(job: Job, group: Group) -> tuple[bool, str]:
    """Return whether FlashAttention is used, and why. Raises `EnvironmentProblem` when it was asked for in vain."""
    return _settled(job.flash, "flash_attention", lambda: _flash_fault(job, group))


def float8(job: Job, group: Group) -> tuple[bool, str]:
    """Return whether products are in float8, and why. Raises `EnvironmentProblem` when they cannot be."""
    switch: Switch = "on" if job.precision == "float8" else "off"
    return _settled(switch, "precision", lambda: _float8_fault(job, group))


def put_in(model: torch.nn.Module, job: Job, group: Group) -> None:
    """Put the chosen extras into the model, before it is compiled or split."""
    if liger(job, group)[0]:
        _put_liger_in(unwrapped(model))
    if flash(job, group)[0]:
        unwrapped(model).set_attn_implementation("flash_attention_2")
    if float8(job, group)[0]:
        from torchao.float8 import convert_to_float8_training

        head = output_layer(model)
        convert_to_float8_training(model, module_filter_fn=lambda layer, _name: layer is not head and _is_even(layer))


def take_out(model: torch.nn.Module, attention: str | None) -> None:
    """Leave a model of its own layers, with the attention it had."""
    from torch.nn import Linear

    bare = unwrapped(model)
    if attention is not None and bare.config._attn_implementation != attention:  # noqa: SLF001  # transformers' only name
        bare.set_attn_implementation(attention)
    for module in list(model.modules()):
        forward = vars(module).get("forward")
        if getattr(forward, "__module__", "").startswith("liger_kernel"):
            del module.forward
        for name, layer in list(module.named_children()):
            if type(layer).__module__.startswith("torchao.") and isinstance(layer, Linear):
                setattr(module, name, _plain(layer))


def attention_of(model: torch.nn.Module) -> str | None:
    """Return the name of the attention that a transformers model uses."""
    name = getattr(getattr(unwrapped(model), "config", None), "_attn_implementation", None)
    return None if name is None else str(name)


def _settled(switch: Switch, setting: str, find_fault: Any) -> tuple[bool, str]:
    if switch == "off":
        return False, "off, as set"
    fault: Fault | None = find_fault()
    if fault is None:
        return True, "on, as set" if switch == "on" else "on: it is there and fits"
    if switch == "on":
        raise EnvironmentProblem(f"{setting}: {fault.what}", advice=fault.advice)
    return False, f"off: {fault.what}"


def _liger_fault(job: Job, group: Group) -> Fault | None:
    fault = _lacking("liger-kernel", group, "kernels: off")
    if fault is not None:
        return fault
    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN

    kind = str(unwrapped(job.model).config.model_type)
    if kind not in MODEL_TYPE_TO_APPLY_LIGER_FN:
        return Fault(f"Liger {version('liger-kernel')} has no kernels for models of type {kind!r}", "set kernels: off")
    return None


def _flash_fault(job: Job, group: Group) -> Fault | None:
    fault = _lacking("flash-attn", group, "flash_attention: off")
    if fault is not None:
        return fault
    model, instead = unwrapped(job.model), "set flash_attention: off"
    config = model.config
    if not getattr(model, "_supports_flash_attn", False) or config.is_encoder_decoder:
        return Fault(f"{type(model).__name__} cannot keep packed documents apart with FlashAttention", instead)
    if getattr(config, "attention_pattern", "") == "prefix" or hasattr(config, "output_router_logits"):
        return Fault("FlashAttention has no words for the masks of this model", instead)
    if job.objective.head not in FLASH_HEADS:
        return Fault(f"rows laid one behind the other have no place for a {job.objective.head} head", instead)
    if job.precision == "float32":
        return Fault("FlashAttention works in 16 bits only", "set precision: auto, or flash_attention: off")
    return None


def _float8_fault(job: Job, group: Group) -> Fault | None:
    instead = "precision: bfloat16"
    fault = _lacking("torchao", group, instead)
    if fault is not None:
        return fault
    import torch

    able = torch.cuda.get_device_capability(group.device)
    if able < FLOAT8_FROM:
        return Fault(f"this GPU (compute capability {able[0]}.{able[1]}) multiplies no float8", f"set {instead}")
    if not all(weight.requires_grad for weight in job.model.parameters()):
        return Fault("float8 is for training all weights, and some are frozen here", f"set {instead}")
    return None


def _lacking(package: str, group: Group, instead: str) -> Fault | None:
    """Return what is lacking of a package and of a GPU to run it on."""
    try:
        version(package)
    except PackageNotFoundError:
        return Fault(f"{package} is not installed", f"pip install {package}, or set {instead}")
    if group.device.type != "cuda":
        return Fault(f"{package} needs a GPU, and this runs on the {group.device.type}", f"set {instead}")
    return None


def _put_liger_in(model: Any) -> None:
    """Fuse norms and gated layers of this model; what Liger replaces for all models to come is put back."""
    from liger_kernel.transformers import _apply_liger_kernel_to_instance  # what transformers itself calls

    home = vars(sys.modules[type(model).__module__])
    before = dict(home)
    ours = {"cross_entropy": False, "fused_linear_cross_entropy": False, "rope": False}  # rope only goes for all models
    try:
        _apply_liger_kernel_to_instance(model=model, **ours)
    finally:
        home.update(before)


def _is_even(layer: torch.nn.Module) -> bool:
    from torch.nn import Linear

    return type(layer) is Linear and not any(side % FLOAT8_SIDES for side in layer.weight.shape)


def _plain(layer: torch.nn.Linear) -> torch.nn.Linear:
    from torch.nn import Linear

    plain = Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
    plain.weight, plain.bias = layer.weight, layer.bias
    return plain.train(layer.training)
