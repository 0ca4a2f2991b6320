"""Models whose answers are known, with a tokenizer that was learned from a few documents."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.llama import Llama

from workbench.api import Context, Model, Vocab
from workbench.testing.artifacts import small_corpus, small_tokenizer


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    """A byte-level tokenizer of 400 tokens."""
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def context(tmp_path):
    """Return a context with the given inputs."""

    def make(component="evaluator/x", **inputs):
        output = tmp_path / "output"
        output.mkdir(exist_ok=True)
        return Context("scores", component, 5, tmp_path, output, tmp_path, tmp_path, inputs, device="cpu")

    return make


@pytest.fixture
def corpus(tmp_path):
    """Return a corpus of the given texts."""

    def make(texts, name="corpus", **columns):
        return small_corpus(tmp_path / name, texts, **columns)

    return make


@pytest.fixture
def saved_model(tmp_path, tokenizer):
    """Save a small model as an artifact; `change` gets it first."""

    def make(change=lambda _model: None, *, head="causal-lm", labels=None, length=64, name="model"):
        vocab = tokenizer.vocab(length)
        path = tmp_path / name
        _build(head, labels, vocab, change).save_pretrained(path)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer.path / file, path / file)
        card = {"head": head, "family": "decoder", "labels": labels, "context": length, "parameters": 1}
        (path / "training.json").write_text(json.dumps(card), "utf-8")
        return Model(path, "model", step="base")

    return make


def _build(head, labels, vocab: Vocab, change):
    from transformers import LlamaForSequenceClassification

    here = Path()
    ctx = Context("step", "architecture/llama", 1, here, here, here, here)
    torch.manual_seed(1)
    if head == "masked-lm":
        return Bert(layers=1, width=16, heads=2).build(vocab, ctx)
    model = Llama(layers=1, width=16, heads=2, tie_embeddings=False).build(vocab, ctx)
    if head == "sequence-classification":
        model.config.id2label = dict(enumerate(labels))
        model.config.label2id = {label: number for number, label in enumerate(labels)}
        model = LlamaForSequenceClassification(model.config)
    change(model)
    return model
