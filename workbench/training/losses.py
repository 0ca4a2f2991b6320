"""Cross-entropy over labelled tokens, without the logits of all tokens ever being held at once.

The logits of a batch are its largest tensor (4,096 tokens × 32,000 words: half a gigabyte, and as much again for its
softmax and for its gradient), written and read some eight times a step. So the output layer and the loss are worked out
together, a stretch of tokens at a time: the logits of a stretch are turned in place into its gradient, which is
multiplied into the gradients of the states and of the weights at once (as in Liger, Hsu et al. 2024). The numbers are
those of the plain way but for the order of sums.

Shape suffixes: B rows, T tokens of a row, N labelled tokens, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from workbench.training.inside import output_layer

if TYPE_CHECKING:
    import torch

    Measured = tuple[torch.Tensor, dict[str, float]]

IGNORED = -100  # PyTorch's own mark for positions without a label
STRETCH = {"cpu": 1 << 22, "cuda": 1 << 26}  # logits held at once: what the caches hold; a quarter of a gigabyte
FEWEST_ROWS = 256  # of a stretch: below that matrix products are slow

_last_layers: WeakKeyDictionary[torch.nn.Module, bool] = WeakKeyDictionary()


def token_loss(model: torch.nn.Module, inputs: Mapping[str, Any], labels_bt: torch.Tensor) -> Measured:
    """Return the mean cross-entropy in nats over labelled tokens, in float32, and the accuracy there.

    Args:
        model: Any transformers model with a language-model head.
        inputs: What it is called with (`model_inputs`).
        labels_bt: int64[B, T], -100 where nothing is predicted; or any shape with as many places as the logits have.

    The chunked way is taken where the model's output layer is a plain linear one and nothing comes after it, which is
    tried once for each model; else the logits are made. A batch without labels has loss 0 and is connected to the
    weights, so that a training step passes.
    """
    head = _plain_head(model)
    if head is None or not _ends_with(model, head, inputs):
        output = model(**inputs)
        return _balanced(model, output, logits_loss(output.logits, labels_bt))
    with _passed_through(head):
        output = model(**inputs)
    return _balanced(model, output, _linear_loss(head, output.logits.flatten(0, -2), labels_bt.flatten()))


def _linear_loss(head: torch.nn.Linear, states_nd: torch.Tensor, labels_n: torch.Tensor) -> Measured:
    labelled_n = labels_n != IGNORED
    num_labelled = int(labelled_n.sum())
    if num_labelled == 0:
        return states_nd.sum() * 0.0, {"accuracy": 0.0}
    if num_labelled < len(labels_n):
        states_nd, labels_n = states_nd[labelled_n], labels_n[labelled_n]
    loss, correct = _function().apply(states_nd, head.weight, head.bias, labels_n)
    return loss, {"accuracy": correct.item() / num_labelled}


def _balanced(model: Any, output: Any, measured: Measured) -> Measured:
    """Add the loss that spreads tokens over the experts of a mixture, where the model was asked for it.

    It is experts · Σᵢ fᵢ · Pᵢ (Fedus et al. 2022, equation 4), where fᵢ is the share of tokens that expert i was given
    and Pᵢ the mean probability of that; its weight stands in the model's configuration. `token_loss` is the rest.
    """
    balance = getattr(output, "aux_loss", None)
    if balance is None:
        return measured
    loss, metrics = measured
    weight = model.config.router_aux_loss_coef
    return loss + weight * balance, {**metrics, "token_loss": loss.item(), "balance": balance.item()}


def logits_loss(logits_btv: torch.Tensor, labels_bt: torch.Tensor) -> Measured:
    """Return the same from logits that are there already."""
    from torch.nn.functional import cross_entropy

    logits_nv, labels_n = logits_btv.flatten(0, -2), labels_bt.flatten()
    labelled_n = labels_n != IGNORED
    num_labelled = int(labelled_n.sum())
    if 2 * num_labelled < len(labels_n):  # gathering copies the logits: it pays only where most of them fall away
        logits_nv, labels_n = logits_nv[labelled_n], labels_n[labelled_n]
    logits_nv = logits_nv.float()
    loss = cross_entropy(logits_nv, labels_n, ignore_index=IGNORED, reduction="sum") / max(1, num_labelled)
    correct = (logits_nv.detach().argmax(-1) == labels_n).sum() / max(1, num_labelled)
    return loss, {"accuracy": correct.item()}


def _plain_head(model: torch.nn.Module) -> torch.nn.Linear | None:
    """Return the output layer if it is `nn.Linear` itself, on one device, with nothing hooked onto it."""
    from torch.distributed.tensor import DTensor
    from torch.nn import Linear

    head = output_layer(model)
    if type(head) is not Linear or isinstance(head.weight, DTensor) or "forward" in vars(head):
        return None
    if getattr(model, "final_logits_bias", None) is not None:  # BART adds it to the logits, and it is all zeros
        return None
    return None if head._forward_hooks or head._forward_pre_hooks else head  # noqa: SLF001  # no public question


def _ends_with(model: torch.nn.Module, head: torch.nn.Linear, inputs: Mapping[str, Any]) -> bool:
    """Return whether the model's logits are what `head` returns, untouched; asked with one row, once for a model."""
    if model not in _last_layers:
        _last_layers[model] = _try(model, head, inputs)
    return _last_layers[model]


def _try(model: torch.nn.Module, head: torch.nn.Linear, inputs: Mapping[str, Any]) -> bool:
    import torch

    tensors = [value for value in inputs.values() if isinstance(value, torch.Tensor)]
    num_rows = len(tensors[0])
    are_rows = len(tensors) == sum(value is not None and not isinstance(value, bool | int) for value in inputs.values())
    given = {
        name: value[:1] if are_rows and isinstance(value, torch.Tensor) and len(value) == num_rows else value
        for name, value in inputs.items()
    }
    seen: list[torch.Tensor] = []
    hook = head.register_forward_hook(lambda _module, _given, output: seen.append(output))
    was_training = model.training
    devices = [head.weight.device] if head.weight.device.type == "cuda" else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices), torch.compiler.set_stance("force_eager"):
            logits = model.eval()(**given).logits
    finally:
        hook.remove()
        model.train(was_training)
    return len(seen) == 1 and logits.shape == seen[0].shape and bool(torch.equal(logits.float(), seen[0].float()))


@contextmanager
def _passed_through(head: torch.nn.Linear) -> Iterator[None]:
    """Let `head` return what it is given."""
    head.forward = lambda input: input  # type: ignore[method-assign]  # noqa: A006  # nn.Linear's own name
    try:
        yield
    finally:
        del head.forward


def _function() -> Any:
    """Return the autograd function; made on first use, for `torch` is imported late."""
    from workbench.training.linear_loss import LinearLoss

    return LinearLoss
