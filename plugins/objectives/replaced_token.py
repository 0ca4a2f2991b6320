"""Replaced token detection: tell for every token whether it stood in the text or was put in.

Source: Clark et al. 2020 (ELECTRA), section 2. Some tokens are hidden, a generator G guesses them, and the model D, which
is kept, reads the text x̃ with its guesses. With M the hidden tokens, x' the text without them, yₜ whether x̃ₜ ≠ xₜ, and
n the tokens that can be told apart,

    L = (1 / p·n) Σ_{t ∈ M} −log p_G(xₜ | x')  +  λ · (1/n) Σₜ −log p_D(yₜ | x̃),

where p is the share that is hidden: p·n is |M| on average, and like this a batch that is cut into pieces has the loss it
has in one. No gradient goes through the guesses. `generator: unigram` trains no second network: replacements are drawn
from the tokens of the batch as often as they occur there (the unigram generator of section 3.2), and L is the second part
alone, without λ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator
from workbench_plugins.objectives.masked import Ints, Masked, special_ids
from workbench_plugins.objectives.rows import IGNORED, stack

from workbench.api import Field, Objective, StepError, logits_loss, model_inputs, weights_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples, Vocab

OF_THE_NETWORK = ("generator_share", "generator_layers", "weight")


class ReplacedToken(Objective):
    """Tell tokens that were put in from those that stood in the text, Clark et al. 2020."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder",)
    head: ClassVar = "token-classification"
    classes: ClassVar = ("original", "replaced")

    probability: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is replaced")
    generator: Literal["network", "unigram"] = Field(
        "network", description="what replaces them: a small masked model trained beside, or tokens of the batch"
    )
    generator_share: float = Field(0.25, gt=0, le=1, description="width of the generator over that of the model")
    generator_layers: int = Field(6, ge=1, le=1000, description="blocks of the generator")
    weight: float = Field(50.0, gt=0, description="of telling apart beside the generator's loss (λ)")

    @model_validator(mode="after")
    def _nothing_idle(self) -> Self:
        fields = type(self).model_fields
        idle = [name for name in OF_THE_NETWORK if getattr(self, name) != fields[name].default]
        if self.generator == "unigram" and idle:
            raise ValueError(f"{', '.join(idle)} is of the generator network, and the generator is unigram")
        return self

    @property
    def labelled_logits(self) -> bool:  # type: ignore[override]  # it follows from the generator
        """Whether the loss is that of the labels alone."""
        return self.generator == "unigram"

    @property
    def num_marks(self) -> int:
        """One that hides tokens from the generator, for tokenizers without a mask token."""
        return int(self.generator == "network")

    def beside(self, example: Mapping[str, Any], width: int) -> Mapping[str, torch.Tensor]:
        """Return the weights of the generator, for rows as long as the example."""
        if self.generator == "unigram":
            return {}
        from workbench_plugins.objectives.generator import fresh

        inner = max(1, round(self.generator_share * width))
        return fresh(width, inner, self.generator_layers, len(example["input_ids"]))

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows and `labels` int64[B, T]: 1 where another token stands now, else 0, -100 for special tokens.

        For a generator network nothing is replaced yet: `hidden_ids` int64[B, T] is what it reads, `draws` float32[B, T]
        what it draws by, and labels are 0. A replacement that happens to be the token itself counts as original, as in
        the paper. Special tokens are never replaced.
        """
        import torch

        batch = stack(examples.rows)
        ids, special = batch["input_ids"], special_ids(examples.vocab)
        ordinary = ~np.isin(ids, special) & (batch["segment_ids"] > 0)
        made = (
            self._unigram(ids, ordinary, rng) if self.generator == "unigram" else self._hidden(ids, examples.vocab, rng)
        )
        read = made.get("input_ids", ids)
        labels = np.where(ordinary, (read != ids).astype(np.int64), IGNORED)
        arrays = {**batch, **made, "labels": labels}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _unigram(self, ids: Ints, ordinary: Any, rng: np.random.Generator) -> dict[str, Any]:
        pool = ids[ordinary]
        if not len(pool):
            pool = ids.ravel()
        drawn = pool[rng.integers(0, len(pool), ids.shape)]
        chosen = ordinary & (rng.random(ids.shape) < self.probability)
        return {"input_ids": np.where(chosen, drawn, ids)}

    def _hidden(self, ids: Ints, vocab: Vocab, rng: np.random.Generator) -> dict[str, Any]:
        chosen = Masked(probability=self.probability).choose(ids, special_ids(vocab), rng)
        mask = vocab.mask if vocab.mask is not None else vocab.mark(0)
        return {"hidden_ids": np.where(chosen, mask, ids), "draws": rng.random(ids.shape, dtype=np.float32)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss in nats, the accuracy, the share of replaced tokens found, and what the generator reached."""
        if self.generator == "unigram":
            return self._told_apart(model, batch)
        guessed, read_bt, metrics = self._guessed(model, batch)
        labels_bt = (read_bt != batch["input_ids"]).long().masked_fill(batch["labels"] == IGNORED, IGNORED)
        told, found = self._told_apart(model, {**batch, "input_ids": read_bt, "labels": labels_bt})
        return guessed + self.weight * told, {**found, "detector_loss": told.item(), **metrics}

    def _guessed(
        self, model: Any, batch: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, float]]:
        """Return the generator's loss, the text with its guesses, and its metrics."""
        import torch
        from torch.nn.functional import cross_entropy
        from workbench_plugins.objectives.generator import drawn, said

        weights, embeddings_vd = weights_beside(model), model.get_input_embeddings().weight
        if weights["narrow-weight"].shape[1] != embeddings_vd.shape[1]:
            raise StepError(
                f"the embeddings have {embeddings_vd.shape[1]} numbers, the states {weights['narrow-weight'].shape[1]}",
                where=self.component_id,
                expected="a model whose embeddings are as wide as its states, or generator: unigram",
            )
        ids_bt, hidden_bt = batch["input_ids"], batch["hidden_ids"] != batch["input_ids"]
        rows = (batch["hidden_ids"], batch["segment_ids"], batch["position_ids"])
        logits_nv = said(weights, self.generator_layers, embeddings_vd, *rows, hidden_bt)
        true_n = ids_bt[hidden_bt]
        expected = max(1.0, self.probability * int((batch["labels"] != IGNORED).sum()))
        loss = cross_entropy(logits_nv, true_n, reduction="sum") / expected
        with torch.no_grad():
            guesses_n = drawn(logits_nv, batch["draws"][hidden_bt])
        read_bt = ids_bt.masked_scatter(hidden_bt, guesses_n)
        right = (logits_nv.detach().argmax(-1) == true_n).sum().item() / expected
        return loss, read_bt, {"generator_loss": loss.item(), "generator_accuracy": right}

    @staticmethod
    def _told_apart(model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        logits_btc = model(**model_inputs(model, batch)).logits
        loss, metrics = logits_loss(logits_btc, batch["labels"])
        replaced_bt = batch["labels"] == 1
        found = (logits_btc.detach().argmax(-1)[replaced_bt] == 1).float().mean().item() if replaced_bt.any() else 0.0
        return loss, {**metrics, "recall": found}
