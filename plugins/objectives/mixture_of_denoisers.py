"""Mixture of denoisers: each document is damaged in one of three ways, and a mark says which.

Source: Tay et al. 2023 (UL2), section 3.1.2. R: short spans, as in span corruption (mean 3, 15 %). S: the end of the
document is written after its beginning. X: long spans or many of them (mean 32 or 50 %). The loss is that of span
corruption, −(1/|y|) Σᵤ log p(yᵤ | y₀ … yᵤ₋₁, mark, x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import model_validator
from workbench_plugins.objectives.documents import Ints, documents_of, read_and_write, writing_loss
from workbench_plugins.objectives.spans import mark_spans, random_spans

from workbench.api import Field, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples, Vocab

SHORT = (0.15, 3.0)  # share of the tokens, mean span: Tay et al. 2023, table 1, R
EXTREME = ((0.15, 32.0), (0.5, 3.0))  # X
MODES = 3  # marks that say R, S, X


class MixtureOfDenoisers(Objective):
    """Write what is missing of documents damaged in three ways, Tay et al. 2023."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder-decoder",)
    head: ClassVar = "seq2seq-lm"
    labelled_logits: ClassVar = True

    short_share: float = Field(0.4, ge=0, le=1, description="share of the documents with short spans (R)")
    rest_share: float = Field(0.2, ge=0, le=1, description="share of the documents whose end is written (S); else X")
    marks: int = Field(100, ge=2, description="different marks for spans; a document has one span less at most")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.short_share + self.rest_share > 1:
            raise ValueError(f"short_share {self.short_share} and rest_share {self.rest_share} exceed 1 together")
        return self

    @property
    def num_marks(self) -> int:
        """The ids that say R, S, X, and those that stand for spans."""
        return MODES + self.marks

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return what is read (`input_ids`) and written (`labels`); see `read_and_write`."""
        rows = [[self.damage(document, examples.vocab, rng) for document in documents_of(row)] for row in examples.rows]
        return read_and_write(rows, examples.vocab.pad)

    def damage(self, document: Ints, vocab: Vocab, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return what is read and what is written of one document; of one token nothing is written."""
        draw, which, place = rng.random(), int(rng.integers(len(EXTREME))), rng.random()
        if len(document) < 2:  # noqa: PLR2004  # nothing would be left
            return document, document[:0]
        mode = 0 if draw < self.short_share else 1 if draw < self.short_share + self.rest_share else 2
        if mode == 1:
            start = max(1, min(len(document) - 1, round(len(document) * place)))
            spans = [(start, len(document))]
        else:
            share, mean = SHORT if mode == 0 else EXTREME[which]
            spans = random_spans(len(document), share, mean, rng, most=self.marks - 1)
        read, written = mark_spans(document, spans, vocab, first=MODES)
        return np.concatenate([[vocab.mark(mode)], read]), written

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per written token, and the accuracy."""
        return writing_loss(model, batch)
