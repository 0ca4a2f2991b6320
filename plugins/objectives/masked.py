"""Masked language modelling: hide some tokens and predict them from both sides.

Source: Devlin et al. 2019, section 3.1: 15 % of the tokens are chosen; 80 % of these become the mask token, 10 % a
random token, 10 % stay as they are. Special tokens are never chosen and never put in. Whole words are chosen together
in the later models of the same authors (2019, May) and, for Chinese, by Cui et al. 2021. With M the chosen tokens and x̃
what is read, the loss is −(1/|M|) Σ_{t ∈ M} log p(xₜ | x̃).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator
from workbench_plugins.objectives.rows import IGNORED, stack
from workbench_plugins.objectives.whole_words import words_of

from workbench.api import Field, Objective, StepError, model_inputs, token_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples, Vocab

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


class Masked(Objective):
    """Predict hidden tokens from both sides, Devlin et al. 2019."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder",)
    head: ClassVar = "masked-lm"
    labelled_logits: ClassVar = True
    rereads: ClassVar = True

    probability: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is to be predicted")
    mask_share: float = Field(0.8, ge=0, le=1, description="share of these that the mask token replaces")
    random_share: float = Field(0.1, ge=0, le=1, description="share of these that a random token replaces")

    unit: Literal["token", "word"] = Field(
        "token", description="what is chosen at once: single tokens, or all tokens of a word (Chinese by a dictionary)"
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.mask_share + self.random_share > 1:
            raise ValueError(f"mask_share {self.mask_share} and random_share {self.random_share} exceed 1 together")
        return self

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with tokens hidden, and `labels`: the original token wherever one was chosen.

        Raises `StepError` when the tokenizer has no mask token.
        """
        import torch

        rows = {name: torch.from_numpy(array) for name, array in stack(examples.rows).items()}
        return self.reread(rows, examples.vocab, rng)

    def reread(
        self, batch: Mapping[str, torch.Tensor], vocab: Vocab, rng: np.random.Generator
    ) -> dict[str, torch.Tensor]:
        """Return rows with tokens hidden, and `labels`; see `collate`."""
        import torch

        if vocab.mask is None:
            raise StepError(
                "the tokenizer has no mask token",
                where=self.component_id,
                expected="a tokenizer with one: tokenizer/wordpiece, or another with `mask: true`",
            )
        ids = batch["input_ids"].numpy()
        chosen = self.chosen(ids, batch["segment_ids"].numpy(), vocab, rng)
        made = {"input_ids": self.hide(ids, chosen, vocab, rng), "labels": np.where(chosen, ids, IGNORED)}
        return {**batch, **{name: torch.from_numpy(array) for name, array in made.items()}}

    def chosen(self, ids_bt: Ints, segments_bt: Ints, vocab: Vocab, rng: np.random.Generator) -> Bools:
        """Return which tokens are to be predicted, alone or word by word."""
        special = special_ids(vocab)
        if self.unit == "token":
            return self.choose(ids_bt, special, rng)
        words_bt = np.stack([words_of(row, segments, vocab) for row, segments in zip(ids_bt, segments_bt, strict=True)])
        draws_bw = rng.random((len(ids_bt), int(words_bt.max()) + 1))
        draws_bt = np.where(np.isin(ids_bt, special), np.inf, np.take_along_axis(draws_bw, words_bt, axis=1))
        lowest_b1 = draws_bt.min(axis=1, keepdims=True)
        chosen_bt: Bools = ((draws_bt < self.probability) | (draws_bt == lowest_b1)) & np.isfinite(draws_bt)
        return chosen_bt

    def choose(self, ids_bt: Ints, special: Ints, rng: np.random.Generator) -> Bools:
        """Return which tokens are to be predicted: a random share, and at least one of each row that has any."""
        draws_bt = np.where(np.isin(ids_bt, special), np.inf, rng.random(ids_bt.shape))
        chosen_bt = draws_bt < self.probability
        lowest_b = draws_bt.argmin(axis=1)
        rows_b = np.arange(len(ids_bt))
        chosen_bt[rows_b, lowest_b] |= np.isfinite(draws_bt[rows_b, lowest_b])
        return chosen_bt

    def hide(self, ids_bt: Ints, chosen_bt: Bools, vocab: Vocab, rng: np.random.Generator) -> Ints:
        """Return the ids with chosen tokens masked, replaced at random, or left."""
        assert vocab.mask is not None
        ordinary = np.setdiff1d(np.arange(vocab.size), special_ids(vocab))
        fate_bt = rng.random(ids_bt.shape)
        random_bt = ordinary[rng.integers(0, len(ordinary), ids_bt.shape)]
        hidden_bt = np.where(chosen_bt & (fate_bt < self.mask_share), vocab.mask, ids_bt)
        replaced_bt = chosen_bt & (fate_bt >= self.mask_share) & (fate_bt < self.mask_share + self.random_share)
        return np.where(replaced_bt, random_bt, hidden_bt).astype(np.int64)

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the mean cross-entropy in nats per predicted token, and the accuracy."""
        return token_loss(model, model_inputs(model, batch), batch["labels"])


def special_ids(vocab: Vocab) -> Ints:
    """Return the ids of all special tokens of a vocabulary and of its marks, sorted."""
    ids = {vocab.pad, vocab.eos, vocab.bos, vocab.unk, vocab.mask, vocab.cls, vocab.sep}
    ids |= set(range(vocab.size - vocab.num_marks, vocab.size))
    return np.array(sorted(number for number in ids if number is not None), dtype=np.int64)
