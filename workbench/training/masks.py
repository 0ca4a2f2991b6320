"""Packed documents never see each other.

Hugging Face models mix the documents of a packed row silently: with `use_cache` left on, with a 2D mask of ones,
and (eager attention) with a boolean 4D mask. Encoders with learned positions ignore restarted position ids. What
does hold everywhere is an additive float mask in four dimensions, so that is what every model gets here. It costs
B·T·T floats, which is little beside the attention itself.

Shapes: B rows, T tokens in a row (queries), S the same tokens as keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.errors import PluginError

if TYPE_CHECKING:
    import torch

PASSED_ON = ("token_type_ids",)


def model_inputs(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> dict[str, object]:
    """Return what a transformers model needs so that each document of a row is on its own.

    Args:
        model: Any transformers model, also wrapped by peft. Whether it looks ahead is read from its attention.
        batch: `input_ids` int[B, T] and `segment_ids` int[B, T] (the document a token belongs to, numbered within
            the row; 0 is padding). `position_ids` int[B, T] may be given; else they count from 0 in each document.
            `token_type_ids` is passed on.

    Returns:
        `input_ids`, `position_ids`, `attention_mask` float[B, 1, T, S], and `use_cache=False` for decoders.
    """
    segment_ids_bt = batch["segment_ids"]
    is_causal = looks_back_only(model)
    position_ids_bt = batch.get("position_ids")
    inputs: dict[str, object] = {
        "input_ids": batch["input_ids"],
        "position_ids": positions(segment_ids_bt) if position_ids_bt is None else position_ids_bt,
        "attention_mask": additive_mask(segment_ids_bt, causal=is_causal),
        **{name: batch[name] for name in PASSED_ON if name in batch},
    }
    if is_causal:
        inputs["use_cache"] = False
    return inputs


def additive_mask(segment_ids_bt: torch.Tensor, *, causal: bool) -> torch.Tensor:
    """Return float[B, 1, T, S]: 0 where a token may look, the most negative bfloat16 elsewhere.

    Padding (segment 0) sees padding only, so that no row of the softmax is empty. The value is finite in every
    dtype that autocast may choose.
    """
    import torch

    visible_bts = segment_ids_bt[:, :, None] == segment_ids_bt[:, None, :]
    if causal:
        visible_bts = visible_bts.tril()
    hidden = torch.finfo(torch.bfloat16).min
    mask_bts = torch.zeros(visible_bts.shape, dtype=torch.float32, device=segment_ids_bt.device)
    return mask_bts.masked_fill_(~visible_bts, hidden)[:, None]


def positions(segment_ids_bt: torch.Tensor) -> torch.Tensor:
    """Return int64[B, T]: the place of each token in its document, as far as the document lies in this row.

    >>> import torch
    >>> positions(torch.tensor([[1, 1, 1, 2, 2, 0]]))
    tensor([[0, 1, 2, 0, 1, 0]])
    """
    import torch

    place_t = torch.arange(segment_ids_bt.shape[1], device=segment_ids_bt.device)
    starts_bt = torch.ones_like(segment_ids_bt, dtype=torch.bool)
    starts_bt[:, 1:] = segment_ids_bt[:, 1:] != segment_ids_bt[:, :-1]
    first_bt = torch.where(starts_bt, place_t, 0).cummax(dim=1).values
    return place_t - first_bt


def looks_back_only(model: torch.nn.Module) -> bool:
    """Return whether the model's self-attention is causal. Raises `PluginError` for a model without attention."""
    for module in model.modules():
        causal = getattr(module, "is_causal", None)
        if causal is not None:
            return bool(causal)
    raise PluginError(
        f"cannot tell whether {type(model).__name__} looks ahead: none of its modules says `is_causal`",
        expected="a transformers model with attention",
    )
