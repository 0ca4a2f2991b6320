"""A classifier learns what tells two corpora apart, says how well, and gives the same score wherever a text stands."""

import json
import math

import numpy as np
import polars as pl
import pytest
from workbench_plugins.filters.classifier import NGrams, load_classifier
from workbench_plugins.filters.classifier_kernel import add_up
from workbench_plugins.filters.classifier_quality import ClassifierQuality
from workbench_plugins.filters.classifier_training import Learning, calibrate, draw, measure, roc_area, train
from workbench_plugins.filters.minhash_kernel import CLASSES
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import StepError
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of

GOOD = ["the treaty was signed in {} after long negotiations", "河流从山上流下来，经过{}个古老的城镇。"]
ORDINARY = ["click here to buy {} cheap watches now", "点击这里购买{}个便宜的手表，立即下单！"]
NGRAMS = NGrams(words=2, unspaced=3, low=3, high=5, characters=1000, buckets=1 << 16)


def texts(patterns, number=60, start=0):
    return [patterns[n % len(patterns)].format(n) for n in range(start, start + number)]


def run(folder, documents, *, workers=1, good=None, ordinary=None, **settings):
    inputs = {"corpus": small_corpus(folder / "corpus", documents)}
    if good is not None:
        inputs |= {
            "good": [small_corpus(folder / "good", good)],
            "ordinary": [small_corpus(folder / "ordinary", ordinary)],
        }
    result = trial(ClassifierQuality(bucket_bits=16, **settings), inputs, folder / "run", workers=workers)
    signals = pl.read_parquet(sorted((folder / "run" / "signals" / "signals").glob("*.parquet")))
    return result, signals["classifier-quality.score"].to_list()


def number_of_ngrams(text, **changes):
    """With every weight 1, the sum of a text with n different n-grams is n / sqrt(n)."""
    ngrams = NGrams(**{**NGRAMS.__dict__, **changes})
    offsets, content = text_buffers(pl.Series([text]))
    sums = np.empty(1)
    add_up(offsets, content, CLASSES, ngrams.shape, np.ones(ngrams.buckets, dtype=np.float32), sums)
    return round(sums[0] ** 2)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", 0),
        ("...!?", 0),
        ("cat", 1 + 3 + 2 + 1),  # cat; <ca cat at>; <cat cat>; <cat>
        ("Cat CAT cat", 7 + 1),  # and: cat cat
        ("cat dog", 7 + 7 + 1),
        ("山", 1),
        ("山水", 3),
        ("山水画家", 4 + 3 + 2),  # runs of one, two, three characters
        ("山cat", 1 + 7 + 1),
    ],
)
def test_ngrams_are_counted_once_each(text, expected):
    """Words and pairs of words, three to five characters of a word with its ends, up to three Chinese characters."""
    assert number_of_ngrams(text) == expected


def test_corpora_are_told_apart_in_both_languages(tmp_path):
    unseen_good, unseen_ordinary = texts(GOOD, 10, 100), texts(ORDINARY, 10, 100)
    result, scores = run(tmp_path, unseen_good + unseen_ordinary, good=texts(GOOD), ordinary=texts(ORDINARY))
    assert min(scores[:10]) > 0.8
    assert max(scores[10:]) < 0.2
    assert result.scan().collect()["text"].to_list() == unseen_good
    assert result.ledger.rejected == {"low-quality": 10}


def test_what_was_held_out_stands_beside_the_signals(tmp_path):
    run(tmp_path, ["a text"], good=texts(GOOD), ordinary=texts(ORDINARY))
    facts = json.loads((tmp_path / "run" / "signals" / "learned" / "classifier.json").read_text())["facts"]
    assert facts["texts"] == {"positive": 60, "negative": 60}
    assert facts["classes"] == ["good", "ordinary"]
    assert (facts["learned_from"], facts["held_out"]["n"], facts["held_out"]["positive"]) == (96, 12, 6)
    assert facts["held_out"]["auc"] == 1.0
    assert facts["held_out"]["accuracy_baseline"] == 0.5


def test_a_trained_classifier_is_used_again(tmp_path):
    documents = texts(GOOD, 5, 200) + texts(ORDINARY, 5, 200)
    _, scores = run(tmp_path / "one", documents, good=texts(GOOD), ordinary=texts(ORDINARY))
    learned = tmp_path / "one" / "run" / "signals" / "learned"
    _, again = run(tmp_path / "two", documents, classifier=str(learned))
    assert again == scores
    copied = tmp_path / "two" / "run" / "signals" / "learned"
    assert digest_of(copied) == digest_of(learned)
    component = ClassifierQuality(classifier=str(learned))
    assert set(component.digests(tmp_path, lambda path: path.name).values()) == {"classifier.json", "weights.npy"}


def test_shards_workers_and_order_do_not_matter(tmp_path):
    documents = texts(GOOD + ORDINARY, 30)
    good, ordinary = texts(GOOD), texts(ORDINARY)
    one, scores = run(tmp_path / "a", documents, good=good, ordinary=ordinary)
    two, _ = run(tmp_path / "b", documents, good=good[::-1], ordinary=ordinary[::-1], workers=2)
    assert digest_of(one.path) == digest_of(two.path)
    _, reversed_scores = run(tmp_path / "c", documents[::-1], good=good, ordinary=ordinary)
    assert reversed_scores[::-1] == scores


