"""The probe: labels that are there are found, labels that are not are not, and nothing judged has a say in it."""

from dataclasses import replace

import numpy as np
import pytest
from workbench_plugins.evaluators.classification import Answers
from workbench_plugins.evaluators.probe import Probe, accuracy, over_resamples

from workbench.api import StepError
from workbench.testing.artifacts import small_component, small_corpus
from workbench.testing.trials import trial

SPORT = [f"球队第{number}次赢得比赛，球迷很高兴。" for number in range(30)]
WEATHER = [f"The {number}th day of rain and wind in the valley." for number in range(20)]
TEXTS, LABELS = SPORT + WEATHER, ["体育"] * 30 + ["weather"] * 20


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """A model that counts words, of both languages."""
    folder = tmp_path_factory.mktemp("bow")
    component = small_component("train/pretrain", architecture={"use": "architecture/bow", "with": {}})
    return trial(component, {"corpus": small_corpus(folder / "corpus", TEXTS)}, folder / "model")


@pytest.fixture
def halves(corpus):
    """Return labelled documents to learn from and others to judge."""
    parts = [
        corpus([TEXTS[place] for place in places], name, label=[LABELS[place] for place in places])
        for name, places in (("train", range(0, 50, 2)), ("held", range(49, 0, -2)))
    ]
    return {"train": parts[0]}, parts[1]


def test_labels_that_can_be_read_off_are_found(counts, halves, context):
    """Chinese and English words tell the labels; the baseline is the majority's share, 15 of 25 here."""
    given, held = halves
    scores = Probe().evaluate(counts, held, context(**given))
    found = {score.name: score for score in scores.scores}
    assert (found["accuracy"].value, found["accuracy"].n, found["accuracy"].baseline) == (1.0, 25, 15 / 25)
    assert found["macro-F1"].value == 1.0
    assert found["macro-F1"].baseline == pytest.approx((2 * 15 / (25 + 15)) / 2)
    assert scores.tables["seeds"]["accuracy"].to_list() == [1.0, 1.0, 1.0]


def test_labels_that_are_not_there_are_not_found(counts, corpus, context):
    """Labels dealt out at random: the interval holds one half."""
    rng = np.random.default_rng(1)
    parts = [corpus(TEXTS * 6, name, label=rng.permutation(["x", "y"] * 150).tolist()) for name in ("train", "held")]
    score = Probe().evaluate(counts, parts[1], context(train=parts[0])).scores[0]
    assert score.low < 0.5 < score.high
    assert score.high - score.low > 0.08


def test_a_network_is_probed_at_the_layer_that_does_best(saved_model, halves, context):
    """Without a layer each seed chooses one of the embeddings and the block; a given one is kept to."""
    given, held = halves
    free = Probe(seeds=2).evaluate(saved_model(), held, context(**given)).tables["seeds"]
    fixed = Probe(seeds=2, layer=0).evaluate(saved_model(), held, context(**given)).tables["seeds"]
    assert set(free["layer"]) <= {0, 1}
    assert set(fixed["layer"]) == {0}
    with pytest.raises(StepError, match=r"there is no layer 7.*\n?.*0 to 1"):
        Probe(layer=7).evaluate(saved_model(), held, context(**given))


def test_the_judged_documents_choose_nothing(counts, halves, corpus, context):
    """With other labels on the judged documents every seed chooses the same layer and strength."""
    given, held = halves
    wrong = corpus(held.scan().collect()["text"].to_list(), "wrong", label=[*["体育"] * 12, *["weather"] * 13])
    tables = [Probe().evaluate(counts, one, context(**given)).tables["seeds"] for one in (held, wrong)]
    assert tables[0].drop("accuracy", "macro-F1").equals(tables[1].drop("accuracy", "macro-F1"))
    assert not tables[0].equals(tables[1])


def test_the_seed_draws_the_documents(counts, corpus, context):
    """The same seed of the pipeline gives the same report; seeds of the probe learn from different documents."""
    labels = np.random.default_rng(2).permutation(["x", "y"] * 25).tolist()
    train, held = corpus(TEXTS, "train", label=labels), corpus(TEXTS, "held", label=labels)
    ctx = context(train=train)
    settings = Probe(seeds=4, drawn=0.4, strengths=(1.0,))
    first, again, other = (settings.evaluate(counts, held, one) for one in (ctx, replace(ctx), replace(ctx, seed=6)))
    assert first.scores == again.scores
    assert first.scores != other.scores
    assert first.tables["seeds"]["documents learned from"].to_list() == [20, 20, 20, 20]
    assert first.tables["seeds"]["accuracy"].n_unique() > 1


def test_the_interval_covers_documents_and_seeds():
    """Two seeds, one always right and one always wrong: each alone has no spread, together they reach from 0 to 1."""
    true = np.zeros(40, dtype=np.int64)
    right, wrong = (Answers(["a", "b"], true, predicted) for predicted in (true, true + 1))
    rng = np.random.default_rng(2)
    together = {over_resamples([right, wrong], accuracy, rng)(np.arange(40)) for _ in range(40)}
    alone = {over_resamples([right], accuracy, rng)(np.arange(40)) for _ in range(5)}
    assert (together, alone) == ({0.0, 0.5, 1.0}, {1.0})


def test_a_label_that_was_never_learned_is_a_mistake(counts, halves, corpus, context):
    """It counts against the model, and the notes say so."""
    given, _ = halves
    held = corpus([SPORT[1], WEATHER[1]], "new", label=["体育", "new"])
    scores = Probe(seeds=1).evaluate(counts, held, context(**given))
    assert scores.scores[0].value == 0.5
    assert any("1 judged documents have a label that no training document has" in note for note in scores.notes)


def test_nothing_to_tell_apart_is_said(counts, corpus, context):
    """One label, and labels of one document each, are refused with what is needed."""
    held = corpus(TEXTS[:4], "held", label=LABELS[:4])
    with pytest.raises(StepError, match=r"every training document has the label '体育'"):
        Probe().evaluate(counts, held, context(train=corpus(SPORT, "one", label=["体育"] * 30)))
    with pytest.raises(StepError, match="no label has two documents"):
        Probe().evaluate(counts, held, context(train=corpus(SPORT[:4], "each", label=list("abcd"))))
