"""The one training loop, for pretraining and tuning alike.

Special here: everything random at step N (the examples, what is masked, dropout) is a pure function of (seed, N), so
a run that was killed goes on from its last checkpoint with the same bits, and any step can be traced back to its
documents. Micro-batches, and the shares of several processes, are weighted by the labels they hold, so that their sum
is the gradient of the whole batch.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from workbench.contracts.context import Context
from workbench.errors import Interrupted, StepError
from workbench.training import extras
from workbench.training.ahead import Shares
from workbench.training.average import Average
from workbench.training.checkpoint import Checkpoints, State
from workbench.training.curve import Curve
from workbench.training.device import autocast, choose_device, repeatable
from workbench.training.group import Group, joined
from workbench.training.guards import Guard
from workbench.training.job import Job
from workbench.training.optimizer import Optimizers, trainable
from workbench.training.patience import best_step, is_over
from workbench.training.preparing import compiles, gather, is_split, prepare
from workbench.training.reporting import Reporter
from workbench.training.schedule import learning_rate

if TYPE_CHECKING:
    import torch

    Batch = dict[str, torch.Tensor]

__all__ = ["Job", "train"]


def train(job: Job, ctx: Context) -> Curve:
    """Train `job.model` in place and return the curve. Goes on from a checkpoint in `ctx.partial` if there is one.

    Raises `StepError` when nothing is trainable, when there are no examples, when `patience` or `keep: best` have no
    valid part to measure, when several processes would cut up rows that are compared, and when the loss or the gradient
    is no finite number; `Interrupted` when the user asked to stop, after saving a checkpoint.
    """
    _check(job, ctx)
    device = choose_device(ctx.device)
    with repeatable(device, ctx.threads), joined(ctx, device) as group:
        return _Loop(job, ctx, group).run()


def _check(job: Job, ctx: Context) -> None:
    if ctx.processes > 1 and job.objective.compares_rows:
        raise StepError(
            f"{job.objective.component_id} compares every row of a batch with all others, and {ctx.processes} processes "
            "would have some each: another loss than that of one",
            where=ctx.step,
            expected="run: {executor: local} for this step",
        )
    if not len(job.train):
        raise StepError(
            "there is nothing to train on", where=ctx.step, expected="at least one full row of `context` tokens"
        )
    if not trainable(job.model):
        raise StepError("every weight is frozen", where=ctx.step, advice="choose another tuning method")
    if (job.valid is None or not len(job.valid)) and (job.patience is not None or job.keep == "best"):
        name = "patience" if job.patience is not None else "keep: best"
        raise StepError(
            f"{name} goes by the valid loss, and there is no valid part",
            where=ctx.step,
            advice="add a step corpus/split with a valid part, or leave the setting out",
        )


class _Loop:
    """The state of one run of the loop."""

    def __init__(self, job: Job, ctx: Context, group: Group) -> None:
        self.job = job
        self.ctx = ctx
        self.group = group
        self.is_split = is_split(job, group)
        self.attention = extras.attention_of(job.model)
        self.model, self.of_batch = prepare(job, group)
        self.parameters = trainable(self.model)
        self.optimizers = Optimizers(self.model, job.optimizer)
        self.average = Average(self.parameters, job.optimizer.average) if job.optimizer.average else None
        self.best: dict[str, torch.Tensor] = {}
        self.checkpoints = self._checkpoints()
        self.shares = Shares(job, ctx, group)
        self.guard = Guard(ctx, job.num_steps, self._documents, self.checkpoints.steps)
        self.curve = Curve()
        self.num_tokens = 0

    def _checkpoints(self) -> Checkpoints:
        if self.group.size == 1 and not any(self.ctx.partial.glob("*.parts")):  # of several processes that were before
            return Checkpoints(self.ctx.partial, self.job.checkpoint_seconds, self.ctx.log)
        from workbench.training.shared_checkpoint import SharedCheckpoints

        return SharedCheckpoints(self.ctx, self.job.checkpoint_seconds, self.group, self.parameters)

    def run(self) -> Curve:
        """Run every step that is not done yet."""
        step = self.restore()
        self._say_how()
        reporter = Reporter(self.ctx, self.job.num_steps, step + 1)
        try:
            while step < self.job.num_steps and not is_over(self.curve, self.job.patience):
                step += 1
                self._step(step, reporter)
        except Interrupted:
            self.checkpoints.save(self.state(step))
            raise
        finally:
            self.shares.close()
            reporter.close()
        if step < self.job.num_steps:
            self.ctx.log(f"stopped after step {step}: the valid loss was lowest at step {best_step(self.curve)}")
        self._settle()
        return self.curve

    def _step(self, step: int, reporter: Reporter) -> None:
        share = self.shares.take(step)
        self.num_tokens += share.num_tokens
        values = {"tokens": float(self.num_tokens), **self.update(step, share.batches, share.weights)}
        if step % self.job.eval_every == 0 or step == self.job.num_steps:
            values |= self.validate()
        self.curve.add({"number": float(step), **values})
        if self.job.keep == "best" and "valid_loss" in values and best_step(self.curve) == step:
            self.best = {name: tensor.detach().clone() for name, tensor in self._measured().items()}
        is_due, is_asked_to_stop = self._agreed()
        if is_due and step < self.job.num_steps:
            self.checkpoints.save(self.state(step))
        if is_asked_to_stop:
            raise Interrupted(f"{self.ctx.step} stopped", advice="run the same command again to go on")
        try:
            reporter.step(step, share.num_tokens, values)
        except Interrupted:  # several processes stop together, after the next step
            if self.group.size == 1:
                raise

    def _agreed(self) -> tuple[bool, bool]:
        """Return whether to save and whether to stop: what process 0 says, for all."""
        if self.group.size == 1:
            return self.checkpoints.is_due(), False
        leads = self.group.leads
        is_due, stops = self.group.total([leads and self.checkpoints.is_due(), leads and self.ctx.is_cancelled()])
        return bool(is_due), bool(stops)

    def update(self, step: int, batches: list[Batch], weights: list[float]) -> dict[str, float]:
        """Update the weights once; return loss, learning rate, gradient norm and what the objective measures."""
        import torch

        self.model.train()
        rate = learning_rate(self.job.optimizer, step, self.job.num_steps)
        purpose = f"step {step}" if self.group.leads else f"step {step} of process {self.group.rank}"
        torch.manual_seed(int(self.ctx.rng_for(purpose).integers(1 << 63)))
        metrics = self.backward(batches, weights)
        loss = metrics.pop("loss")
        if not self.is_split:
            self.group.add_gradients(list(self.parameters.values()))
        norm = self._clip()
        self.guard.check_finite(step, loss=loss, gradient_norm=norm)
        values = {**metrics, "loss": loss, "learning_rate": rate, "gradient_norm": norm}
        if self.guard.is_spike(step, loss, self.curve):
            if self.job.on_spike == "stop":
                self.guard.stop(step, f"the loss is {loss:.4g}", "no spike")
            if self.job.on_spike == "skip":
                self.optimizers.forget()
                return {**values, "skipped": 1.0}
        self.optimizers.step(rate)
        if self.average is not None:
            self.average.take_in(step)
        return values

    def _clip(self) -> float:
        import torch

        most = self.job.optimizer.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), most)
        return float(norm.full_tensor()) if hasattr(norm, "full_tensor") else float(norm)

    def backward(self, batches: list[Batch], weights: list[float]) -> dict[str, float]:
        """Add up the gradient of a batch, micro-batch by micro-batch; return its `loss` and metrics, of all processes."""
        import torch

        losses: list[torch.Tensor] = []
        sums: dict[str, float] = {}
        for place, (batch, weight) in enumerate(zip(batches, weights, strict=True)):
            if self.is_split:
                self.of_batch.set_requires_gradient_sync(place == len(batches) - 1)
            loss, metrics = self.loss(batch)
            penalty = self.job.tuning.penalty(self.model) if self.job.tuning else None
            objective = loss if penalty is None else loss + penalty
            (objective * weight).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            for name, value in metrics.items():
                sums[name] = sums.get(name, 0.0) + value * weight
        sums["loss"] = sum(map(math.prod, zip(torch.stack(losses).tolist(), weights, strict=True)))
        names = sorted(sums)
        return dict(zip(names, self.group.total([sums[name] for name in names]), strict=True))

    def loss(self, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the objective's loss and metrics of one micro-batch."""
        there = {name: tensor.to(self.group.device, non_blocking=True) for name, tensor in batch.items()}
        with autocast(self.group.device, self.job.precision):
            measured: tuple[torch.Tensor, dict[str, float]] = self.of_batch(there)
            return measured

    def validate(self) -> dict[str, float]:
        """Return the loss on the first `eval_rows` examples of the valid part, the same ones each time."""
        import torch

        if self.job.valid is None or not len(self.job.valid):
            return {}
        share = self.shares.of_valid()
        self.model.eval()
        with torch.no_grad(), self.average.in_place() if self.average else nullcontext():
            losses = [self.loss(batch)[0].item() for batch in share.batches]
            if self.is_split:
                self.of_batch.reshard()  # else what was gathered here would stand in for weights that change later
        mine = math.fsum(map(math.prod, zip(losses, share.weights, strict=True)))
        return {"valid_loss": self.group.total([mine])[0]}

    def state(self, step: int) -> State:
        """Return what a checkpoint holds: what learns, buffers, the optimizer, the curve. Frozen weights are not in it."""
        import torch

        named = {
            "model": self._kept(),
            "optimizer": self.optimizers.state(),
            "average": self.average.tensors if self.average else {},
            "best": self.best,
        }
        tensors = {
            f"{kind}/{name}": value.detach().contiguous()
            for kind, all_ in named.items()
            for name, value in all_.items()
        }
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
        self.optimizers.restore(state.under("optimizer/"))
        if self.average is not None:
            self.average.tensors = {
                name: value.to(self.group.device) for name, value in state.under("average/").items()
            }
        self.best = {name: value.to(self.group.device) for name, value in state.under("best/").items()}
        self.curve = Curve(tuple(state.facts["columns"]), state.tensors["curve"].numpy())
        self.num_tokens = state.facts["tokens"]
        self.ctx.log(f"going on after step {state.step}")
        changed = [name for name, value in self._machine().items() if state.facts.get(name) != value]
        if changed:
            self.ctx.log(f"{' and '.join(changed)} changed since then: last digits may differ from a run in one piece")
        return state.step

    def _settle(self) -> None:
        """Leave the wanted weights in `job.model`, whole, ready for use."""
        import torch

        if self.job.keep == "best":
            if not self.best:
                raise StepError("the valid loss never was a number, so no weights were the best", where=self.ctx.step)
            with torch.no_grad():
                for name, tensor in self._kept().items():
                    tensor.copy_(self.best[name])
        elif self.average is not None:
            self.average.settle()
        if self.is_split:
            gather(self.model, self.job.model)
        if self.job.recompute:
            self.job.model.activation_checkpointing_disable()  # type: ignore[operator]
        extras.take_out(self.job.model, self.attention)
        self.job.model.eval()

    def _measured(self) -> dict[str, torch.Tensor]:
        """Return what the valid loss was measured with: the weights or their average, and buffers."""
        return {**self._kept(), **(self.average.tensors if self.average else {})}

    def _kept(self) -> dict[str, torch.Tensor]:
        buffers = dict(self.model.named_buffers())
        persistent = {name: buffers[name] for name in self.model.state_dict() if name in buffers}
        return {**self.parameters, **persistent}

    def _machine(self) -> dict[str, Any]:
        return {"device": self.group.device.type, "threads": self.ctx.threads, "processes": self.group.size}

    def _documents(self, step: int) -> list[str]:
        return self.job.train.document_ids(self.shares.numbers(step))

    def _say_how(self) -> None:
        if self.job.compile != "off":
            self.ctx.log(f"compile is {compiles(self.job, self.group)[1]}")
        for name, (is_on, why) in self._extras().items():
            if is_on or why != "off, as set":
                self.ctx.log(f"{name}: {why}")
        if self.group.size > 1:
            how = "split among" if self.is_split else "held by each of"
            self.ctx.log(f"weights are {how} {self.group.size} processes on {self.group.device.type}")

    def _extras(self) -> dict[str, tuple[bool, str]]:
        job, group = self.job, self.group
        return {
            "kernels": extras.liger(job, group),
            "flash_attention": extras.flash(job, group),
            "float8": extras.float8(job, group),
        }
