"""The BERT architecture: sizes by hand, and a model that looks both ways."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.bert import Bert

from workbench.api import Context, Vocab, model_inputs

HERE = Path()
CTX = Context("step", "architecture/bert", 1, HERE, HERE, HERE, HERE)
VOCAB = Vocab(size=50, max_length=16, pad=0, mask=1, cls=2, sep=3)


def test_parameters_by_hand():
    """Embeddings (tokens, positions, two segments, norm), blocks with biases, and the head's transform and bias."""
    model = Bert(layers=2, width=32, heads=2).build(VOCAB, CTX)
    width, ffn = 32, 128
    embeddings = (50 + 16 + 2) * width + 2 * width
    block = 4 * (width**2 + width) + (width * ffn + ffn) + (ffn * width + width) + 4 * width
    head = width**2 + width + 2 * width + 50
    assert sum(weight.numel() for weight in model.parameters()) == embeddings + 2 * block + head


def test_both_sides_are_seen():
    """Changing the last token changes the output at the first."""
    torch.manual_seed(1)
    model = Bert(layers=1, width=32, heads=2).build(VOCAB, CTX).eval()
    ids = torch.arange(5, 15)[None]
    changed = ids.clone()
    changed[0, -1] = 40
    first, other = (
        model(**model_inputs(model, {"input_ids": given, "segment_ids": torch.ones_like(given)})).logits
        for given in (ids, changed)
    )
    assert not torch.equal(first[:, 0], other[:, 0])


def test_a_width_that_cannot_be_divided_is_refused():
    """The message names the width and the heads."""
    with pytest.raises(ValidationError, match="width 30 cannot be divided among 4 heads"):
        Bert(width=30, heads=4)
