"""The mask compiler: packed documents never see each other, whatever the model and its attention.

Hugging Face models (5.23) mix the documents of a packed row silently: with `use_cache` left on, with a 2D mask of
ones, and (eager attention) with a boolean 4D mask. What each of them needs instead is worked out here, in one place:

    eager, SDPA     an additive float mask in four dimensions; it costs B·T·S floats
    FlexAttention   a block mask; a dense one is far slower there
    FlashAttention  all rows laid one behind the other, with the ends of their documents (`cu_seqlens`)
    MPT             a boolean mask that is true where tokens are hidden
    sliding windows one mask for each kind of layer: a mask in four dimensions replaces their window
    experts         in training no mask but positions: their routers are asked for, and take no mask in four dimensions
    RoBERTa         positions that begin behind the padding token's id
    BART            embeddings instead of ids: its positions count from the row's begin and cannot be given
    encoder-decoder the encoder run on its own: transformers has one mask for the encoder and for the look across
    XLNet           who sees whom as `perm_mask`, what is asked for as `target_mapping`; one that sees nothing would see all

No model ever gets `labels`: losses are ours (T5 and XLNet would want them contiguous, and shift them across documents).

Shapes: B rows, T tokens of a row, S tokens of the encoder's row, N asked-for tokens of a row.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.errors import PluginError, StepError
from workbench.training.inside import unwrapped
from workbench.training.visibility import Visibility, document_ends, positions

if TYPE_CHECKING:
    import torch

    Batch = Mapping[str, torch.Tensor]

__all__ = ["known_positions", "looks_back_only", "model_inputs", "positions"]

PASSED_ON = ("token_type_ids", "segment_ids")  # where the model takes them


def model_inputs(model: torch.nn.Module, batch: Batch) -> dict[str, Any]:
    """Return what a transformers model needs so that each document of a row is on its own.

    Args:
        model: Any transformers model, also wrapped by peft, DDP or torch.compile. What it may see is read from it.
        batch: `input_ids` int[B, T] and `segment_ids` int[B, T] (the document a token belongs to, numbered within
            the row; 0 is padding). `position_ids` int[B, T] may be given; else they count from 0 in each document.
            `token_type_ids` is passed on. By the model's family there may be

            - prefix decoder: `prefix_mask` bool[B, T], true for tokens that are read from both sides;
            - encoder-decoder: `decoder_input_ids` and `decoder_segment_ids`, each int[B, T], where equal segments
              belong together; without them the decoder reads the encoder's tokens moved by one;
            - permutation: `order` int[B, T], the rank in which a token is predicted (0 for those that are given), and
              `target_positions` int[B, N], the places that are asked for. Without them every token sees its document.

    Returns:
        Keyword arguments for `model`. Token outputs are [B, T, …] ([1, B·T, …] with FlashAttention, [B, N, …] for a
        permutation model that was asked for N places).
    """
    config = unwrapped(model).config
    if config.is_encoder_decoder:
        return _two_stacks(model, batch)
    if config.model_type == "xlnet":
        return _two_streams(unwrapped(model), batch)
    return _one_stack(model, batch)


def looks_back_only(model: torch.nn.Module) -> bool:
    """Return whether the model's self-attention is causal. Raises `PluginError` for a model without attention."""
    for module in model.modules():
        causal = getattr(module, "is_causal", None)
        if causal is not None:
            return bool(causal)
    if getattr(unwrapped(model), "config", None) is not None and unwrapped(model).config.model_type == "mpt":
        return True  # the one causal decoder of transformers 5.23 whose attention does not say so
    raise PluginError(
        f"cannot tell whether {type(model).__name__} looks ahead: none of its modules says `is_causal`",
        expected="a transformers model with attention",
    )


def known_positions(model: torch.nn.Module) -> int | None:
    """Return the longest row that a transformers model has positions for; None where it tells distances only.

    RoBERTa's table of positions has rows before the first one; XLNet gives its length as -1.
    """
    bare = unwrapped(model)
    known = int(getattr(bare.config, "max_position_embeddings", None) or 0) - _first_position(bare)
    return known if known > 0 else None


