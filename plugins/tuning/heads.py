"""Where the prediction head of a transformers model is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

POOLER = "pooler"  # part of the head: pretraining with a language-model head never trains it


def head_modules(model: PreTrainedModel) -> dict[str, torch.nn.Module]:
    """Return name → module of everything above the stack of blocks: the head and the pooler that feeds it.

    A body alone has nothing above it. Where both stacks and the head stand side by side, as in T5, it is the output layer.
    """
    body = model.base_model_prefix
    if model.base_model is model:
        output = model.get_output_embeddings()
        return {name: module for name, module in model.named_children() if module is output}
    heads = {name: module for name, module in model.named_children() if name != body and has_weights(module)}
    pooler = getattr(model.base_model, POOLER, None)
    if pooler is not None:
        heads[f"{body}.{POOLER}"] = pooler
    return heads


def has_weights(module: torch.nn.Module) -> bool:
    """Return whether a module holds any parameter (a dropout does not)."""
    return next(module.parameters(), None) is not None
