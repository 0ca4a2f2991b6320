"""The one training loop, for pretraining and tuning alike.

Special here: everything random at step N (the examples, what is masked, dropout) is a pure function of (seed, N), so
a run that was killed goes on from its last checkpoint with the same bits, and any step can be traced back to its
documents. Micro-batches are weighted by the labels they hold, so accumulation gives the gradient of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.contracts import model as contract
from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Vocab
from workbench.errors import Interrupted, StepError
from workbench.files.atomic import write_json
from workbench.training.checkpoint import Checkpoints, State
from workbench.training.curve import Curve
from workbench.training.data import Examples, Indices
from workbench.training.device import Precision, autocast, choose_device, repeatable
from workbench.training.optimizer import make_optimizer, optimizer_state, restore_optimizer, trainable
from workbench.training.order import batch_examples
from workbench.training.reporting import Reporter
from workbench.training.schedule import learning_rate
from workbench.training.settings import Optimizer

if TYPE_CHECKING:
    import torch

    Batch = dict[str, torch.Tensor]

IGNORED = -100  # the label of a position that is not predicted, PyTorch's own
IDS_SHOWN = 20


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


def train(job: Job, ctx: Context) -> Curve:
    """Train `job.model` in place and return the curve. Goes on from a checkpoint in `ctx.partial` if there is one.

    Raises `StepError` when nothing is trainable, when there are no examples, and when the loss or the gradient is no
    finite number; `Interrupted` when the user asked to stop, after saving a checkpoint.
    """
    if not len(job.train):
        raise StepError(
            "there is nothing to train on", where=ctx.step, expected="at least one full row of `context` tokens"
        )
    if not trainable(job.model):
        raise StepError("every weight is frozen", where=ctx.step, advice="choose another tuning method")
    device = choose_device(ctx.device)
    with repeatable(device, ctx.threads):
        return _Loop(job, ctx, device).run()


class _Loop:
    """The state of one run of the loop."""

    def __init__(self, job: Job, ctx: Context, device: torch.device) -> None:
        self.job = job
        self.ctx = ctx
        self.device = device
        self.model = job.model.to(device)
        self.parameters = list(trainable(self.model).values())
        self.optimizer = make_optimizer(self.model, job.optimizer)
        self.checkpoints = Checkpoints(ctx.partial, job.checkpoint_seconds, ctx.log)
        self.curve = Curve()
        self.num_tokens = 0

    def run(self) -> Curve:
        """Run every step that is not done yet."""
        first = self.restore() + 1
        reporter = Reporter(self.ctx, self.job.num_steps, first)
        step = first - 1
        try:
            for step in range(first, self.job.num_steps + 1):
                numbers = batch_examples(self.ctx.seed, step, self.job.batch_size, len(self.job.train))
                num_tokens = self.job.train.num_tokens(numbers)
                self.num_tokens += num_tokens
                values = {"tokens": float(self.num_tokens), **self.update(step, numbers)}
                if step % self.job.eval_every == 0 or step == self.job.num_steps:
                    values |= self.validate()
                self.curve.add({"number": float(step), **values})
                if self.checkpoints.is_due() and step < self.job.num_steps:
                    self.checkpoints.save(self.state(step))
                reporter.step(step, num_tokens, values)
        except Interrupted:
            self.checkpoints.save(self.state(step))
            raise
        finally:
            reporter.close()
        self.model.eval()
        return self.curve

    def update(self, step: int, numbers: Indices) -> dict[str, float]:
        """Update the weights once; return loss, learning rate, gradient norm and what the objective measures."""
        import torch

        self.model.train()
        rate = learning_rate(self.job.optimizer, step, self.job.num_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(int(self.ctx.rng_for(f"step {step}").integers(1 << 63)))
        loss, metrics = self.backward(step, numbers)
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.job.optimizer.clip or math.inf))
        for name, value in (("loss", loss), ("gradient norm", norm)):
            if not math.isfinite(value):
                self.stop(step, numbers, f"the {name} is {value}")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {**metrics, "loss": loss, "learning_rate": rate, "gradient_norm": norm}

    def backward(self, step: int, numbers: Indices) -> tuple[float, dict[str, float]]:
        """Add up the gradient of a batch, micro-batch by micro-batch; return its loss and metrics."""
        pieces = np.array_split(np.asarray(numbers), min(self.job.accumulate, len(numbers)))
        batches = [self.collate(self.job.train, piece, f"batch {step}/{part}") for part, piece in enumerate(pieces)]
        weights = label_shares(batches)
        total, sums = 0.0, dict[str, float]()
        for batch, weight in zip(batches, weights, strict=True):
            loss, metrics = self.loss(batch)
            penalty = self.job.tuning.penalty(self.model) if self.job.tuning else None
            objective = loss if penalty is None else loss + penalty
            (objective * weight).backward()  # type: ignore[no-untyped-call]
            total += loss.item() * weight
            for name, value in metrics.items():
                sums[name] = sums.get(name, 0.0) + value * weight
        return total, sums

    def loss(self, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the objective's loss and metrics of one micro-batch."""
        with autocast(self.device, self.job.precision):
            return self.job.objective.loss(self.model, batch)

    def collate(self, examples: Examples, numbers: Indices, purpose: str) -> Batch:
        """Return the tensors of these examples on the device."""
        rows = contract.Examples(examples.rows(numbers), self.job.vocab)
        batch = self.job.objective.collate(rows, self.ctx.rng_for(purpose))
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}

    def validate(self) -> dict[str, float]:
        """Return the loss on the first `eval_rows` examples of the valid part, the same ones each time."""
        import torch

        examples = self.job.valid
        if examples is None or not len(examples):
            return {}
        self.model.eval()
        numbers = np.arange(min(self.job.eval_rows, len(examples)))
        size = max(1, self.job.batch_size // self.job.accumulate)
        pieces = np.array_split(numbers, -(-len(numbers) // size))
        batches = [self.collate(examples, piece, f"valid {part}") for part, piece in enumerate(pieces)]
        with torch.no_grad():
            losses = [self.loss(batch)[0].item() for batch in batches]
        return {"valid_loss": math.fsum(map(math.prod, zip(losses, label_shares(batches), strict=True)))}

    def state(self, step: int) -> State:
        """Return what a checkpoint holds: what learns, buffers, the optimizer, the curve. Frozen weights are not in it."""
        import torch

        kept = {f"model/{name}": tensor.detach() for name, tensor in self._kept().items()}
        moments = {f"optimizer/{name}": value for name, value in optimizer_state(self.model, self.optimizer).items()}
        tensors = {name: tensor.contiguous() for name, tensor in (kept | moments).items()}
        tensors["curve"] = torch.from_numpy(self.curve.array())
        return State(step, tensors, {"columns": self.curve.columns, "tokens": self.num_tokens, **self._machine()})

    def restore(self) -> int:
        """Put back the newest whole checkpoint; return its step, or 0 when there is none."""
        import torch

        state = self.checkpoints.newest()
        if state is None:
            return 0
        with torch.no_grad():
            for name, tensor in self._kept().items():
                tensor.copy_(state.tensors[f"model/{name}"])
        moments = {
            name.removeprefix("optimizer/"): value
            for name, value in state.tensors.items()
            if name.startswith("optimizer/")
        }
        restore_optimizer(self.model, self.optimizer, moments)
        self.curve = Curve(tuple(state.facts["columns"]), state.tensors["curve"].numpy())
        self.num_tokens = state.facts["tokens"]
        self.ctx.log(f"going on after step {state.step}")
        changed = [name for name, value in self._machine().items() if state.facts.get(name) != value]
        if changed:
            self.ctx.log(f"{' and '.join(changed)} changed since then: last digits may differ from a run in one piece")
        return state.step

    def _kept(self) -> dict[str, torch.Tensor]:
        buffers = dict(self.model.named_buffers())
        persistent = {name: buffers[name] for name in self.model.state_dict() if name in buffers}
        return {**trainable(self.model), **persistent}

    def _machine(self) -> dict[str, Any]:
        return {"device": self.device.type, "threads": self.ctx.threads}

    def stop(self, step: int, numbers: Indices, what: str) -> None:
        """Raise `StepError` with the documents of the batch; all of them are written beside the checkpoints."""
        documents = self.job.train.document_ids(numbers)
        with suppress(OSError):  # the message matters more
            write_json(self.ctx.partial / "stopped.json", {"step": step, "what": what, "documents": documents})
        more = f" and {len(documents) - IDS_SHOWN} more in stopped.json there" if len(documents) > IDS_SHOWN else ""
        saved = self.checkpoints.steps()
        raise StepError(
            f"{what} at step {step} of {self.job.num_steps}; the last good checkpoint is "
            + (f"that of step {saved[-1]} in {self.ctx.partial}" if saved else "none yet"),
            where=self.ctx.step,
            expected=f"a finite number from documents {', '.join(documents[:IDS_SHOWN])}{more}",
            advice="look at these documents with `workbench trace`, or set a lower optimizer.lr or optimizer.clip",
        )


def label_shares(batches: list[Batch]) -> list[float]:
    """Return the share of the labels that each micro-batch holds; of its rows where there are no labels at all."""
    counts = [_num_labels(batch) for batch in batches]
    total = sum(counts)
    return [count / total if total else 1 / len(batches) for count in counts]


def _num_labels(batch: Mapping[str, torch.Tensor]) -> int:
    labels = batch.get("labels")
    return len(next(iter(batch.values()))) if labels is None else int((labels != IGNORED).sum())