def _one_stack(model: torch.nn.Module, batch: Batch) -> dict[str, Any]:
    bare = unwrapped(model)
    segments_bt = batch["segment_ids"]
    is_causal = looks_back_only(model)
    is_prefix = getattr(bare.config, "attention_pattern", "") == "prefix"
    rule = Visibility(
        segments_bt,
        segments_bt,
        "prefix" if is_prefix else "causal" if is_causal else "bidirectional",
        prefix=_prefix(bare, batch) if is_prefix else None,
    )
    taken = _parameters(bare)
    inputs: dict[str, Any] = {"input_ids": batch["input_ids"]}
    inputs |= {name: batch[name] for name in PASSED_ON if name in batch and name in taken}
    if getattr(bare.config, "type_vocab_size", 2) == 1:  # RoBERTa has a parameter for them, and a table of one row
        inputs.pop("token_type_ids", None)
    if "position_ids" in taken:
        given_bt = batch.get("position_ids")
        inputs["position_ids"] = (positions(segments_bt) if given_bt is None else given_bt) + _first_position(bare)
    if "use_cache" in taken:
        inputs["use_cache"] = False
    if bare.training and "output_router_logits" in taken:
        return {**inputs, "position_ids": positions(segments_bt), "output_router_logits": True}
    if str(bare.config._attn_implementation).startswith("flash_attention"):  # noqa: SLF001  # transformers' only name
        return _laid_out(inputs, rule)
    return {**inputs, "attention_mask": _for_layers(rule, bare.config)}


def _prefix(model: Any, batch: Batch) -> torch.Tensor | None:
    """Return bool[B, T]: what is read from both sides. All of it where nothing is written, under a task's head."""
    import torch

    if "prefix_mask" in batch or model.get_output_embeddings() is not None:
        return batch.get("prefix_mask")
    return torch.ones_like(batch["segment_ids"], dtype=torch.bool)


def _for_layers(rule: Visibility, config: Any) -> Any:
    """Return one mask, or one for each kind of layer where some look at a window only."""
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    kinds = set(getattr(config, "layer_types", None) or ())
    if window is None or kinds == {"full_attention"}:
        return _mask(rule, config)
    near = replace(rule, window=window)
    if kinds == {"full_attention", "sliding_attention"}:
        return {"full_attention": _mask(rule, config), "sliding_attention": _mask(near, config)}
    return _mask(near, config)


def _mask(rule: Visibility, config: Any) -> Any:
    attention = config._attn_implementation  # noqa: SLF001  # transformers' only name for it
    if config.model_type == "mpt":
        return ~rule.dense()[:, None]
    return rule.blocks() if attention == "flex_attention" else rule.additive()


