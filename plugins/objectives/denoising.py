"""Denoising: read a document that was damaged, write it as it was.

Source: Lewis et al. 2020 (BART), section 2.2: text infilling, token masking and deletion, sentence permutation and
document rotation. Where x̃ is the damaged x, the loss is −(1/n) Σₜ log p(xₜ | x₀ … xₜ₋₁, x̃).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from workbench_plugins.objectives.documents import Ints, documents_of, read_and_write, writing_loss
from workbench_plugins.objectives.pieces import sentence_ends

from workbench.api import Field, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples, Vocab

Noise = Literal["infilling", "masking", "deletion", "sentences", "rotation"]


class Denoising(Objective):
    """Write a document as it was before it was damaged, Lewis et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder-decoder",)
    head: ClassVar = "seq2seq-lm"
    labelled_logits: ClassVar = True

    noise: tuple[Noise, ...] = Field(
        ("sentences", "infilling"), min_length=1, description="what is done to a document, in this order"
    )
    probability: float = Field(0.3, gt=0, lt=1, description="share of the tokens that is masked or deleted")
    mean_span: float = Field(3.0, gt=0, description="mean tokens of a span that one mask stands for (Poisson)")

    @property
    def num_marks(self) -> int:
        """One, for tokenizers without a mask token."""
        return 1

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return what is read (`input_ids`) and written (`labels`); see `read_and_write`."""
        vocab = examples.vocab
        rows = [
            [(self.damage(document, vocab, rng), document) for document in documents_of(row)] for row in examples.rows
        ]
        return read_and_write(rows, vocab.pad)

    def damage(self, document: Ints, vocab: Vocab, rng: np.random.Generator) -> Ints:
        """Return one document with all noise applied, never empty."""
        mask = vocab.mask if vocab.mask is not None else vocab.mark(0)
        for noise in self.noise:
            if noise == "sentences":
                document = _permuted(document, sentence_ends(vocab), rng)
            elif noise == "rotation":
                document = np.roll(document, -int(rng.integers(len(document))))
            elif noise == "infilling":
                document = self.infilled(document, mask, rng)
            else:
                document = self._thinned(document, mask if noise == "masking" else None, rng)
        return document

    def infilled(self, document: Ints, mask: int, rng: np.random.Generator) -> Ints:
        """Return the document with spans of Poisson lengths replaced by one mask each; a length of 0 puts one in.

        Spans are drawn until they hold the wanted share of the tokens, and then dealt out over the document.
        """
        budget = round(len(document) * self.probability)
        sizes: list[int] = []
        while sum(sizes) < budget:
            sizes.append(min(int(rng.poisson(self.mean_span)), budget - sum(sizes)))
        kept = len(document) - sum(sizes)
        before = np.sort(rng.integers(0, kept + 1, len(sizes)))  # untouched tokens before each span
        pieces: list[Ints] = []
        end = 0
        for gap, size in zip(np.diff(before, prepend=0), sizes, strict=True):
            pieces += [document[end : end + gap], np.array([mask], dtype=np.int64)]
            end += int(gap) + size
        return np.concatenate([*pieces, document[end:]])

    def _thinned(self, document: Ints, mask: int | None, rng: np.random.Generator) -> Ints:
        hit = rng.random(len(document)) < self.probability
        if mask is not None:
            return np.where(hit, mask, document)
        return document[~hit] if not hit.all() else document[:1]

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per written token, and the accuracy."""
        return writing_loss(model, batch)


def _permuted(document: Ints, ends_v: np.ndarray, rng: np.random.Generator) -> Ints:
    """Return the sentences of a document in a random order; a last token that ends none stays with the last one."""
    cuts = np.flatnonzero(ends_v[document]) + 1
    sentences = np.split(document, cuts[cuts < len(document)])
    return np.concatenate([sentences[number] for number in rng.permutation(len(sentences))])
