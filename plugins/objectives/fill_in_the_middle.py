"""Fill in the middle: a causal model learns to write what is missing between a beginning and an end.

Source: Bavarian et al. 2022, section 3. A document is cut in two places into prefix, middle, suffix, and laid down as
`<PRE> prefix <SUF> suffix <MID> middle` (PSM) or, for half of them, `<PRE> <SUF> suffix <MID> prefix middle` (SPM);
the loss is that of causal modelling over the whole, −(1/n) Σₜ log p(xₜ | x₀ … xₜ₋₁).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from workbench_plugins.objectives.documents import Ints, documents_of, lay_down
from workbench_plugins.objectives.rows import IGNORED

from workbench.api import Field, Objective, model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples, Vocab

PRE, SUF, MID = range(3)
FEWEST = 6  # tokens of a document that is cut: three give way to marks, one is left for each part


class FillInTheMiddle(Objective):
    """Predict the next token of documents whose middle was moved to the end, Bavarian et al. 2022."""

    version: ClassVar[int] = 1
    families: ClassVar = ("decoder", "prefix-decoder")
    head: ClassVar = "causal-lm"
    labelled_logits: ClassVar = True

    share: float = Field(0.5, ge=0, le=1, description="share of the documents that are cut; the rest is read as it is")
    spm_share: float = Field(0.5, ge=0, le=1, description="share of these in which the suffix comes first")

    @property
    def num_marks(self) -> int:
        """PRE, SUF and MID."""
        return 3

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows, as long as before, with `labels`: at each position the token that follows.

        The marks take the place of a cut document's last three tokens, but for its end token.
        """
        import torch

        rows = [
            [self.rearranged(document, examples.vocab, rng) for document in documents_of(row)] for row in examples.rows
        ]
        ids, segments = lay_down(rows, examples.vocab.pad)
        labels = np.full_like(ids, IGNORED)
        same = (segments[:, 1:] == segments[:, :-1]) & (segments[:, 1:] > 0)
        labels[:, :-1] = np.where(same, ids[:, 1:], IGNORED)
        batch = {"input_ids": ids, "segment_ids": segments, "labels": labels}
        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def rearranged(self, document: Ints, vocab: Vocab, rng: np.random.Generator) -> Ints:
        """Return one document, cut and laid down anew or as it was."""
        is_cut, is_spm = rng.random() < self.share, rng.random() < self.spm_share
        first, second = np.sort(rng.integers(0, max(1, len(document) - 2), 2))
        if not is_cut or len(document) < FEWEST:
            return document
        end = document[-1:] if document[-1] == vocab.eos else document[:0]
        body = document[: len(document) - 3 - len(end)]
        prefix, middle, suffix = np.split(body, np.minimum([first, second], len(body)))
        pre, suf, mid = (np.array([vocab.mark(number)], dtype=np.int64) for number in (PRE, SUF, MID))
        parts = (pre, suf, suffix, mid, prefix, middle) if is_spm else (pre, prefix, suf, suffix, mid, middle)
        return np.concatenate([*parts, end])

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per predicted token, and the accuracy."""
        return token_loss(model, model_inputs(model, batch), batch["labels"])
