"""What the training loop is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.contracts import model as contract
from workbench.contracts.tokenizer import Vocab
from workbench.training.batching import Order
from workbench.training.data import Examples
from workbench.training.device import Precision
from workbench.training.settings import Optimizer

if TYPE_CHECKING:
    import torch

Keep = Literal["last", "best"]
OnSpike = Literal["note", "skip", "stop"]
Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Job:
    """What is to be trained on what, for how long.

    Attributes:
        model: The model, `requires_grad` set.
        objective: Makes batches and losses.
        tuning: May add a penalty to the loss; None for pretraining.
        train, valid: The examples.
        vocab: The model's vocabulary.
        optimizer: How weights are updated.
        num_steps: Updates.
        batch_size: Examples in each.
        accumulate: Into how many micro-batches each is cut.
        eval_every: Steps between two measurements on `valid`.
        eval_rows: Examples of `valid` that are measured.
        precision: Of the matrix products.
        checkpoint_seconds: Time between two checkpoints; 0 saves after each step.
        order: Which examples a step sees.
        patience: Measurements without a lower valid loss after which training ends; None: never before `num_steps`.
        keep: Which weights are left in the model: those of the last step, or those with the lowest valid loss.
        on_spike: What is done about a loss far above those before it.
        recompute: Whether activations are worked out again on the way back instead of being held.
        compile: Whether the blocks are compiled.
        kernels: Whether Liger's fused kernels are used.
        flash: Whether FlashAttention is used.
        shard: Whether several processes split the weights among them; else each holds all of them.
    """

    model: torch.nn.Module
    objective: contract.Objective
    tuning: contract.Tuning | None
    train: Examples
    valid: Examples | None
    vocab: Vocab
    optimizer: Optimizer
    num_steps: int
    batch_size: int
    accumulate: int
    eval_every: int
    eval_rows: int
    precision: Precision
    checkpoint_seconds: float
    order: Order = "shuffled"
    patience: int | None = None
    keep: Keep = "last"
    on_spike: OnSpike = "note"
    recompute: bool = False
    compile: Switch = "off"
    shard: Switch = "auto"
    kernels: Switch = "off"
    flash: Switch = "off"
