"""Rows by hand, and a model that says the same of every token."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from workbench.api import Context, Vocab

CTX = Context("step", "architecture/any", 1, *(Path() for _ in range(4)))
MARKED = Vocab(size=60, max_length=32, pad=0, eos=1, num_marks=10)  # marks are 50 … 59


class Constant(torch.nn.Module):
    """Says the same logits of every token; an encoder-decoder if `writes`."""

    is_causal = False

    def __init__(self, logits, *, writes=False):
        super().__init__()
        self.logits = torch.tensor(logits)
        self.config = SimpleNamespace(
            is_encoder_decoder=writes, model_type="constant", _attn_implementation="eager", decoder_start_token_id=0
        )

    def get_encoder(self):
        return lambda input_ids, attention_mask: SimpleNamespace(last_hidden_state=torch.zeros(*input_ids.shape, 4))

    def get_decoder(self):
        return torch.nn.Identity()

    def get_output_embeddings(self):
        return None

    def forward(self, input_ids=None, decoder_input_ids=None, **_):
        given = input_ids if decoder_input_ids is None else decoder_input_ids
        return SimpleNamespace(logits=self.logits.expand(*given.shape, -1))


@pytest.fixture
def constant():
    return Constant


@pytest.fixture
def marked():
    return MARKED


@pytest.fixture
def ctx():
    return CTX


@pytest.fixture
def row():
    """Return a maker of packed rows from documents, padded to `length`."""

    def made(*documents, length=None):
        size = sum(map(len, documents))
        padding = (length or size) - size
        return {
            "input_ids": np.concatenate([*map(np.asarray, documents), np.zeros(padding, dtype=int)]),
            "segment_ids": np.repeat([*range(1, len(documents) + 1), 0], [*map(len, documents), padding]),
            "position_ids": np.concatenate([*[np.arange(len(one)) for one in documents], np.arange(padding)]),
        }

    return made
