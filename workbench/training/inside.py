"""What stands inside a model: the transformers model itself, and its output layer."""

from __future__ import annotations

from typing import Any


def unwrapped(model: Any) -> Any:
    """Return the transformers model inside what DDP, torch.compile and peft put around it."""
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod  # noqa: SLF001  # torch.compile has no public name for it
        elif hasattr(model, "get_base_model"):
            model = model.get_base_model()
        elif hasattr(model, "module") and not hasattr(model, "config"):
            model = model.module
        else:
            return model


def output_layer(model: Any) -> Any:
    """Return the layer that gives a logit for each token; None for a model that has none."""
    return getattr(model, "get_output_embeddings", lambda: None)()
