"""Span corruption: read a document with spans cut out, write the spans.

Source: Raffel et al. 2020, sections 3.1.4 and 3.3.4. Where the encoder reads x with marks in place of spans and y is the
spans behind their marks, the loss is −(1/|y|) Σᵤ log p(yᵤ | y₀ … yᵤ₋₁, x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.objectives.documents import Ints, documents_of, read_and_write, writing_loss
from workbench_plugins.objectives.spans import mark_spans, random_spans

from workbench.api import Field, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch

    from workbench.api import Examples, Vocab


class SpanCorruption(Objective):
    """Write the spans that were cut out of a document, Raffel et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder-decoder",)
    head: ClassVar = "seq2seq-lm"
    labelled_logits: ClassVar = True

    probability: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is cut out")
    mean_span: float = Field(3.0, ge=1, description="mean tokens of a span")
    marks: int = Field(100, ge=2, description="different marks; a document has one span less at most")

    @property
    def num_marks(self) -> int:
        """The ids that stand for spans."""
        return self.marks

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return what is read (`input_ids`) and written (`labels`); see `read_and_write`."""
        rows = [
            [self.corrupt(document, examples.vocab, rng) for document in documents_of(row)] for row in examples.rows
        ]
        return read_and_write(rows, examples.vocab.pad)

    def corrupt(self, document: Ints, vocab: Vocab, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return what is read and what is written of one document; of one token nothing is written."""
        spans = random_spans(len(document), self.probability, self.mean_span, rng, most=self.marks - 1)
        return mark_spans(document, spans, vocab) if spans else (document, document[:0])

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per written token, and the accuracy."""
        return writing_loss(model, batch)