def _laid_out(inputs: dict[str, Any], rule: Visibility) -> dict[str, Any]:
    """Return the rows one behind the other, with the ends of their documents, for FlashAttention.

    Raises `PluginError` for a prefix, which FlashAttention has no words for.
    """
    if rule.pattern == "prefix":
        raise PluginError("FlashAttention knows no prefix masks", expected="sdpa, flex_attention or eager attention")
    ends_d, longest = document_ends(rule.query_segments)
    flat = {name: value.flatten()[None] if hasattr(value, "flatten") else value for name, value in inputs.items()}
    return {
        **flat,
        "cu_seq_lens_q": ends_d,
        "cu_seq_lens_k": ends_d,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def _two_stacks(model: torch.nn.Module, batch: Batch) -> dict[str, Any]:
    """Return the inputs of an encoder-decoder; its encoder is run here."""
    bare = unwrapped(model)
    segments_bs = batch["segment_ids"]
    is_task = "decoder_input_ids" not in batch
    written_bt = _moved(batch, bare.config) if is_task else batch["decoder_input_ids"]
    written_segments_bt = segments_bs if is_task else batch["decoder_segment_ids"]
    encoder, decoder = bare.get_encoder(), bare.get_decoder()
    read = Visibility(segments_bs, segments_bs, "bidirectional")
    written = Visibility(written_segments_bt, written_segments_bt, "causal")
    across = Visibility(written_segments_bt, segments_bs, "bidirectional")
    encoded = encoder(
        **_embedded(encoder, batch["input_ids"], segments_bs),
        attention_mask=_mask(read, bare.config),
    )
    decoder_inputs = _embedded(decoder, written_bt, written_segments_bt)
    return {
        "encoder_outputs": encoded,
        "attention_mask": _mask(across, bare.config),
        **{f"decoder_{name}": value for name, value in decoder_inputs.items()},
        "decoder_attention_mask": _mask(written, bare.config),
        "use_cache": False,
        **({"input_ids": batch["input_ids"]} if is_task else {}),  # heads on both look for the end token in them
    }


def _moved(batch: Batch, config: Any) -> torch.Tensor:
    """Return the encoder's tokens one place later, behind the token that decoders begin with."""
    ids_bt = batch["input_ids"].roll(1, dims=1)
    ids_bt[:, 0] = config.decoder_start_token_id
    return ids_bt


def _embedded(stack: torch.nn.Module, ids_bt: torch.Tensor, segments_bt: torch.Tensor) -> dict[str, Any]:
    """Return `input_ids`, or `inputs_embeds` for stacks that count positions over documents.

    The stack will add the positions of the row; these are taken away beforehand and those within documents added.
    Raises `StepError` for a row that is longer than the table of positions: what is written of short documents can be
    longer than they are.
    """
    import torch

    places: Any = getattr(stack, "embed_positions", None)
    known = len(getattr(places, "weight", ())) - getattr(places, "offset", 0)
    if 0 < known < ids_bt.shape[1]:
        raise StepError(
            f"a row of {ids_bt.shape[1]} tokens came out of the objective, but the model knows {known} positions",
            advice="pack tokens with a smaller context, or drop the shortest documents",
        )
    within_bt = positions(segments_bt)
    row_t = torch.arange(ids_bt.shape[1], device=ids_bt.device)
    if places is None or bool((within_bt == row_t).all()):
        return {"input_ids": ids_bt}
    tokens: Any = stack.embed_tokens
    offset = getattr(places, "offset", 0)
    shift_btd = places.weight[within_bt + offset] - places.weight[row_t + offset]
    return {"inputs_embeds": tokens(ids_bt) + shift_btd}


def _two_streams(model: Any, batch: Batch) -> dict[str, Any]:
    """Return the inputs of XLNet: its masks are 1 where a token is hidden.

    A head for a whole text looks at the last token, so padding is moved to the front there.
    """
    import torch

    if hasattr(model, "sequence_summary"):
        batch = {name: _padded_first(value, batch["segment_ids"]) for name, value in batch.items() if value.ndim > 1}
    segments_bt = batch["segment_ids"]
    rule = Visibility(segments_bt, segments_bt, "permutation", order=batch.get("order"))
    visible_btt = rule.dense()
    inputs: dict[str, Any] = {
        "input_ids": batch["input_ids"],
        "perm_mask": (~visible_btt).float(),
        "use_mems": False,
        **{name: batch[name] for name in ("token_type_ids",) if name in batch},
    }
    if "target_positions" in batch:
        asked_bn = batch["target_positions"]
        sees_bn = visible_btt.any(dim=2).gather(1, asked_bn)
        if not bool(sees_bn.all()):
            raise PluginError(
                "a token is to be predicted that sees no other one; XLNet would look at all, itself included",
                expected="a rank of 0 for at least one other token of its document",
            )
        inputs["target_mapping"] = torch.nn.functional.one_hot(asked_bn, segments_bt.shape[1]).float()
    return inputs


def _padded_first(values_bt: torch.Tensor, segments_bt: torch.Tensor) -> torch.Tensor:
    """Return each row turned so that the padding at its end stands at its begin."""
    import torch

    length = segments_bt.shape[1]
    used_b = (segments_bt > 0).sum(dim=1, keepdim=True)
    place_t = torch.arange(length, device=segments_bt.device)
    return values_bt.gather(1, (place_t + used_b) % length)


def _first_position(model: Any) -> int:
    """Return the number of the first position: RoBERTa's begin behind the padding token's id."""
    places = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(places, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def _parameters(model: torch.nn.Module) -> frozenset[str]:
    return frozenset(inspect.signature(type(model).forward).parameters)
