"""Images and their texts: the vector of a text comes closer to that of its own image than to those of all others.

Source: Radford et al. 2021 (CLIP), figure 3 and section 2.3. An image is a vector f of features that was worked out
elsewhere and stands in a column of the corpus; a text is the mean h of its last states. Both are projected into one
space by matrices that are learned, v = W_i f / |W_i f| and u = W_t h / |W_t h|, and with B pairs and the learned
temperature τ = e^(−s) the loss is

    L = −(1/2B) Σᵢ [log softmaxⱼ(vᵢ·uⱼ/τ)ᵢ + log softmaxⱼ(vⱼ·uᵢ/τ)ᵢ]

As in section 2.5, τ begins at 0.07 and never falls below 0.01. The images' own encoder is not trained.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from workbench_plugins.objectives.contrastive import Contrastive, matching_loss

from workbench.api import NEURAL, Field, Objective, StepError, encode_text, pad_rows, weights_beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from transformers import PreTrainedTokenizerFast

    from workbench.api import Examples

FIRST_SCALE = math.log(1 / 0.07)
LARGEST_SCALE = math.log(100)


class ImageText(Objective):
    """Bring images and their texts together, Radford et al. 2021."""

    version: ClassVar[int] = 1
    families: ClassVar = NEURAL
    head: ClassVar = "body"
    data: ClassVar = "records"
    compares_rows: ClassVar = True

    image: str = Field(
        "image", min_length=1, description="the column that holds the features of the image, a list of numbers"
    )
    width: int | None = Field(
        None, ge=1, description="size of the space they share; default: that of the model's states"
    )

    def encode(
        self, record: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast, labels: Sequence[str] | None, length: int
    ) -> dict[str, Any]:
        """Return `input_ids` and `image` float32[F]. Raises `StepError` when the record has no features of an image."""
        given = record.get(self.image)
        image = np.asarray(given if isinstance(given, (list, tuple, np.ndarray)) else [], dtype=object)
        if not image.size or not all(_is_number(value) for value in image.tolist()):
            raise StepError(
                f"record {record.get('id')!r} has no features of an image in the column {self.image!r}",
                where=self.component_id,
                expected="a list of finite numbers, as long in every record",
                advice=f"the record has the columns {', '.join(record)}",
            )
        return {"input_ids": encode_text(tokenizer, record["text"], length), "image": image.astype(np.float32)}

    def beside(self, example: Mapping[str, Any], width: int) -> dict[str, torch.Tensor]:
        """Return the projections `image` [W, F] and `text` [W, D], drawn with deviation 1/√(inputs), and `scale`."""
        import torch

        shared, features = self.width or width, len(example["image"])
        return {
            "image": torch.randn(shared, features) * features**-0.5,
            "text": torch.randn(shared, width) * width**-0.5,
            "scale": torch.tensor(FIRST_SCALE),
        }

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the texts padded on the right, `images` float32[B, F], and `repeats` bool[B, B].

        Pairs that have their text or their image in common are not held against each other. Raises `StepError` when
        images differ in the number of their features.
        """
        import torch

        images = [np.asarray(row["image"], dtype=np.float32) for row in examples.rows]
        sizes = sorted({len(image) for image in images})
        if len(sizes) > 1:
            raise StepError(
                f"images have {' and '.join(map(str, sizes))} features",
                where=self.component_id,
                expected="as many in every record",
            )
        texts = [tuple(row["input_ids"]) for row in examples.rows]
        repeats = [
            [i != j and (texts[i] == texts[j] or bool((images[i] == images[j]).all())) for j in range(len(texts))]
            for i in range(len(texts))
        ]
        batch = pad_rows(texts, examples.vocab.pad)
        return {**batch, "images": torch.from_numpy(np.stack(images)), "repeats": torch.tensor(repeats)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss in nats per pair, how often an image is nearest to its own text, and the temperature."""
        import torch
        from torch.nn.functional import linear, normalize

        learned = weights_beside(model)
        texts_bd = Contrastive.vectors(
            model, {name: batch[name] for name in batch if name not in ("images", "repeats")}
        )
        texts_bw = normalize(linear(texts_bd, learned["text"]).float(), dim=1)
        images_bw = normalize(linear(batch["images"], learned["image"]).float(), dim=1)
        with torch.no_grad():
            learned["scale"].clamp_(max=LARGEST_SCALE)
        scale = learned["scale"].exp()
        loss, metrics = matching_loss(images_bw, texts_bw, scale, batch["repeats"])
        return loss, {**metrics, "temperature": 1 / scale.item()}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