def test_the_threshold_decides_over_the_same_score(tmp_path):
    documents = texts(GOOD + ORDINARY, 8)
    strict, scores = run(tmp_path / "a", documents, good=texts(GOOD), ordinary=texts(ORDINARY), min_score=1.0)
    loose, same = run(tmp_path / "b", documents, good=texts(GOOD), ordinary=texts(ORDINARY), min_score=0.0)
    assert (scores, strict.num_rows, loose.num_rows) == (same, sum(score == 1.0 for score in scores), 8)


def test_equal_corpora_teach_nothing(tmp_path):
    """What tells nothing apart gets one half, and the two corpora are said to overlap."""
    _, scores = run(tmp_path, texts(GOOD, 6), good=texts(GOOD), ordinary=texts(GOOD))
    facts = load_classifier(tmp_path / "run" / "signals" / "learned").facts
    assert facts["in_both"] == 60
    assert all(abs(score - 0.5) < 0.2 for score in scores)


@pytest.mark.parametrize(
    "given, message",
    [
        ({}, "there is nothing to learn from"),
        ({"good": texts(GOOD, 9), "ordinary": texts(ORDINARY)}, "there are 9 good texts"),
        (
            {"good": ["same"] * 50, "ordinary": texts(ORDINARY)},
            "there are 1 good texts to learn from, each counted once",
        ),
        ({"classifier": "nowhere"}, "nothing at 'nowhere'"),
        ({"classifier": ".", "good": texts(GOOD), "ordinary": texts(ORDINARY)}, "and a classifier too"),
        ({"classifier": "."}, "this is no classifier"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, given, message):
    with pytest.raises(Exception, match=message):
        run(tmp_path, ["a"], **given)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"format": 99}, "format 99"),
        ({"bias": float("nan")}, "not finite"),
        ({"bias": "x"}, "cannot be used"),
        ({"ngrams": {"words": 1}}, "cannot be used"),
        ({"ngrams": [1]}, "cannot be used"),
    ],
)
def test_a_damaged_classifier_is_refused(tmp_path, change, message):
    trained = train(
        draw([pl.DataFrame({"text": texts(GOOD)})], 99, b"", 1000),
        draw([pl.DataFrame({"text": texts(ORDINARY)})], 99, b"", 1000),
        NGRAMS,
        Learning(1, 2.0, 1.0),
        np.random.default_rng(1),
    )
    trained.save(tmp_path)
    card = json.loads((tmp_path / "classifier.json").read_text())
    (tmp_path / "classifier.json").write_text(json.dumps(card | change))
    with pytest.raises(StepError, match=message):
        load_classifier(tmp_path)


def test_a_sample_depends_on_the_texts_alone():
    """Distinct texts with the lowest salted digests, whatever the batches; another salt draws others."""
    frame = pl.DataFrame({"text": [f"text {n % 50}" for n in range(100)] + ["", " ", None]})
    whole = draw([frame], 20, b"salt", 100)
    parts = draw([frame[60:], frame[:60]], 20, b"salt", 100)
    assert whole.equals(parts)
    assert whole["text"].n_unique() == whole.height == 20
    assert set(draw([frame], 20, b"other", 100)["text"]) != set(whole["text"])
    assert draw([frame], 99, b"salt", 100).height == 50


def test_calibration_gives_the_odds_of_a_known_case():
    """Two values of the sum, three of four and one of four positive: the drawn-in targets give 2 in 3 for the upper.

    Both classes have 4 texts, so goals are 5/6 and 1/6; at the upper value their mean is (3 * 5/6 + 1/6) / 4 = 2/3.
    """
    sums = np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0])
    targets = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    slope, intercept = calibrate(sums, targets)
    assert slope == pytest.approx(math.log(2), abs=1e-4)
    assert intercept == pytest.approx(0.0, abs=1e-9)
    assert calibrate(-sums, targets) == (0.0, 0.0)
    assert calibrate(np.ones(8), targets) == (0.0, 0.0)


def test_area_and_interval_by_hand():
    """Of 3 x 2 pairs one is in the wrong order and one is tied: (4 + 0.5) / 6.

    DeLong: shares of wins 1, 1, .25 (variance .1875) and losses 5/6, 4/6 (variance 1/72); both over their number.
    """
    scores, targets = np.array([0.9, 0.8, 0.4, 0.4, 0.7]), np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    area, low, high = roc_area(np.array([0.9, 0.8, 0.4, 0.4, 0.3]), targets)
    assert area == pytest.approx(5.5 / 6)
    area, low, high = roc_area(scores, targets)
    assert area == pytest.approx(4.5 / 6)
    half = 1.959963984540054 * math.sqrt(0.1875 / 3 + 1 / 72 / 2)
    assert (low, high) == (pytest.approx(0.75 - half), 1.0)
    assert measure(scores, targets)["accuracy"] == 0.6
