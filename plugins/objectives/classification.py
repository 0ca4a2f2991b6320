"""Text classification: predict the label of a document from a pooled state.

Special here: this is a task objective, so its examples are records with a text and a label, not packed tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.api import NEURAL, Field, Objective, StepError, encode_text, model_inputs, pad_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import polars as pl
    import torch
    from transformers import PreTrainedTokenizerFast

    from workbench.api import Examples


class Classification(Objective):
    """Predict the label of a text; cross-entropy with label smoothing after Szegedy et al. 2016."""

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL
    head: ClassVar = "sequence-classification"
    labelled_logits: ClassVar = True
    data: ClassVar = "records"

    label: str = Field("label", min_length=1, description="the column that holds the label")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of the target spread over all labels")

    def labels(self, records: pl.DataFrame) -> list[str]:
        """Return the label names in the records, sorted. Raises `StepError` when there are fewer than two."""
        if self.label not in records.columns:
            raise StepError(
                f"the records have no column {self.label!r}",
                where=self.component_id,
                expected=f"one of: {', '.join(records.columns)}",
                advice="write labels with a step corpus/label, or set `label` to the column that holds them",
            )
        names = sorted({str(name) for name in records[self.label].drop_nulls().unique().to_list()})
        if len(names) < 2:  # noqa: PLR2004  # one label leaves nothing to tell apart
            raise StepError(
                f"the column {self.label!r} holds {len(names)} label(s) in the training part",
                where=self.component_id,
                expected="two labels or more",
            )
        return names

    def encode(
        self, record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str] | None, length: int
    ) -> dict[str, Any]:
        """Return `input_ids` (the text cut to `length` tokens, with its ends) and `label` (its number)."""
        name = str(record[self.label])
        if name not in (labels or ()):
            raise StepError(
                f"record {record.get('id')!r} has the label {name!r}, which no training record has",
                where=self.component_id,
                expected=f"one of: {', '.join(labels or ())}",
            )
        return {"input_ids": encode_text(tokenizer, record["text"], length), "label": list(labels or ()).index(name)}

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the texts padded on the right, and `labels` int64[B]."""
        import torch

        batch = pad_rows([row["input_ids"] for row in examples.rows], examples.vocab.pad)
        return {**batch, "labels": torch.tensor([row["label"] for row in examples.rows], dtype=torch.int64)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per text, in float32, and the accuracy."""
        from torch.nn.functional import cross_entropy

        labels_b = batch["labels"]
        logits_bc = model(**model_inputs(model, batch)).logits.float()
        loss = cross_entropy(logits_bc, labels_b, label_smoothing=self.label_smoothing)
        return loss, {"accuracy": (logits_bc.detach().argmax(-1) == labels_b).float().mean().item()}
