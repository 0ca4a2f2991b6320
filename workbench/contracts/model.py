"""Architectures, objectives and tuning methods: the three choices behind a trained model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.contracts.component import Component, Field

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from workbench.contracts.context import Context
    from workbench.contracts.tokenizer import Vocab

Family = Literal["encoder", "decoder", "prefix-decoder", "permutation", "encoder-decoder", "static"]
Head = Literal[
    "causal-lm",
    "masked-lm",
    "seq2seq-lm",
    "permutation-lm",
    "pretraining",
    "reconstruction",
    "sequence-classification",
    "token-classification",
    "body",
    "embedding",
    "features",
]
NEURAL: tuple[Family, ...] = ("encoder", "decoder", "prefix-decoder", "permutation", "encoder-decoder")


@dataclass(frozen=True)
class Mismatch:
    """Two parts of a step that do not go together, found before anything runs.

    Attributes:
        setting: Path of the setting at fault within the step's `with`, or `("inputs", port)`.
        message: What does not fit what.
        kind: Kind of the components to choose from instead; empty when there is nothing to choose.
        suits: Says whether a component class of that kind would fit.
    """

    setting: tuple[str | int, ...]
    message: str
    kind: str = ""
    suits: Callable[[type[Component]], bool] = lambda _cls: False


class AnyArchitecture(Component):
    """Base of the two shapes an architecture has: `Architecture` (neural) and `StaticArchitecture`."""

    kind: ClassVar[str] = "architecture"
    stochastic: ClassVar[bool] = True
    family: ClassVar[Family]
    head: ClassVar[Head]


class Architecture(AnyArchitecture):
    """Build an untrained neural model. Settings default to sizes that follow from each other.

    Attributes:
        more_heads: Heads of transformers' own that the body can be trained under, too.
        model_types: What `config.json` calls classes of the plugin's own; `register` makes transformers know them.
    """

    more_heads: ClassVar[tuple[Head, ...]] = ()
    model_types: ClassVar[tuple[str, ...]] = ()

    layers: int = Field(6, ge=1, le=1000, description="transformer blocks")
    width: int = Field(384, ge=8, description="size of the residual stream")
    heads: int | None = Field(None, ge=1, description="attention heads; default: one for each 64 of the width")
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def num_heads(self) -> int:
        """Attention heads: `heads`, else one for each 64 of the width, and at least one that divides it."""
        if self.heads is not None:
            return self.heads
        return next(n for n in range(max(1, self.width // 64), 0, -1) if self.width % n == 0)

    @classmethod
    def register(cls) -> None:
        """Make transformers know the classes behind `model_types`."""

    @abstractmethod
    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return a freshly initialised model; torch's generator is seeded by the caller."""


@dataclass(frozen=True)
class Examples:
    """The examples of one batch, as an objective gets them.

    Attributes:
        rows: For token objectives `{"input_ids": int[T], "segment_ids": int[T], "position_ids": int[T]}`, where a
            segment is a document (numbered from 1 in each row, 0 is padding); for task objectives what
            `encode` returned.
        vocab: The vocabulary of the model.
    """

    rows: Sequence[Mapping[str, Any]]
    vocab: Vocab


class AnyObjective(Component):
    """Base of the two shapes an objective has: `Objective` (for neural models) and `StaticObjective`."""

    kind: ClassVar[str] = "objective"
    families: ClassVar[tuple[Family, ...]]
    head: ClassVar[Head]
    data: ClassVar[Literal["tokens", "records"]] = "tokens"


class Objective(AnyObjective):
    """Say what is predicted: how examples become a batch and a batch a loss.

    Attributes:
        classes: What is told apart, for objectives on packed tokens whose head tells classes apart.
        labelled_logits: Whether the model's logits hold one row for each of the batch's `labels`, and the loss is their
            cross-entropy.
        compares_rows: Whether the loss holds the rows of a batch against each other, so that no process can have some.
        rereads: Whether it can set its task in rows that another objective has laid down (`reread`).
        needs_teacher: Whether another model is asked, too; `taught` is called with it before anything else.
    """

    classes: ClassVar[tuple[str, ...]] = ()
    labelled_logits: ClassVar[bool] = False
    compares_rows: ClassVar[bool] = False
    rereads: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False

    @property
    def members(self) -> tuple[Objective, ...]:
        """The objectives that have to fit a model: itself, or those it is put together from."""
        return (self,)

    @property
    def num_marks(self) -> int:
        """How many ids behind the tokenizer's own it needs (`Vocab.mark`); a new model is made with as many."""
        return 0

    @property
    def teacher_folder(self) -> str | None:
        """The folder of the teacher, where it is none of the pipeline's models."""
        return None

    def taught(self, teacher: torch.nn.Module) -> Objective:
        """Return the objective bound to its teacher, a model under the objective's head that is not trained."""
        del teacher
        raise TypeError(f"{self.component_id} takes no teacher")

    def beside(self, example: Mapping[str, Any], width: int) -> Mapping[str, torch.Tensor]:
        """Return name → first value of weights that learn beside the model's own and are stored with it.

        `example` is one that `loss` will see, `width` the size of the model's last states. In `loss` they are
        `weights_beside(model)`. Torch's generator is seeded by the caller.
        """
        del example, width
        return {}

    def labels(self, records: Any) -> list[str] | None:
        """Return the sorted label names found in a frame of records; None for objectives without labels."""
        del records
        return None

    def encode(
        self, record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str] | None, length: int
    ) -> Mapping[str, Any]:
        """Return one example for one record (task objectives only), at most `length` tokens."""
        raise TypeError(f"{self.component_id} works on packed tokens, not on records")

    @abstractmethod
    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the tensors of one batch. `rng` is a pure function of (seed, step)."""

    def reread(
        self, batch: Mapping[str, torch.Tensor], vocab: Vocab, rng: np.random.Generator
    ) -> dict[str, torch.Tensor]:
        """Return a batch with the objective's task in it: what is read may be other tokens, `labels` are its own."""
        del batch, vocab, rng
        raise TypeError(f"{self.component_id} lays down rows of its own")

    @abstractmethod
    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean loss (a scalar, in nats) and metrics of the batch."""


class Tuning(Component):
    """Choose what of a trained model learns, what is frozen and what is added."""

    kind: ClassVar[str] = "tuning"
    families: ClassVar[tuple[Family, ...]] = NEURAL

    @abstractmethod
    def prepare(self, model: PreTrainedModel, ctx: Context) -> torch.nn.Module:
        """Return the model ready to be trained: `requires_grad` set, modules added."""

    def finish(self, model: torch.nn.Module) -> PreTrainedModel:
        """Return a plain model of the same architecture, with what was added merged into it."""
        return model

    def penalty(self, model: torch.nn.Module) -> torch.Tensor | None:
        """Return a term that is added to the loss, or None."""
        del model
        return None
