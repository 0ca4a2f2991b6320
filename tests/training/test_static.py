"""Static architectures in `train/pretrain`: what goes with them and what does not, said when a pipeline is checked."""

import pytest

import workbench as wb
from workbench.errors import PipelineError, StepError, UsageError
from workbench.testing.artifacts import small_component, small_tokens
from workbench.testing.trials import trial
from workbench.training.models import load_model
from workbench.training.provenance import data_of

PIPELINE = """
workbench: 1
name: static
seed: 1
steps:
  raw: {{use: source/text, with: {{paths: [a.txt]}}}}
  bpe: {{use: tokenizer/byte-bpe, inputs: raw, with: {{vocab_size: 300}}}}
  ids: {{use: tokens/pack, inputs: {{corpus: raw, tokenizer: bpe}}, with: {{context: 16}}}}
  base: {{use: train/pretrain, inputs: {inputs}, with: {{architecture: {{use: architecture/{name}}}{more}}}}}
{after}
"""


def problems(name="ngram", inputs="ids", more="", after=""):
    """Return the messages of a check."""
    try:
        wb.load(PIPELINE.format(name=name, inputs=inputs, more=f", {more}" if more else "", after=after))
    except PipelineError as error:
        return [problem.message for problem in error.problems]
    return []


def test_an_ngram_model_needs_tokens_and_nothing_else():
    assert problems() == []
    (message,) = problems(inputs="raw")
    assert "takes tokens; raw gives a corpus" in message


def test_an_objective_is_refused_where_there_is_no_choice():
    (message,) = problems(more="objective: {use: objective/causal}")
    assert message == "architecture/ngram learns in one way only and takes no objective; leave out objective/causal"


def test_a_neural_model_without_an_objective_is_told_what_fits():
    (message,) = problems(name="llama")
    assert message.startswith("architecture/llama needs an objective; objectives that fit: causal")


def test_settings_of_the_training_loop_mean_nothing():
    found = problems(more="batch_size: 4, optimizer: {lr: 0.1}, budget: {steps: 3}")
    assert len(found) == 3
    assert all("is not trained step by step" in message for message in found)
    assert problems(more="batch_size: 16") == []  # the default, written out


def test_layers_belong_to_neural_models():
    (message,) = problems(name="ngram, with: {layers: 3}")
    assert "unknown option 'layers'" in message


def test_tuning_a_static_model_is_refused():
    after = (
        "  tuned: {use: train/tune, inputs: {model: base, data: raw}, "
        "with: {tuning: {use: tuning/lora}, objective: {use: objective/classification}}}"
    )
    (message,) = problems(after=after)
    assert message.startswith("tuning/lora is for encoder or decoder")
    assert "the model is of family static" in message


def test_evaluators_know_the_head():
    assert problems(after="  scores: {use: evaluator/perplexity, inputs: {model: base, heldout: raw}}") == []
    (message,) = problems(after="  scores: {use: evaluator/classification, inputs: {model: base, heldout: raw}}")
    assert "judges sequence-classification models; base is a causal-lm model" in message


def test_what_only_networks_have_is_refused_with_a_reason(tmp_path):
    """There is no torch module to load, and no batch to trace."""
    step = small_component("train/pretrain", architecture={"use": "architecture/ngram", "with": {"order": 2}})
    model = trial(step, {"tokens": small_tokens(tmp_path)}, tmp_path / "model")
    with pytest.raises(StepError, match="a static model, which transformers does not know"):
        load_model(model)
    with pytest.raises(UsageError, match="fitted on all documents at once"):
        data_of(model)
    export = small_component("exporter/huggingface")
    with pytest.raises(StepError, match="no class for a static model"):
        trial(export, {"model": model}, tmp_path / "export")


def test_what_reads_documents_takes_a_corpus():
    """Its port is `corpus`; tokens are not read, and the missing port is named."""
    assert problems(name="tfidf-linear", inputs="{corpus: raw}") == []
    found = problems(name="tfidf-linear", inputs="{tokens: ids}")
    assert "architecture/tfidf-linear needs the input 'corpus' (a corpus)" in found
    assert "architecture/tfidf-linear learns from corpus; the input 'tokens' is not read" in found


def test_word_vectors_need_an_objective_of_their_own():
    """Without one those that fit are named; one of a network is refused."""
    (message,) = problems(name="word2vec")
    assert message == "architecture/word2vec needs an objective; objectives that fit: cbow, skip-gram"
    assert problems(name="word2vec", more="objective: {use: objective/cbow}") == []
    (message,) = problems(name="word2vec", more="objective: {use: objective/causal}")
    assert "but architecture/word2vec is of family static; objectives that fit: cbow, skip-gram" in message
