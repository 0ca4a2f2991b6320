"""Classification scores: known answers for a model that always says the same, and baselines on the same documents."""

import shutil

import polars as pl
import pytest
import torch
from workbench_plugins.evaluators.classification import ClassificationScores, majority
from workbench_plugins.evaluators.intervals import wilson
from workbench_plugins.evaluators.tfidf import predict_tfidf

from workbench.api import Context, Model, StepError, encode_text, load_model, row_logits
from workbench.files.atomic import write_json
from workbench.testing.artifacts import small_component
from workbench.training.models import with_head

LABELS = ["体育", "天气"]
SPORT = [f"球队在第{n}分钟进球，比赛结束。" for n in range(20)]
WEATHER = [f"明天气温{n}度，有小雨，出门带伞。" for n in range(20)]


def says_first(model):
    """Give the first class every text: zero weights leave a tie, which goes to the lowest number."""
    torch.nn.init.zeros_(model.score.weight)


def by_name(scores):
    return {score.name: score for score in scores.scores}


@pytest.fixture
def classifier(saved_model):
    return saved_model(says_first, head="sequence-classification", labels=LABELS)


def test_a_constant_answer_by_hand(classifier, corpus, context):
    """6 of 10 right: accuracy .6, F1 .75 for one label and 0 for the other, no correlation, as the majority has."""
    held = corpus(SPORT[:6] + WEATHER[:4], label=["体育"] * 6 + ["天气"] * 4)
    result = ClassificationScores().evaluate(classifier, held, context())
    scores = by_name(result)
    assert scores["accuracy"].value == 0.6
    assert (scores["accuracy"].low, scores["accuracy"].high) == wilson(6, 10)
    assert scores["accuracy"].baseline == 0.6
    assert scores["macro-F1"].value == scores["macro-F1"].baseline == pytest.approx(0.375)
    assert scores["correlation (MCC)"].value == 0
    assert result.tables["confusion"].rows() == [("体育", 6, 0), ("天气", 4, 0)]
    assert all(score.n == 10 for score in result.scores)
    assert result.by_document.select("score", "part", "units").rows() == [
        ("accuracy", float(n < 6), 1.0) for n in range(10)
    ]


def test_mistakes_are_listed_most_confident_first(classifier, corpus, context):
    """Only wrong answers, with safe text."""
    held = corpus([*SPORT[:2], "\x1b[31m危险\u202e"], label=["体育", "体育", "天气"])
    table = ClassificationScores().evaluate(classifier, held, context()).tables["confident-mistakes"]
    assert table.select("true", "predicted", "beginning").rows() == [("天气", "体育", "\\x1b[31m危险<U+202E>")]
    assert table["probability"][0] == pytest.approx(0.5)


def test_baselines_learn_from_the_training_text(classifier, corpus, context):
    """The majority is that of the training text, and TF-IDF tells Chinese topics apart that the model cannot."""
    train = corpus(SPORT[:5] + WEATHER[:10], "train", label=["体育"] * 5 + ["天气"] * 10)
    held = corpus(SPORT[10:16] + WEATHER[10:14], "held", label=["体育"] * 6 + ["天气"] * 4)
    result = ClassificationScores().evaluate(classifier, held, context(train=train))
    scores = by_name(result)
    assert scores["accuracy"].baseline == 0.4
    assert scores["accuracy"].baseline_name == "majority class of the training text"
    assert scores["TF-IDF + linear: accuracy"].value == 1
    assert scores["TF-IDF + linear: accuracy"].baseline == 0.4
    assert any("the model has 0, TF-IDF 4" in note for note in result.notes)


def test_a_label_the_model_does_not_know_is_a_mistake(classifier, corpus, context):
    """It counts against the model, and the report says so."""
    held = corpus([*SPORT[:3], "股市上涨"], label=["体育"] * 3 + ["财经"])
    result = ClassificationScores().evaluate(classifier, held, context())
    assert result.scores[0].value == 0.75
    assert "1 of them have a label the model does not know, and count as mistakes" in result.notes


def test_labels_that_are_no_text_are_named_as_in_training(saved_model, corpus, context):
    """True is `True`, as the objective calls it, and not `true`."""
    model = saved_model(says_first, head="sequence-classification", labels=["False", "True"])
    result = ClassificationScores().evaluate(model, corpus(SPORT[:4], label=[False, False, True, None]), context())
    assert by_name(result)["accuracy"].value == pytest.approx(2 / 3)
    assert not any("does not know" in note for note in result.notes)


def test_a_missing_label_column_is_said(classifier, corpus, context):
    """The message names the column and those there are."""
    with pytest.raises(StepError, match="no column label\n  expected: some of: id, meta, source, text"):
        ClassificationScores().evaluate(classifier, corpus(SPORT), context())


def test_documents_without_label_are_left_out(classifier, corpus, context):
    """They are neither right nor wrong."""
    held = corpus(SPORT[:3], label=["体育", None, "天气"])
    assert ClassificationScores().evaluate(classifier, held, context()).scores[0].n == 2


def test_the_majority_of_equals_is_the_first_in_the_alphabet():
    """So that it depends on no order."""
    assert majority(["b", "a"]) == majority(["a", "b"]) == "a"


def test_tfidf_reads_chinese_without_spaces():
    """Single characters and pairs of them tell topics apart."""
    labels = ["s"] * 15 + ["w"] * 15
    assert predict_tfidf(SPORT[:15] + WEATHER[:15], labels, [SPORT[17], WEATHER[18]]) == ["s", "w"]


def test_tfidf_with_one_label_gives_it():
    """Nothing to tell apart: the label itself."""
    assert predict_tfidf(["a b", "c"], ["x", "x"], ["d"]) == ["x"]


def test_labels_keep_their_order_in_tables(classifier, corpus, context):
    """Known labels stand in the model's order."""
    held = corpus(SPORT[:1] + WEATHER[:1], label=["体育", "天气"])
    tables = ClassificationScores().evaluate(classifier, held, context()).tables
    assert tables["labels"]["label"].to_list() == LABELS
    assert isinstance(tables["confusion"], pl.DataFrame)


@pytest.mark.parametrize("use", ["architecture/mpt", "architecture/t5", "architecture/xlnet"])
def test_models_that_know_distances_only_read_what_they_were_tuned_on(tmp_path, tokenizer, context, use):
    """T5 and MPT have no table of positions and XLNet says it has -1: each text is read up to the card's context."""
    path = tmp_path / "model"
    torch.manual_seed(1)
    body = small_component(use, layers=1, width=16, heads=2).build(
        tokenizer.vocab(16), Context("step", use, 1, path, path, path, path)
    )
    with_head(body, "sequence-classification", LABELS).save_pretrained(path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer.path / file, path / file)
    write_json(path / "training.json", {"head": "sequence-classification", "labels": LABELS, "context": 16})
    model, texts = Model(path, "model", step="base"), [SPORT[0] * 9, WEATHER[0]]
    found = ClassificationScores().predict(model, texts, context())
    network, fast = load_model(model), tokenizer.load()
    for text, row in zip(texts, found, strict=True):
        with torch.no_grad():
            alone = row_logits(network, [encode_text(fast, text, 16)], torch.device("cpu")).softmax(-1)[0]
        assert row.tolist() == pytest.approx(alone.tolist(), abs=1e-5)
