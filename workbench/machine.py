"""What this machine has: interpreter, packages, processors and accelerators."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

PACKAGES = (
    "torch", "transformers", "tokenizers", "datasets", "peft", "safetensors", "polars", "pyarrow", "pydantic", "numpy",
    "numba", "click", "jupyterlab", "ipywidgets",
)  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """Return `python`, `platform`, `processors`, `devices` and `versions`. Imports torch."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "devices": devices(),
        "versions": {name: installed_version(name) for name in PACKAGES},
    }


def installed_version(package: str) -> str | None:
    """Return the version of a package, None when it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def devices() -> list[str]:
    """Return the names of what torch can compute on."""
    try:
        import torch
    except ImportError as error:
        return [f"torch cannot be imported: {error}"]
    names = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    return ["cpu", *names]
