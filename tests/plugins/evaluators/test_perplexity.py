"""Perplexity: known answers for models that know nothing, no leak between documents, windows of long ones."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from workbench_plugins.evaluators.perplexity import Perplexity

from workbench.api import StepError, encode_text, load_model

TEXTS = ["The quick brown fox jumps over the lazy dog.", "今天天气很好，我们去公园散步。", "One more text."]


def knows_nothing(model):
    """Give every token the same logit."""
    torch.nn.init.zeros_(model.lm_head.weight)


def by_name(scores):
    return {score.name: score for score in scores.scores}


def test_a_uniform_model_has_the_vocabulary_as_perplexity(saved_model, corpus, context, tokenizer):
    """Perplexity is 400 of 400 tokens, equal to its baseline, and so is every document's; n counts scored tokens."""
    scores = by_name(Perplexity().evaluate(saved_model(knows_nothing), corpus(TEXTS), context()))
    fast = tokenizer.load()
    lengths = [len(encode_text(fast, text)) for text in TEXTS]
    score = scores["perplexity"]
    size = tokenizer.vocab(1).size
    assert score.value == pytest.approx(size, rel=1e-5)
    assert (score.low, score.high, score.baseline) == pytest.approx((size, size, size), rel=1e-5)
    assert score.n == sum(lengths) - len(TEXTS)
    bits = sum(lengths) * math.log2(size) / sum(len(text.encode()) for text in TEXTS)
    assert scores["bits per byte"].value == pytest.approx(bits, rel=1e-5)


def test_perplexity_is_that_of_the_model_itself(saved_model, corpus, context, tokenizer):
    """Each document alone through transformers' own forward gives the same nats."""
    model = saved_model()
    network, fast = load_model(model), tokenizer.load()
    nats, tokens = 0.0, 0
    for text in TEXTS:
        ids = torch.tensor([encode_text(fast, text)])
        with torch.no_grad():
            logprobs = network(input_ids=ids, use_cache=False).logits.log_softmax(-1)
        nats -= logprobs[0, :-1].gather(1, ids[0, 1:, None]).sum().item()
        tokens += ids.shape[1] - 1
    score = by_name(Perplexity().evaluate(model, corpus(TEXTS), context()))["perplexity"]
    assert score.value == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert score.low <= score.value <= score.high


def test_what_each_document_adds_makes_the_score(saved_model, corpus, context):
    """The bits of every document over its bytes are the bits per byte."""
    result = Perplexity().evaluate(saved_model(), corpus(TEXTS), context())
    told = result.by_document
    assert told["units"].to_list() == [len(text.encode()) for text in TEXTS]
    assert told["part"].sum() / told["units"].sum() == pytest.approx(by_name(result)["bits per byte"].value)


def test_neighbours_in_a_batch_change_nothing(saved_model, corpus, context):
    """A document's nats do not depend on which others are measured with it."""
    model = saved_model()
    together = Perplexity().evaluate(model, corpus(TEXTS, "all"), context()).tables["hardest-documents"]
    alone = Perplexity().evaluate(model, corpus(TEXTS[:1], "one"), context()).tables["hardest-documents"]
    same = together.filter(together["id"] == alone["id"][0])
    assert same["nats per token"][0] == pytest.approx(alone["nats per token"][0], rel=1e-5)


def test_long_documents_are_read_to_the_end(saved_model, corpus, context, tokenizer):
    """A document longer than the model's context is scored in full."""
    text = "word " * 300
    score = Perplexity().evaluate(saved_model(length=16), corpus([text]), context()).scores[0]
    assert score.n == len(encode_text(tokenizer.load(), text)) - 1


def test_the_unigram_baseline_by_hand(saved_model, corpus, context, tokenizer):
    """With training text the baseline is each token's share there, with one added to every count."""
    train = corpus(["banana banana", "bandana"], "train")
    held = corpus(["banana"], "held")
    fast, size = tokenizer.load(), tokenizer.vocab(1).size
    counts = np.ones(size)
    for text in ("banana banana", "bandana"):
        for token in encode_text(fast, text):
            counts[token] += 1
    ids = encode_text(fast, "banana")
    nats = -sum(math.log(counts[token] / counts.sum()) for token in ids[1:])
    score = Perplexity().evaluate(saved_model(), held, context(train=train)).scores[0]
    assert score.baseline == pytest.approx(math.exp(nats / (len(ids) - 1)))
    assert score.baseline_name == "token frequencies of the training text"


def test_the_sample_follows_the_seed(saved_model, corpus, context):
    """The same seed draws the same documents, another seed others."""
    model, held = saved_model(), corpus([f"document number {n}" for n in range(40)])
    ctx = context()
    first, again, other = (
        Perplexity(documents=5).evaluate(model, held, one) for one in (ctx, replace(ctx), replace(ctx, seed=6))
    )
    assert first.scores == again.scores
    assert set(first.tables["hardest-documents"]["id"]) != set(other.tables["hardest-documents"]["id"])


def test_nothing_to_measure_is_said(saved_model, corpus, context):
    """A corpus without documents, and one of empty documents, are refused."""
    with pytest.raises(StepError, match="no document to evaluate on"):
        Perplexity().evaluate(saved_model(), corpus([]), context())
    with pytest.raises(StepError, match="longer than one token"):
        Perplexity().evaluate(saved_model(), corpus([""], "empty"), context())
