"""What `train/pretrain` and `train/tune` share: settings, the run of the loop, and what is written in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from workbench.artifacts.corpus import Corpus, write_shard
from workbench.artifacts.tokenizer import Tokenizer
from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import Field, Runtime
from workbench.contracts.context import Context
from workbench.contracts.model import AnyObjective, Objective, Tuning
from workbench.contracts.step import CoreStep
from workbench.contracts.tokenizer import Vocab
from workbench.files.atomic import write_json
from workbench.training.curve import Curve
from workbench.training.data import Examples
from workbench.training.device import Precision
from workbench.training.loop import Job, train
from workbench.training.models import save_model
from workbench.training.optimizer import trainable
from workbench.training.provenance import write_batches
from workbench.training.schedule import num_warmup
from workbench.training.settings import Budget, Optimizer

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MEASUREMENTS = 5  # of the valid loss, unless eval_every says otherwise


@dataclass(frozen=True)
class Material:
    """What a training step has gathered before the loop starts.

    Attributes:
        data: The artifact that is trained on.
        part: The part of it.
        train, valid: Its examples.
        tokenizer: Goes with the model.
        vocab: Its facts.
        labels: The names of the classes, if there are any.
    """

    data: Corpus | Tokens
    part: str | None
    train: Examples
    valid: Examples | None
    tokenizer: Tokenizer
    vocab: Vocab
    labels: Sequence[str] | None = None


class TrainingStep(CoreStep):
    """Base of the steps that train."""

    kind: ClassVar[str] = "train"
    stochastic: ClassVar[bool] = True
    output: ClassVar[str] = "model"

    objective: AnyObjective | None = Field(None, description="what is predicted")
    optimizer: Optimizer = Field(Optimizer(), description="how weights are updated")
    budget: Budget = Field(Budget(epochs=1), description="how long: tokens, steps or epochs")
    batch_size: int = Field(16, ge=1, description="rows (or records) in one update")
    accumulate: int = Field(1, ge=1, description="micro-batches each update is cut into, to save memory")
    eval_every: int | None = Field(
        None, ge=1, description="steps between two measurements on the valid part; default: one fifth of all steps"
    )
    eval_rows: int = Field(128, ge=1, description="rows (or records) of the valid part that are measured")
    precision: Precision = Field(
        "auto", description="of matrix products: bfloat16 where the hardware has it, or always float32 or bfloat16"
    )
    checkpoint_seconds: Annotated[float, Runtime] = Field(
        20.0, ge=0, description="time between two checkpoints; 0: after each step"
    )

    @property
    def learned(self) -> Objective:
        """The objective, where there must be one; `mismatches` has made sure."""
        assert isinstance(self.objective, Objective)
        return self.objective

    def fit(self, model: torch.nn.Module, tuning: Tuning | None, material: Material, ctx: Context) -> Curve:
        """Train `model` in place on the material; return the curve."""
        job = Job(
            model=model,
            objective=self.learned,
            tuning=tuning,
            train=material.train,
            valid=material.valid,
            vocab=material.vocab,
            optimizer=self.optimizer,
            num_steps=self.num_steps(material.train),
            batch_size=self.batch_size,
            accumulate=self.accumulate,
            eval_every=self.eval_every or -(-self.num_steps(material.train) // MEASUREMENTS),
            eval_rows=self.eval_rows,
            precision=self.precision,
            checkpoint_seconds=self.checkpoint_seconds,
        )
        return train(job, ctx)

    def num_steps(self, examples: Examples) -> int:
        """Return how many updates the budget comes to."""
        return self.budget.num_steps(self.batch_size, max(1, len(examples)), max(1, examples.num_tokens()))

    def write(
        self, model: PreTrainedModel, curve: Curve, material: Material, facts: dict[str, Any], ctx: Context
    ) -> None:
        """Write the model folder: weights, tokenizer, card, curve, data order."""
        save_model(model.to("cpu"), material.tokenizer, ctx.output)
        write_shard(ctx.output / "metrics.parquet", curve.frame())
        write_json(ctx.output / "training.json", {**self._card(curve, material), **facts})
        order = {
            "seed": ctx.seed,
            "batch_size": self.batch_size,
            "num_examples": len(material.train),
            "steps": len(curve),
        }
        write_batches(ctx.output, material.data, material.part, order)

    def _card(self, curve: Curve, material: Material) -> dict[str, Any]:
        return {
            "objective": self.learned.component_id,
            "head": self.learned.head,
            "labels": list(material.labels) if material.labels is not None else None,
            "steps": len(curve),
            "tokens": int(curve.last("tokens") or 0),
            "num_examples": len(material.train),
            "first_loss": curve.first("loss"),
            "last_loss": curve.last("loss"),
            "valid_loss": curve.last("valid_loss"),
            "context": material.vocab.max_length,
            "optimizer": {
                **self.optimizer.model_dump(mode="json"),
                "warmup": num_warmup(self.optimizer, len(curve)),
            },
        }


def sizes(model: torch.nn.Module) -> dict[str, int]:
    """Return `parameters` and `trained_parameters`, shared ones counted once."""
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trained_parameters": sum(parameter.numel() for parameter in trainable(model).values()),
    }
