"""What `train/pretrain` and `train/tune` share: settings, the run of the loop, and what is written in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args

from workbench.artifacts.corpus import Corpus, write_shard
from workbench.artifacts.tokenizer import Tokenizer
from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import Field, Runtime
from workbench.contracts.context import Context
from workbench.contracts.model import AnyObjective, Mismatch, Objective, Tuning
from workbench.contracts.step import CoreStep
from workbench.contracts.tokenizer import Vocab
from workbench.files.atomic import write_json
from workbench.training.batching import FOR_RECORDS, FOR_TOKENS, Batching, Order, lengths_of
from workbench.training.beside import add_beside
from workbench.training.card import flops_per_token, parts
from workbench.training.curve import Curve
from workbench.training.data import Examples, PackedRows, Windows
from workbench.training.device import Precision
from workbench.training.guards import spikes
from workbench.training.job import Job, Keep, OnSpike, Switch
from workbench.training.loop import train
from workbench.training.models import save_model
from workbench.training.optimizer import trainable
from workbench.training.patience import best_step
from workbench.training.provenance import write_batches, write_lengths
from workbench.training.schedule import num_warmup
from workbench.training.settings import Budget, Optimizer
from workbench.training.teaching import taught

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
    order: Order = Field("shuffled", description="which examples a step sees; see `workbench.training.batching`")
    patience: int | None = Field(
        None, ge=1, description="measurements without a lower valid loss after which training ends; default: never"
    )
    keep: Keep = Field("last", description="the weights that are stored: the last ones, or those of lowest valid loss")
    on_spike: OnSpike = Field("note", description="what is done about a loss far above those before it")
    precision: Precision = Field(
        "auto",
        description="of matrix products: bfloat16 where the hardware has it; or always float32, bfloat16 or float8",
    )
    checkpoint_seconds: Annotated[float, Runtime] = Field(
        20.0, ge=0, description="time between two checkpoints; 0: after each step"
    )
    recompute: Annotated[bool, Runtime] = Field(
        False, description="work out activations again on the way back: a third more time, far less memory"
    )
    compile: Annotated[Switch, Runtime] = Field("auto", description="compile the blocks; auto: where it pays")
    shard: Annotated[Switch, Runtime] = Field(
        "auto", description="split the weights among the processes; auto: on several GPUs"
    )
    kernels: Annotated[Switch, Runtime] = Field(
        "off", description="Liger's fused kernels; auto: on a GPU, where installed and made for the model"
    )
    flash_attention: Annotated[Switch, Runtime] = Field(
        "off", description="FlashAttention 2; auto: on a GPU, where installed and fit for the model"
    )

    @property
    def learned(self) -> Objective:
        """The objective, where there must be one; `mismatches` has made sure."""
        assert isinstance(self.objective, Objective)
        return self.objective

    @property
    def is_shared(self) -> bool:
        """Several processes can train one model, where it is trained by steps."""
        return isinstance(self.objective, Objective)

    def fit(self, model: torch.nn.Module, tuning: Tuning | None, material: Material, ctx: Context) -> Curve:
        """Train `model` in place on the material; return the curve."""
        job = Job(
            model=model,
            objective=taught(self.learned, material.tokenizer, material.vocab, material.labels, ctx),
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
            order=self.order,
            patience=self.patience,
            keep=self.keep,
            on_spike=self.on_spike,
            recompute=self.recompute,
            compile=self.compile,
            shard=self.shard,
            kernels=self.kernels,
            flash=self.flash_attention,
        )
        return train(job, ctx)

    def add_beside(self, model: torch.nn.Module, material: Material) -> None:
        """Hang on the model what the objective learns beside it, before its weights are counted and trained."""
        if len(material.train):
            add_beside(model, self.learned, material.train.rows([0])[0])

    def order_fits(self, data: str) -> Mismatch | None:
        """Return the mismatch when the order is one for the other kind of data (`tokens` or `records`)."""
        wrong = FOR_RECORDS if data == "tokens" else FOR_TOKENS
        if self.order not in wrong:
            return None
        what = "packed tokens" if data == "tokens" else "records (a corpus)"
        fits = [order for order in get_args(Order) if order not in wrong]
        return Mismatch(("order",), f"order {self.order} is not for {what}; {' or '.join(fits)} are")

    def rows(self, tokens: Tokens, part: str) -> PackedRows:
        """Return the rows of a part of packed tokens, as `order` cuts them."""
        return (Windows if self.order == "windows" else PackedRows)(tokens, part)

    def num_steps(self, examples: Examples) -> int:
        """Return how many updates the budget comes to."""
        return self.budget.num_steps(self.batch_size, max(1, len(examples)), max(1, examples.num_tokens()))

    def write(
        self, model: PreTrainedModel, curve: Curve, material: Material, facts: dict[str, Any], ctx: Context
    ) -> None:
        """Write the model folder: weights, tokenizer, card, curve, data order. Process 0 does."""
        if ctx.rank:
            return
        cost = {"flops_per_token": flops_per_token(model, material.vocab.max_length), "parts": parts(model)}
        save_model(model.to("cpu"), material.tokenizer, ctx.output)
        write_shard(ctx.output / "metrics.parquet", curve.frame())
        write_json(ctx.output / "training.json", {**self._card(curve, material), **facts, **cost})
        self._write_order(curve, material, ctx)

    def _write_order(self, curve: Curve, material: Material, ctx: Context) -> None:
        """Write what says which documents a step saw, and the steps whose loss stood out, with theirs."""
        batching = Batching.of(self.order, ctx.seed, self.batch_size, material.train)
        lengths = lengths_of(self.order, material.train)
        write_batches(ctx.output, material.data, material.part, batching, len(curve))
        if lengths is not None:
            write_lengths(ctx.output, lengths)
        found = [
            {**spike, "documents": material.train.document_ids(batching.numbers(int(spike["step"]), lengths))}
            for spike in spikes(curve)
        ]
        if found:
            write_json(ctx.output / "spikes.json", found)

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
            "best_step": best_step(curve),
            "context": material.vocab.max_length,
            "marks": material.vocab.num_marks,
            "optimizer": {
                **self.optimizer.model_dump(mode="json"),
                "warmup": num_warmup(self.optimizer, self.num_steps(material.train)),
            },
        }


def sizes(model: torch.nn.Module) -> dict[str, int]:
    """Return `parameters` and `trained_parameters`, shared ones counted once."""
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trained_parameters": sum(parameter.numel() for parameter in trainable(model).values()),
    }
