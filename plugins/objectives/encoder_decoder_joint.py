"""Joint training of both stacks: the encoder predicts its own hidden tokens while the decoder writes them as spans.

Sources: masked modelling as in Devlin et al. 2019 on the encoder, span corruption as in Raffel et al. 2020 on the
decoder. Spans of x are hidden token by token, so that the encoder has a place for each. With M the hidden places and y
the spans behind their marks, the loss is

    w · (−1/|M|) Σ_{t ∈ M} log p_enc(xₜ | x̃)  +  (−1/|y|) Σᵤ log p_dec(yᵤ | y₀ … yᵤ₋₁, x̃).

The encoder's predictions are made by the decoder's output layer, so it needs no weights that the model lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from workbench_plugins.objectives.documents import Ints, documents_of, lay_down, read_and_write, writing_inputs
from workbench_plugins.objectives.rows import IGNORED
from workbench_plugins.objectives.spans import mark_spans, random_spans

from workbench.api import Field, Objective, logits_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from workbench.api import Examples


class EncoderDecoderJoint(Objective):
    """Predict hidden tokens in the encoder and write them in the decoder."""

    version: ClassVar[int] = 1
    families: ClassVar = ("encoder-decoder",)
    head: ClassVar = "seq2seq-lm"

    probability: float = Field(0.15, gt=0, lt=1, description="share of the tokens that is hidden")
    mean_span: float = Field(3.0, ge=1, description="mean tokens of a span")
    encoder_weight: float = Field(1.0, ge=0, description="weight of the encoder's loss beside the decoder's")
    marks: int = Field(100, ge=2, description="different marks; a document has one span less at most")

    @property
    def num_marks(self) -> int:
        """The ids that stand for spans."""
        return self.marks

    def collate(self, examples: Examples, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the rows with the tokens of each span hidden by its mark, what is written, and `encoder_labels`."""
        import torch

        pairs: list[list[tuple[Ints, Ints]]] = []
        hidden: list[list[Ints]] = []
        for row in examples.rows:
            pairs.append([])
            hidden.append([])
            for document in documents_of(row):
                spans = random_spans(len(document), self.probability, self.mean_span, rng, most=self.marks - 1)
                written = mark_spans(document, spans, examples.vocab)[1] if spans else document[:0]
                read, labels = document.copy(), np.full_like(document, IGNORED)
                for number, (start, end) in enumerate(spans):
                    read[start:end] = examples.vocab.mark(number)
                    labels[start:end] = document[start:end]
                pairs[-1].append((read, written))
                hidden[-1].append(labels)
        batch = read_and_write(pairs, examples.vocab.pad)
        return {**batch, "encoder_labels": torch.from_numpy(lay_down(hidden, IGNORED)[0])}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the weighted sum of both losses, each in nats per token, and both with their accuracies."""
        network: Any = model
        inputs = writing_inputs(model, {name: value for name, value in batch.items() if name != "encoder_labels"})
        decoder, found = logits_loss(model(**inputs).logits, batch["labels"])
        states_btd = inputs["encoder_outputs"].last_hidden_state
        if getattr(network.config, "scale_decoder_outputs", False):
            states_btd = states_btd * network.config.d_model**-0.5  # as T5 does with its decoder's states
        encoder, read = logits_loss(network.get_output_embeddings()(states_btd), batch["encoder_labels"])
        metrics = {
            "decoder_loss": decoder.item(),
            "encoder_loss": encoder.item(),
            "accuracy": found["accuracy"],
            "encoder_accuracy": read["accuracy"],
        }
        return self.encoder_weight * encoder + decoder, metrics
