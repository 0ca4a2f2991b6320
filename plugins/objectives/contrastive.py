"""Contrastive learning: the vectors of two texts that belong together come closer than those of all others.

Sources: van den Oord et al. 2018 (InfoNCE); both directions as in Radford et al. 2021 (CLIP), figure 3; one text read
twice under dropout as in Gao et al. 2021 (SimCSE). With unit vectors uᵢ and vᵢ of B pairs and temperature τ, the loss is
−(1/2B) Σᵢ [log softmaxⱼ(uᵢ·vⱼ/τ)ᵢ + log softmaxⱼ(uⱼ·vᵢ/τ)ᵢ]. A vector is the mean of a text's last states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.api import NEURAL, Field, Objective, StepError, encode_text, model_inputs, pad_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from transformers import PreTrainedTokenizerFast

    from workbench.api import Examples


class Contrastive(Objective):
    """Bring texts that belong together closer than others, van den Oord et al. 2018."""

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL
    head: ClassVar = "body"
    compares_rows: ClassVar = True
    data: ClassVar = "records"

    other: str | None = Field(
        None, description="column of the text that belongs to `text`; default: the same, read twice"
    )
    temperature: float = Field(0.05, gt=0, description="divides similarities; lower is harsher")

    def encode(
        self, record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str] | None, length: int
    ) -> dict[str, Any]:
        """Return `input_ids` and `other_ids`. Raises `StepError` when the record has no other text."""
        other = record["text"] if self.other is None else record.get(self.other)
        if not isinstance(other, str):
            raise StepError(
                f"record {record.get('id')!r} has no text in the column {self.other!r}",
                where=self.component_id,
                expected=f"one of: {', '.join(name for name, value in record.items() if isinstance(value, str))}",
            )
        return {
            "input_ids": encode_text(tokenizer, record["text"], length),
            "other_ids": encode_text(tokenizer, other, length),
        }

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return 2·B rows padded on the right: all texts, then all others in the same order; and `repeats` bool[B, B].

        Pairs that have their text or their other text in common are not held against each other.
        """
        import torch

        texts, others = ([tuple(row[side]) for row in examples.rows] for side in ("input_ids", "other_ids"))
        repeats = [
            [i != j and (texts[i] == texts[j] or others[i] == others[j]) for j in range(len(texts))]
            for i in range(len(texts))
        ]
        return {**pad_rows(texts + others, examples.vocab.pad), "repeats": torch.tensor(repeats)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss in nats per pair, and how often a text is nearest to its own other one."""
        texts_bd, others_bd = self.vectors(model, batch).chunk(2)
        return matching_loss(texts_bd, others_bd, 1 / self.temperature, batch["repeats"])

    @staticmethod
    def vectors(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return float[R, D]: the mean of each row's last states (of the encoder's, if there are two), of length 1."""
        inputs = model_inputs(model, batch)
        output = inputs["encoder_outputs"] if "encoder_outputs" in inputs else model(**inputs)
        real_rt1 = (batch["segment_ids"] > 0)[:, :, None]
        sums_rd = (output.last_hidden_state.float() * real_rt1).sum(1)
        vectors_rd: torch.Tensor = sums_rd / sums_rd.norm(dim=1, keepdim=True).clamp(min=1e-6)
        return vectors_rd


def matching_loss(
    left_bd: torch.Tensor, right_bd: torch.Tensor, scale: torch.Tensor | float, repeats_bb: torch.Tensor
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss in nats per pair, in both directions, and how often a left one is nearest to its own right one.

    In float32, also where training runs in bfloat16: cosines near 1 have steps of 1/256 there, and `scale` is up to 100.

    Args:
        left_bd: float32[B, D], each of length 1.
        right_bd: The same; row b of it belongs to row b of the left.
        scale: What cosines are multiplied by, 1/τ.
        repeats_bb: bool[B, B], true for pairs that are not held against each other.
    """
    import torch
    from torch.nn.functional import cross_entropy

    with torch.autocast(left_bd.device.type, enabled=False):
        similar_bb = (scale * (left_bd @ right_bd.T)).masked_fill(repeats_bb, torch.finfo(torch.float32).min)
        own_b = torch.arange(len(similar_bb), device=similar_bb.device)
        loss = (cross_entropy(similar_bb, own_b) + cross_entropy(similar_bb.T, own_b)) / 2
    return loss, {"accuracy": (similar_bb.detach().argmax(1) == own_b).float().mean().item()}
