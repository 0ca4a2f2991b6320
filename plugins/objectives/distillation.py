"""Distillation: learn what another model says of every alternative, not only which one was right.

Source: Hinton et al. 2015, section 2. With the logits z of the model and v of its teacher, and the temperature T, over
the N places that have a label:

    L = w · T² · (1/N) Σₙ KL(softmax(vₙ/T) ‖ softmax(zₙ/T)) + (1 − w) · L_hard

T² keeps the share of the soft part the same whatever T, as its gradient falls with 1/T². The paper has a cross-entropy
in place of KL: the two differ by the entropy of what the teacher says, which has no gradient. L_hard is the loss of any
objective whose head gives one row of logits for each label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import PrivateAttr, model_validator
from workbench_plugins.objectives.rows import IGNORED
from workbench_plugins.objectives.seen import Seen

from workbench.api import NEURAL, Field, Objective, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from transformers import PreTrainedTokenizerFast

    from workbench.api import Examples


class Distillation(Objective):
    """Learn another model's probabilities beside the labels, Hinton et al. 2015."""

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL
    needs_teacher: ClassVar = True

    objective: Objective = Field(description="what is predicted: its loss is the hard one")
    temperature: float = Field(
        2.0, gt=0, description="divides both models' logits; higher shows more of what is unlikely"
    )
    weight: float = Field(
        0.5, gt=0, le=1, description="share of the teacher's part in the loss; the labels have the rest"
    )
    teacher: str | None = Field(
        None, min_length=1, description="a model folder; default: the model at the step's input `teacher`"
    )

    _teacher: Any = PrivateAttr(None)

    @model_validator(mode="after")
    def _has_logits(self) -> Self:
        part = self.objective
        if not part.labelled_logits:
            raise ValueError(
                f"{part.component_id or type(part).__name__} has no single row of logits for each label, which a "
                "teacher's could be laid beside; objective/causal, masked, span-corruption and classification have"
            )
        return self

    @property
    def members(self) -> tuple[Objective, ...]:
        """The objective that has to fit the model."""
        return (self.objective,)

    @property
    def head(self) -> Any:  # type: ignore[override]  # it follows from the part
        """The head of the hard loss."""
        return self.objective.head

    @property
    def data(self) -> Literal["tokens", "records"]:  # type: ignore[override]
        """What the hard loss works on."""
        return self.objective.data

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the hard loss tells apart."""
        return self.objective.classes

    @property
    def num_marks(self) -> int:
        """As many as the hard loss needs."""
        return self.objective.num_marks

    @property
    def teacher_folder(self) -> str | None:
        """The folder of the teacher, if it is none of the pipeline's models."""
        return self.teacher

    def taught(self, teacher: torch.nn.Module) -> Distillation:
        """Return the objective bound to its teacher, which is frozen and never drops anything out."""
        bound = self.model_copy()
        bound._teacher = teacher.eval().requires_grad_(requires_grad=False)  # noqa: SLF001  # of its own class
        return bound

    def labels(self, records: Any) -> list[str] | None:
        """Return the labels of the hard loss."""
        return self.objective.labels(records)

    def encode(
        self, record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str] | None, length: int
    ) -> Mapping[str, Any]:
        """Return an example as the hard loss wants it."""
        return self.objective.encode(record, tokenizer, labels, length)

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the batch of the hard loss: both models read the same one."""
        return self.objective.collate(examples, rng)

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss in nats for each label, its two parts, and the metrics of the hard loss."""
        seen: Any = Seen(model)
        hard, metrics = self.objective.loss(seen, batch)
        labels_n = batch["labels"].flatten()
        soft = self.soft_loss(seen.logits, self._of_teacher(batch), labels_n)
        total = self.weight * soft + (1 - self.weight) * hard
        return total, {**metrics, "hard_loss": hard.item(), "soft_loss": soft.item()}

    def soft_loss(self, mine: torch.Tensor, of_teacher: torch.Tensor, labels_n: torch.Tensor) -> torch.Tensor:
        """Return T² · KL, the mean over labelled places. Raises `StepError` when the two tell other things apart.

        Columns that the teacher has beyond the model's (rows that fill its embeddings up) belong to no token.
        """
        from torch.nn.functional import kl_div

        mine_nc, teacher_nc = mine.flatten(0, -2), of_teacher.flatten(0, -2)[:, : mine.shape[-1]]
        if len(mine_nc) != len(labels_n) or mine_nc.shape != teacher_nc.shape:
            raise StepError(
                f"logits {list(mine.shape)} of the model, {list(of_teacher.shape)} of its teacher, and "
                f"{len(labels_n)} labels do not go together",
                where=self.component_id,
                expected="one row of logits for each label, and a teacher that tells as much apart as the model",
            )
        there_n = labels_n != IGNORED
        log_p, log_q = ((rows[there_n].float() / self.temperature).log_softmax(-1) for rows in (mine_nc, teacher_nc))
        total = kl_div(log_p, log_q, reduction="sum", log_target=True)
        return self.temperature**2 * total / max(1, len(log_p))

    def _of_teacher(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        import torch

        if self._teacher is None:
            raise StepError("there is no teacher", where=self.component_id, expected="the input `teacher` of the step")
        teacher = self._teacher.to(batch["labels"].device)
        seen: Any = Seen(teacher)
        with torch.no_grad():
            self.objective.loss(seen, batch)  # it knows how its batch is read
        logits: torch.Tensor = seen.logits
        return logits
