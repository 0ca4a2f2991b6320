"""Where training runs, and in which precision.

`auto` takes the GPU when there is one. Matrix products run in bfloat16 where the hardware multiplies it (a GPU; a CPU
with AMX tiles, 1.6 to 1.8 times the tokens per second of float32, or with AVX512-BF16, 1.2 to 1.7 times); on any other
CPU bfloat16 is emulated and slower, so everything stays in float32. Weights and optimizer state are always float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "bfloat16", "float8"]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device meant by `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises `UsageError` for another name and `EnvironmentProblem` when that GPU is not there.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise UsageError(f"unknown device {name!r}", expected="auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise EnvironmentProblem(
            f"there is no GPU {name!r}",
            expected=f"{torch.cuda.device_count()} visible to torch {torch.__version__}",
            advice="choose --device cpu or auto",
        )
    return torch.device(name)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies bfloat16 matrices by itself."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    asked = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)  # noqa: SLF001  # no public question
    return any(is_supported() for is_supported in asked)


def autocast(device: torch.device, precision: Precision = "auto") -> AbstractContextManager[object]:
    """Return the context that forward passes run in: bfloat16 where it pays (or is asked for), else nothing.

    With float8 it is bfloat16, too: of what is not a product of matrices, and of their results.
    """
    import torch

    if precision == "float32" or (precision == "auto" and not multiplies_bfloat16(device)):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


@contextmanager
def repeatable(device: torch.device, threads: int) -> Iterator[None]:
    """Make every operation inside give the same bits again: a fixed number of threads, no racing additions.

    Sums are split by thread, so another number of threads may change last digits. On a GPU some kernels have no
    ordered form; there results agree within rounding only. What was set before is restored.
    """
    import torch
    from torch.utils import deterministic

    mkldnn: Any = torch.backends.mkldnn  # its flags are made at run time
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), mkldnn.deterministic)
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(max(1, threads))
    torch.use_deterministic_algorithms(device.type == "cpu")
    mkldnn.deterministic = True  # bfloat16 products: parts of a sum are added in order, not as threads finish
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nothing is read before it is written
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        mkldnn.deterministic = before[2]
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
