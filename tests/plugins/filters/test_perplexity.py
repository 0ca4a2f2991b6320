"""Perplexity as a filter: known answers, thresholds, ranks within groups, the same numbers however documents lie."""

import math

import numpy as np
import polars as pl
import pytest
from workbench_plugins.filters.perplexity import Perplexity, ranks

from workbench.artifacts import Corpus
from workbench.errors import StepError
from workbench.testing.artifacts import small_component, small_corpus, small_model, small_tokens
from workbench.testing.texts import ordinary
from workbench.testing.trials import trial
from workbench.training.static import load_static

TEXTS = [
    *ordinary(12, seed=5),
    "spring that over people the high had carry village was",
    "qz qz qz 7#7#7# xkcd",
    "春天来了，河水涨得很高。",
    "",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An n-gram model of ordinary English and Chinese."""
    folder = tmp_path_factory.mktemp("ngram")
    step = small_component("train/pretrain", architecture={"use": "architecture/ngram", "with": {"order": 3}})
    return trial(step, {"tokens": small_tokens(folder)}, folder / "model")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A network that knows 32 positions."""
    return small_model(tmp_path_factory.mktemp("network"))


def filtered(folder, model, texts=TEXTS, *, num_shards=2, columns=None, **settings):
    """Return the kept corpus and the signals by text."""
    corpus = small_corpus(folder / "corpus", texts, num_shards=num_shards, **(columns or {}))
    component = small_component("filter/perplexity", **settings)
    result = trial(component, {"corpus": corpus, "model": model}, folder / "run")
    assert isinstance(result, Corpus)
    signals = pl.read_parquet(sorted((folder / "run" / "signals" / "signals").glob("*.parquet")))
    names = {name: name.removeprefix("perplexity.") for name in signals.columns}
    return result, signals.rename(names).join(corpus.scan().select("id", "text").collect(), on="id")


def test_the_signals_are_those_of_the_model(tmp_path, model):
    """Perplexity over the tokens behind the first, bits of all bytes with the first as one of 400; no text, no number."""
    _, signals = filtered(tmp_path, model)
    loaded, tokenizer = load_static(model), model.tokenizer.load()
    for row in signals.iter_rows(named=True):
        ids = [*tokenizer(row["text"])["input_ids"], tokenizer.eos_token_id]
        assert row["num_tokens"] == len(ids)
        if not row["text"]:
            assert (row["perplexity"], row["bits_per_byte"], row["percentile"], row["bucket"]) == (None,) * 4
            continue
        nats = -loaded.score(ids)[1:].sum()
        assert row["perplexity"] == pytest.approx(math.exp(nats / (len(ids) - 1)), rel=1e-5)
        bits = (nats + math.log(loaded.vocab_size)) / math.log(2) / len(row["text"].encode())
        assert row["bits_per_byte"] == pytest.approx(bits, rel=1e-5)


def test_text_like_that_of_the_model_is_less_surprising(tmp_path, model):
    """English documents come before their own words in disorder, and before the Chinese that the model never read."""
    _, signals = filtered(tmp_path, model)
    by_text = dict(signals.select("text", "perplexity").iter_rows())
    usual = max(by_text[text] for text in TEXTS[:12] if "，" not in text)
    assert usual < by_text[TEXTS[12]] / 2
    assert usual < by_text[TEXTS[14]] / 2


@pytest.mark.parametrize(
    "settings,reason,column,drops",
    [
        ({"max_perplexity": 30.0}, "perplexity-too-high", "perplexity", lambda value: value > 30),
        ({"min_perplexity": 3.0}, "perplexity-too-low", "perplexity", lambda value: value < 3),
        ({"max_bits_per_byte": 2.5}, "bits-per-byte-too-high", "bits_per_byte", lambda value: value > 2.5),
        ({"min_bits_per_byte": 0.5}, "bits-per-byte-too-low", "bits_per_byte", lambda value: value < 0.5),
        ({"min_tokens": 30}, "too-few-tokens", "num_tokens", lambda value: value < 30),
        ({"max_tokens": 60}, "too-many-tokens", "num_tokens", lambda value: value > 60),
        ({"max_percentile": 50.0}, "percentile-too-high", "percentile", lambda value: value >= 50),
        ({"keep": ["head", "tail"]}, "other-bucket", "bucket", lambda value: value == "middle"),
    ],
)
def test_each_threshold_drops_with_its_reason(tmp_path, model, settings, reason, column, drops):
    """What lies beyond goes and nothing else; a document that could not be measured stays."""
    result, signals = filtered(tmp_path, model, **settings)
    expected = sum(value is not None and drops(value) for value in signals[column])
    assert 0 < expected < len(TEXTS)
    assert dict(result.ledger.rejected) == {reason: expected}


def test_ranks_by_hand():
    """The share of the sample of the same group that is smaller; null without a sample or a number."""
    sample = pl.DataFrame({"group": ["en", "en", "en", "zh"], "perplexity": [10.0, 20.0, 30.0, 5.0]})
    groups = pl.Series(["en", "en", "zh", "fr", "en"])
    found = ranks(pl.Series([20.0, 31.0, 5.0, 1.0, None]), groups, sample)
    assert found.to_list() == [pytest.approx(33.3333), 100.0, 0.0, None, None]


def test_buckets_are_cut_within_groups(tmp_path, model):
    """Of each language three tenths are the head and four tenths the tail, however the languages compare."""
    texts = [text for text in ordinary(200, seed=9) if "，" not in text][:20] + [
        text for text in ordinary(200, seed=9) if "，" in text
    ][:20]
    languages = ["en"] * 20 + ["zh"] * 20
    _, signals = filtered(tmp_path, model, texts, columns={"language": languages}, group="language")
    is_chinese = signals["text"].str.contains("，")
    for own in (signals.filter(is_chinese), signals.filter(~is_chinese)):
        counts = dict(own["bucket"].value_counts().iter_rows())
        assert counts == {"head": 6, "middle": 6, "tail": 8}
        assert (
            own.filter(pl.col("bucket") == "head")["perplexity"].max()
            < own.filter(pl.col("bucket") == "tail")["perplexity"].min()
        )


@pytest.mark.parametrize("kind", ["model", "network"])
def test_numbers_do_not_depend_on_neighbours(tmp_path, kind, request):
    """One shard or five, and alone: the same bits for n-grams and for a network on a CPU."""
    asked = request.getfixturevalue(kind)
    _, first = filtered(tmp_path / "1", asked, num_shards=1, device="cpu")
    _, other = filtered(tmp_path / "5", asked, num_shards=5, device="cpu")
    assert first.sort("id").equals(other.sort("id"))
    _, alone = filtered(tmp_path / "alone", asked, TEXTS[:1], sample=0, device="cpu")
    columns = ["text", "perplexity", "bits_per_byte", "num_tokens"]
    assert alone.select(columns).equals(first.filter(pl.col("text") == TEXTS[0]).select(columns))
    assert "percentile" not in alone.columns


def test_long_documents_are_read_to_the_end_by_a_network(tmp_path, network):
    """A document of many windows counts every token; its beginning alone counts fewer."""
    text = " ".join(ordinary(30))
    _, signals = filtered(tmp_path / "whole", network, [text], sample=0)
    assert signals["num_tokens"][0] > 20 * 32
    assert np.isfinite(signals["perplexity"][0])
    _, head = filtered(tmp_path / "head", network, [text], sample=0, characters=100)
    assert head["num_tokens"][0] < 60


def test_what_cannot_be_done_is_said(tmp_path, model):
    """A model without a causal head, a group that is no column, settings that contradict each other."""
    masked = small_model(tmp_path / "masked", architecture="architecture/bert", objective="objective/masked")
    with pytest.raises(StepError, match="masked-lm head predicts no next token"):
        filtered(tmp_path / "a", masked)
    with pytest.raises(StepError, match="no column 'language' to group by"):
        filtered(tmp_path / "b", model, group="language")
    for settings, message in [
        ({"buckets": (60.0, 30.0)}, "two rising percentiles"),
        ({"sample": 0, "keep": ("head",)}, "need percentiles"),
    ]:
        with pytest.raises(ValueError, match=message):
            Perplexity(**settings)
