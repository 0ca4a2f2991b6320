"""The classes behind `architecture/autoencoder`: transformers models made of BERT's blocks.

`import workbench_plugins.architectures.autoencoder_model` makes transformers know them.

Shapes: B rows, T tokens of a row, D width, K bottleneck, V vocabulary, S documents of a row and 1 for padding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
)
from transformers.modeling_outputs import (
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from transformers.models.bert.modeling_bert import (
    BertEmbeddings,
    BertEncoder,
    BertLMPredictionHead,
    BertPreTrainedModel,
)


class AutoencoderConfig(BertConfig):  # type: ignore[misc]  # transformers is skipped by mypy
    """BERT's, and the size of the bottleneck."""

    model_type = "workbench-autoencoder"
    bottleneck: int = 64


class AutoencoderPreTrainedModel(BertPreTrainedModel):  # type: ignore[misc]
    """What the classes share."""

    config_class = AutoencoderConfig
    base_model_prefix = "encoder"


class AutoencoderModel(AutoencoderPreTrainedModel):
    """Read documents and press each into one vector."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.embeddings = BertEmbeddings(config)
        self.blocks = BertEncoder(config)
        self.press = nn.Linear(config.hidden_size, config.bottleneck)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of tokens."""
        return self.embeddings.word_embeddings  # type: ignore[no-any-return]

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embeddings of tokens."""
        self.embeddings.word_embeddings = value

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: Any = None,
        position_ids: torch.Tensor | None = None,
        segment_ids: torch.Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Return states float[B, T, D], and one vector for each document, float[B, S, K].

        `segment_ids` int[B, T] numbers the documents of a row, 0 is padding; without it a row is one document.
        """
        states_btd = self.blocks(
            self.embeddings(input_ids, position_ids=position_ids), attention_mask
        ).last_hidden_state
        segments_bt = torch.ones_like(input_ids) if segment_ids is None else segment_ids
        belongs_bst = nn.functional.one_hot(segments_bt).transpose(1, 2).to(states_btd.dtype)
        sums_bsd = belongs_bst @ states_btd
        means_bsd = sums_bsd / belongs_bst.sum(-1, keepdim=True).clamp(min=1)
        return BaseModelOutputWithPooling(last_hidden_state=states_btd, pooler_output=self.press(means_bsd))


class AutoencoderForReconstruction(AutoencoderPreTrainedModel):
    """Read documents, press each into one vector, and write it out again, all tokens at once."""

    _tied_weights_keys = {  # noqa: RUF012  # transformers' own form
        "head.decoder.weight": "encoder.embeddings.word_embeddings.weight",
        "head.decoder.bias": "head.bias",
    }

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.encoder = AutoencoderModel(config)
        self.release = nn.Linear(config.bottleneck, config.hidden_size)
        self.places = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.writing = BertEncoder(config)  # not `blocks`: loading takes that for the encoder's
        self.head = BertLMPredictionHead(config)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        """Return the layer that makes logits."""
        return self.head.decoder  # type: ignore[no-any-return]

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the layer that makes logits."""
        self.head.decoder = new_embeddings

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: Any = None,
        position_ids: torch.Tensor | None = None,
        segment_ids: torch.Tensor | None = None,
    ) -> MaskedLMOutput:
        """Return logits float[B, T, V] of each token of the texts, and the states they come from."""
        pressed_bsk = self.encoder(input_ids, attention_mask, position_ids, segment_ids).pooler_output
        segments_bt = torch.ones_like(input_ids) if segment_ids is None else segment_ids
        row_b1 = torch.arange(len(input_ids), device=input_ids.device)[:, None]
        if position_ids is None:
            position_ids = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        given_btd = self.release(pressed_bsk)[row_b1, segments_bt] + self.places(position_ids)
        states_btd = self.writing(self.norm(given_btd), attention_mask).last_hidden_state
        return MaskedLMOutput(logits=self.head(states_btd), hidden_states=(states_btd,))


class AutoencoderForSequenceClassification(AutoencoderPreTrainedModel):
    """Tell the label of a text from its vector."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.encoder = AutoencoderModel(config)
        self.classifier = nn.Linear(config.bottleneck, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: Any = None,
        position_ids: torch.Tensor | None = None,
        segment_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Return logits float[B, labels] of the first document of each row."""
        pressed_bsk = self.encoder(input_ids, attention_mask, position_ids, segment_ids).pooler_output
        return SequenceClassifierOutput(logits=self.classifier(pressed_bsk[:, 1]))


class AutoencoderForTokenClassification(AutoencoderPreTrainedModel):
    """Tell the label of each token from the encoder's states."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.encoder = AutoencoderModel(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: Any = None,
        position_ids: torch.Tensor | None = None,
        segment_ids: torch.Tensor | None = None,
    ) -> TokenClassifierOutput:
        """Return logits float[B, T, labels]."""
        states_btd = self.encoder(input_ids, attention_mask, position_ids, segment_ids).last_hidden_state
        return TokenClassifierOutput(logits=self.classifier(states_btd))


AutoConfig.register(AutoencoderConfig.model_type, AutoencoderConfig)
AutoModel.register(AutoencoderConfig, AutoencoderModel)
AutoModelForMaskedLM.register(AutoencoderConfig, AutoencoderForReconstruction)
AutoModelForSequenceClassification.register(AutoencoderConfig, AutoencoderForSequenceClassification)
AutoModelForTokenClassification.register(AutoencoderConfig, AutoencoderForTokenClassification)
