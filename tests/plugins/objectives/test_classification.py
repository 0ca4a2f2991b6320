"""Text classification: labels, encoding, padding and loss."""

import math
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from workbench_plugins.objectives.classification import Classification

from workbench.api import Examples, StepError, Vocab
from workbench.testing.artifacts import small_tokenizer

VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)


class Constant(torch.nn.Module):
    """Says the same logits of every text."""

    is_causal = True
    config = SimpleNamespace(is_encoder_decoder=False, model_type="constant", _attn_implementation="eager")

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, input_ids, **_):
        return SimpleNamespace(logits=self.logits.expand(len(input_ids), -1))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer")).load()


def test_labels_are_sorted_names():
    """Names come sorted and once; documents without one do not count."""
    frame = pl.DataFrame({"text": ["a", "b", "c", "d"], "label": ["体育", "news", None, "news"]})
    assert Classification().labels(frame) == ["news", "体育"]


@pytest.mark.parametrize(
    "frame,message",
    [
        (pl.DataFrame({"text": ["a"], "topic": ["b"]}), "no column 'label'\n  expected: one of: text, topic"),
        (pl.DataFrame({"text": ["a", "b"], "label": ["x", "x"]}), "holds 1 label"),
    ],
)
def test_records_that_cannot_be_learned_are_refused(frame, message):
    """A missing column and a single label are said, with what there is."""
    with pytest.raises(StepError, match=message):
        Classification().labels(frame)


@pytest.mark.parametrize("text", ["The quick brown fox. " * 50, "今天天气很好。" * 50, "", "short"])
def test_encoding_ends_with_the_end_token_and_fits(tokenizer, text):
    """At most `length` tokens, the last of which is the end token."""
    example = Classification().encode({"id": "1", "text": text, "label": "b"}, tokenizer, ["a", "b"], 16)
    assert len(example["input_ids"]) <= 16
    assert example["input_ids"][-1] == tokenizer.eos_token_id
    assert example["label"] == 1


def test_special_tokens_in_a_text_are_only_characters(tokenizer):
    """A text that spells out a special token cannot end its document."""
    text = f"before {tokenizer.eos_token} after"
    ids = Classification().encode({"text": text, "label": "a"}, tokenizer, ["a"], 64)["input_ids"]
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.decode(ids[:-1]) == text


def test_an_unknown_label_is_refused(tokenizer):
    """The message names the record, the label and those that are known."""
    with pytest.raises(StepError, match=r"'7' has the label 'c'.*\n  expected: one of: a, b"):
        Classification().encode({"id": "7", "text": "x", "label": "c"}, tokenizer, ["a", "b"], 8)


def test_texts_are_padded_on_the_right():
    """Padding has the pad id and segment 0."""
    rows = [{"input_ids": [5, 6, 1], "label": 1}, {"input_ids": [1], "label": 0}]
    batch = Classification().collate(Examples(rows, VOCAB), np.random.default_rng(1))
    assert batch["input_ids"].tolist() == [[5, 6, 1], [1, 0, 0]]
    assert batch["segment_ids"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [1, 0]


def test_loss_by_hand():
    """Logits (ln 3, 0) mean probabilities (3/4, 1/4): the mean of -ln 3/4 and -ln 1/4, and half are right."""
    rows = [{"input_ids": [5, 1], "label": 0}, {"input_ids": [6, 1], "label": 1}]
    batch = Classification().collate(Examples(rows, VOCAB), np.random.default_rng(1))
    loss, metrics = Classification().loss(Constant([math.log(3.0), 0.0]), batch)
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-6)
    assert metrics == {"accuracy": 0.5}


def test_label_smoothing_by_hand():
    """With smoothing s the target is 1 - s/2 and s/2 over two labels."""
    batch = Classification().collate(Examples([{"input_ids": [5, 1], "label": 0}], VOCAB), np.random.default_rng(1))
    loss, _ = Classification(label_smoothing=0.2).loss(Constant([math.log(3.0), 0.0]), batch)
    assert loss.item() == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4), rel=1e-6)
