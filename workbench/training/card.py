"""What a model costs before it is trained: parameters by part, memory, operations, time.

Counts are exact; operations are those of matrix products and attention; activations and speed are measured, with rows
of random tokens, on the device that training would use, in about a second of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.contracts.model import Examples, Objective
from workbench.contracts.tokenizer import Vocab
from workbench.training.device import Precision, autocast
from workbench.training.inside import output_layer
from workbench.training.optimizer import Optimizers, hidden_matrices, trainable
from workbench.training.preparing import blocks
from workbench.training.settings import Optimizer

if TYPE_CHECKING:
    import torch

FLOAT32 = 4  # bytes
MEASURED_SECONDS = 1.0
TRAINING_PASSES = 3  # the way back costs twice the way there (Kaplan et al. 2020, section 2.1)


@dataclass(frozen=True)
class Card:
    """The cost of training a model.

    Attributes:
        parts: Part → parameters; they add up to all of them, shared ones counted once.
        parameters, trained_parameters: All, and those that learn.
        flops_per_token: Operations of one training step for each token, forward and backward.
        memory: Bytes by what needs them: `weights`, `gradients`, `optimizer`, `average`, `activations` (of one
            micro-batch; absent until it is measured).
        tokens_per_second: Measured, with the update of the weights; None until it is.
    """

    parts: Mapping[str, int]
    parameters: int
    trained_parameters: int
    flops_per_token: int
    memory: Mapping[str, int]
    tokens_per_second: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def card_of(model: torch.nn.Module, context: int, optimizer: Optimizer) -> Card:
    """Return the card of a model that is ready to be trained on rows of `context` tokens, nothing measured."""
    trained = trainable(model)
    num_trained = sum(parameter.numel() for parameter in trained.values())
    total = sum(parameter.numel() for parameter in model.parameters())
    by_muon = sum(p.numel() for p in hidden_matrices(model).values()) if optimizer.method == "muon" else 0
    moments = by_muon + 2 * (num_trained - by_muon)
    memory = {"weights": total, "gradients": num_trained, "optimizer": moments}
    if optimizer.average is not None:
        memory["average"] = num_trained
    in_bytes = {name: FLOAT32 * numbers for name, numbers in memory.items()}
    return Card(parts(model), total, num_trained, flops_per_token(model, context), in_bytes)


def parts(model: torch.nn.Module) -> dict[str, int]:
    """Return part → parameters: embeddings, the kinds of parts of the blocks, and what stands outside of both."""
    from torch.nn import Embedding

    seen: set[int] = set()

    def take(module: torch.nn.Module) -> int:
        fresh = {id(p): p.numel() for p in module.parameters() if id(p) not in seen}
        seen.update(fresh)
        return sum(fresh.values())

    found: dict[str, int] = {}
    in_blocks = blocks(model)
    inside = {module for block in in_blocks for module in block.modules()}
    outside = [module for module in model.modules() if isinstance(module, Embedding) and module not in inside]
    found["embeddings"] = sum(map(take, outside))
    for block in in_blocks:
        for name, child in block.named_children():
            key = f"{len(in_blocks)} blocks: {name}"
            found[key] = found.get(key, 0) + take(child)
        found["blocks: other"] = found.get("blocks: other", 0) + take(block)
    found["head and the rest"] = take(model)
    return {name: numbers for name, numbers in found.items() if numbers}


def flops_per_token(model: torch.nn.Module, context: int) -> int:
    """Return the operations of a training step for each token of a full row.

    Two for each weight of a matrix product (an output layer that shares the embeddings is one), and
    4 · layers · context · width for the products of attention, of which a causal one needs half; three times that with
    the way back. Of a mixture of experts a token passes those that its router picks.
    """
    from torch.nn import Embedding

    config = getattr(model, "config", None)
    looked_up = {id(m.weight): m.weight.numel() for m in model.modules() if isinstance(m, Embedding)}
    head = output_layer(model)
    if head is not None:
        looked_up.pop(id(head.weight), None)
    experts = getattr(config, "num_local_experts", None) or getattr(config, "num_experts", None)
    picked = getattr(config, "num_experts_per_tok", None)
    share = picked / experts if experts and picked else 1.0
    weights = sum(
        p.numel() * (share if ".experts." in name else 1.0)
        for name, p in model.named_parameters()
        if p.ndim > 1 and id(p) not in looked_up
    )
    layers, width = len(blocks(model)), getattr(config, "hidden_size", 0) or getattr(config, "d_model", 0)
    pairs = 4 * layers * context * width * (0.5 if _is_causal(model) else 1.0)
    return round(TRAINING_PASSES * (2 * weights + pairs))


def _is_causal(model: torch.nn.Module) -> bool:
    if getattr(getattr(model, "config", None), "model_type", "") == "mpt":  # its attention does not say so
        return True
    return any(getattr(module, "is_causal", False) for module in model.modules())


@dataclass(frozen=True)
class Trial:
    """What is measured: rows of one micro-batch, on a device.

    Attributes:
        objective: Makes batch and loss.
        vocab: The model's vocabulary; `max_length` is the length of the rows.
        rows: Rows of a micro-batch.
        optimizer: How weights are updated.
        precision: Of the matrix products.
        device: Where.
    """

    objective: Objective
    vocab: Vocab
    rows: int
    optimizer: Optimizer
    precision: Precision
    device: torch.device


def measure(model: torch.nn.Module, card: Card, trial: Trial) -> Card:
    """Return the card with `activations` and `tokens_per_second` measured. Changes the weights of `model`."""
    model = model.to(trial.device).train()
    optimizers = Optimizers(model, trial.optimizer)
    batch = _random_batch(trial)

    def step() -> None:
        with autocast(trial.device, trial.precision):
            loss, _ = trial.objective.loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizers.step(1e-6)
        if trial.device.type == "cuda":
            _wait()

    activations = _held_bytes(step, set(map(id, model.parameters())))
    began, steps = perf_counter(), 0
    while perf_counter() - began < MEASURED_SECONDS or not steps:
        step()
        steps += 1
    rate = steps * trial.rows * trial.vocab.max_length / (perf_counter() - began)
    memory = {**card.memory, "activations": activations}
    return Card(card.parts, card.parameters, card.trained_parameters, card.flops_per_token, memory, round(rate, 1))


def _wait() -> None:
    import torch

    torch.cuda.synchronize()


def _held_bytes(step: Any, weights: set[int]) -> int:
    """Return the bytes that the way there keeps for the way back, weights not counted, each storage once."""
    import torch

    seen: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in weights and not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(seen.values())


def _random_batch(trial: Trial) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(1)
    length = trial.vocab.max_length
    special = {trial.vocab.pad, trial.vocab.eos, trial.vocab.bos, trial.vocab.mask, trial.vocab.cls, trial.vocab.sep}
    plain = np.setdiff1d(np.arange(trial.vocab.size - trial.vocab.num_marks), [i for i in special if i is not None])
    rows = [
        {
            "input_ids": rng.choice(plain, length),
            "segment_ids": np.ones(length, dtype=np.int64),
            "position_ids": np.arange(length),
        }
        for _ in range(trial.rows)
    ]
    batch = trial.objective.collate(Examples(rows, trial.vocab), rng)
    return {name: tensor.to(trial.device) for name, tensor in batch.items()}
