"""Sparse vectors and the linear classifier: TF-IDF by hand, Chinese, the same answers from disk, judged like a network."""

import math

import numpy as np
import polars as pl
import pytest
from workbench_plugins.architectures.text_features import Bow, NgramCounts, Tfidf
from workbench_plugins.architectures.tfidf_linear import TfidfLinear

from workbench.artifacts import Corpus, Model
from workbench.contracts.static import Lesson
from workbench.errors import StepError
from workbench.testing.artifacts import labelled_corpus, small_component, small_corpus
from workbench.testing.texts import ordinary
from workbench.testing.trials import trial
from workbench.training.static import load_static


class Listener:
    """A context of which only the name of the step is asked."""

    step = "words"


def lesson(texts, valid=None, **columns):
    def frames():
        yield pl.DataFrame({"text": texts, **columns})

    return Lesson(records=frames, valid_records=valid)


def test_counts_by_hand():
    """Words without case; characters of Chinese one by one, and pairs of them as words in a row."""
    model = Bow().fit(lesson(["The cat, the dog.", "天气很好"]), Listener()).model
    assert model.names == sorted(["cat", "dog", "the", "很", "天", "好", "气"])
    row = dict(zip(model.names, model.transform(["the dog THE 天"]).toarray()[0], strict=True))
    assert {name: count for name, count in row.items() if count} == {"the": 2, "dog": 1, "天": 1}
    pairs = NgramCounts(shortest=2, longest=2).fit(lesson(["天气很好"]), Listener()).model
    assert set(pairs.names) == {"天 气", "气 很", "很 好"}
    letters = NgramCounts(unit="character", shortest=2, longest=2).fit(lesson(["ab"]), Listener()).model
    assert set(letters.names) == {" a", "ab", "b "}


def test_tfidf_by_hand():
    """Three texts; `the` is in all: weight 1, `cat` in one: log(4/2) + 1. The vector of `the the cat` has length one."""
    model = Tfidf(longest=1).fit(lesson(["the cat", "the dog", "the"]), Listener()).model
    the, cat = 1 + math.log(2), math.log(4 / 2) + 1
    length = math.hypot(the, cat)
    row = dict(zip(model.names, model.transform(["the the cat"]).toarray()[0], strict=True))
    assert row == {"the": pytest.approx(the / length), "cat": pytest.approx(cat / length), "dog": 0}


def test_nothing_to_count_is_said():
    with pytest.raises(StepError, match="no word to count"):
        Bow().fit(lesson(["...", ""]), Listener())
    with pytest.raises(ValueError, match="shortest 3 is more than longest 2"):
        NgramCounts(shortest=3, longest=2)


TEXTS = ["good fine nice day", "nice good food", "bad awful day", "awful food bad bad", "好 天气", "坏 天气 坏"]
LABELS = ["+", "+", "-", "-", "+", "-"]


def test_two_labels_and_three():
    """The right label of what it learned from; rows are distributions; two labels give scikit-learn's own sigmoid."""
    from sklearn.linear_model import LogisticRegression

    settings = TfidfLinear(longest=1)
    model = settings.fit(lesson(TEXTS, label=LABELS), Listener()).model
    shares = model.predict(TEXTS)
    assert [model.labels[place] for place in shares.argmax(axis=1)] == LABELS
    vectors = model.features.transform(TEXTS)
    expected = LogisticRegression(C=settings.strength, max_iter=1000).fit(vectors, LABELS).predict_proba(vectors)
    assert shares == pytest.approx(expected, abs=1e-6)
    three = settings.fit(lesson(TEXTS, label=[*LABELS[:4], "zh", "zh"]), Listener()).model
    assert three.labels == ["+", "-", "zh"]
    assert three.predict(["天气"]).argmax() == 2
    assert three.predict(["", "unknown words"]).sum(axis=1) == pytest.approx([1, 1])


def test_labels_that_tell_nothing_are_refused():
    with pytest.raises(StepError, match="every document has the label '\\+'"):
        TfidfLinear().fit(lesson(TEXTS, label=["+"] * 6), Listener())
    with pytest.raises(StepError, match="no document has a 'label'"):
        TfidfLinear().fit(lesson(TEXTS, label=pl.Series([None] * 6, dtype=pl.String)), Listener())
    with pytest.raises(StepError, match="no column 'label'"):
        TfidfLinear().fit(lesson(TEXTS), Listener())


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    """A classifier of languages, made by `train/pretrain` from a corpus."""
    folder = tmp_path_factory.mktemp("tfidf")
    step = small_component("train/pretrain", architecture={"use": "architecture/tfidf-linear", "with": {}})
    return trial(step, {"corpus": labelled_corpus(folder / "corpus")}, folder / "model")


def test_the_loaded_model_gives_the_same_answers(model, tmp_path):
    """From arrays and JSON alone, without a pickle."""
    card = model.card
    assert (card["head"], card["labels"], card["context"]) == ("sequence-classification", ["en", "zh"], None)
    assert 0 < card["last_loss"] < 0.3
    assert card["valid_loss"] > 0
    corpus = labelled_corpus(tmp_path / "again", parts=("train", "valid"))
    frame = Corpus(corpus.path, "small", "train").scan().collect()
    fresh = TfidfLinear().fit(lesson(frame["text"].to_list(), label=frame["label"].to_list()), Listener()).model
    assert np.array_equal(load_static(model).predict(ordinary(9)), fresh.predict(ordinary(9)))


def test_it_is_judged_like_a_network(model, tmp_path):
    """`evaluator/classification` and the suite score it, with interval and baseline."""
    heldout = small_corpus(
        tmp_path / "heldout",
        ordinary(24, seed=3),
        label=["zh" if "，" in text else "en" for text in ordinary(24, seed=3)],
    )
    report = trial(small_component("evaluator/suite"), {"model": model, "heldout": heldout}, tmp_path / "scores")
    scores = {score.name: score for score in report.scores}
    assert scores["accuracy"].value == 1.0
    assert scores["accuracy"].baseline == pytest.approx(18 / 24)


def test_tables_that_do_not_belong_together_are_refused(model, tmp_path):
    """Fewer weights than columns, and names that are cut."""
    import shutil

    from safetensors.numpy import load_file, save_file

    for number, (name, alter) in enumerate(
        [
            ("classifier", lambda table: table[:, :-1]),
            ("offsets", lambda table: table[:-1]),
            ("bias", lambda table: table[:1]),
        ]
    ):
        folder = tmp_path / str(number)
        shutil.copytree(model.path, folder)
        tables = load_file(folder / "model.safetensors")
        save_file({**tables, name: np.ascontiguousarray(alter(tables[name]))}, folder / "model.safetensors")
        with pytest.raises(StepError, match="tables of this model cannot be used"):
            load_static(Model(folder))
