"""Vectors of texts: those of each family's own class, text by text, whatever stands beside them in a batch."""

import json
import shutil

import numpy as np
import pytest
import torch
from workbench_plugins.evaluators.frozen_features import text_vectors

from workbench.api import Context, Model, StepError, encode_text, load_model
from workbench.testing.artifacts import small_component, small_corpus, small_tokens
from workbench.testing.trials import trial

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "今天天气很好。",
    "One more text, a longer one, in a batch. " * 3,
]
USES = {
    "architecture/bert": "masked-lm",
    "architecture/llama": "causal-lm",
    "architecture/prefix-lm": "causal-lm",
    "architecture/t5": "seq2seq-lm",
    "architecture/xlnet": "permutation-lm",
}
LENGTH = 32


@pytest.fixture(scope="module")
def made(tmp_path_factory, tokenizer):
    """Return a model of an architecture, with weights that were never trained."""

    def make(use):
        path = tmp_path_factory.mktemp("model") / "data"
        architecture = small_component(use, layers=2, width=16, heads=2)
        torch.manual_seed(2)
        ctx = Context("step", use, 1, path, path, path, path)
        architecture.build(tokenizer.vocab(LENGTH), ctx).save_pretrained(path)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer.path / file, path / file)
        card = {"head": USES[use], "family": architecture.family, "labels": None, "context": LENGTH, "parameters": 1}
        (path / "training.json").write_text(json.dumps(card), "utf-8")
        return Model(path, "model", step="base")

    return make


def own_states(model, ids):
    """Return the states of transformers' own class for one text, read from both sides where it can be."""
    body = load_model(model).base_model
    given = {"input_ids": torch.tensor([ids]), "output_hidden_states": True}
    with torch.no_grad():
        if body.config.is_encoder_decoder:
            return body.get_encoder()(**given).hidden_states
        if getattr(body.config, "attention_pattern", "") == "prefix":
            given |= {"attention_mask": torch.zeros(1, 1, len(ids), len(ids)), "use_cache": False}
        return body(**given).hidden_states


@pytest.mark.parametrize("use", USES)
def test_vectors_are_means_of_the_states_of_each_text_alone(made, context, tokenizer, use):
    """Every layer of every text is the mean over its tokens of what the class gives for it by itself."""
    model, fast = made(use), tokenizer.load()
    found = text_vectors(model, TEXTS, None, context()).layers
    for number, text in enumerate(TEXTS):
        states = own_states(model, encode_text(fast, text, LENGTH))
        assert len(states) == len(found) == 3
        for layer, state in zip(found, states, strict=True):
            assert np.allclose(layer[number], state[0].mean(0).numpy(), atol=1e-5)


def test_a_prefix_decoder_reads_from_both_sides(made, context):
    """With the weights of a decoder it gives other vectors than the decoder: its first token sees the last."""
    decoder, prefix = (
        text_vectors(made(use), TEXTS, None, context()).layers[-1]
        for use in ("architecture/llama", "architecture/prefix-lm")
    )
    assert decoder.shape == prefix.shape == (3, 16)
    assert np.abs(decoder - prefix).max() > 1e-3


def test_no_more_is_read_than_asked_for(made, context):
    """Texts that begin with the same tokens have the same vector when only these are read."""
    texts = ["one two three four five", "one two three and something else"]
    whole, beginning = (
        text_vectors(made("architecture/bert"), texts, length, context()).layers[-1] for length in (None, 3)
    )
    assert not np.allclose(whole[0], whole[1], atol=1e-4)
    assert np.allclose(beginning[0], beginning[1], atol=1e-6)


def fitted(folder, use, inputs, **given):
    """Return a static model, trained as a step."""
    component = small_component("train/pretrain", architecture={"use": use, "with": given.pop("settings", {})}, **given)
    return trial(component, inputs, folder / "fitted")


def test_counting_models_give_their_columns(tmp_path, context):
    """The counts of words by hand: `a b a` has two of the first column and one of the second."""
    model = fitted(tmp_path, "architecture/bow", {"corpus": small_corpus(tmp_path / "corpus", ["a b", "b 天"])})
    assert text_vectors(model, ["a b a", "天 b"], None, context()).layers[0].toarray().tolist() == [
        [2, 1, 0],
        [0, 1, 1],
    ]


def test_word_vectors_are_averaged(tmp_path, context):
    """A text is the mean of the vectors of its tokens that were seen; an empty one has zeros."""
    tokens = small_tokens(tmp_path / "tokens")
    settings = {"width": 8, "min_count": 1, "epochs": 1}
    objective = {"use": "objective/skip-gram", "with": {}}
    model = fitted(tmp_path, "architecture/word2vec", {"tokens": tokens}, settings=settings, objective=objective)
    from workbench.api import load_static

    vectors, fast = load_static(model).vectors_vw, model.tokenizer.load()
    text = "the river was"
    ids = [token for token in encode_text(fast, text) if vectors[token].any()]
    found = text_vectors(model, [text, ""], None, context()).layers[0]
    assert np.allclose(found[0], vectors[ids].mean(0))
    assert not found[1].any()


def test_what_has_no_vectors_is_refused(tmp_path, context):
    """N-grams know probabilities only."""
    tokens = small_tokens(tmp_path / "tokens")
    model = fitted(tmp_path, "architecture/ngram", {"tokens": tokens}, settings={"order": 2})
    with pytest.raises(StepError, match="architecture/ngram has no vectors of texts"):
        text_vectors(model, ["a"], None, context())
