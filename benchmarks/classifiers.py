"""Learned filters on real labelled text: how well they tell, beside scikit-learn, and how fast.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.classifiers

Below FOLDER are looked for: `toxicity-davidson-tweets` (25 thousand English tweets; learned from), `toxicity-hatecheck`
(Röttger et al. 2021; scored, by functionality too), `cls-zh-cold-offensive` (Deng et al. 2022; its train file is learned
from, its test file scored) and `badwords-ldnoobw` (lists of words). Of the tweets every fifth by digest is held out.

The peer is scikit-learn's TF-IDF and logistic regression, balanced classes, in the same run on the same texts: words and
pairs of words in English, up to three characters in Chinese. AUC with DeLong's interval, macro-F1 at 0.5 beside that of
the larger class. Speed is on the text of `benchmarks.corpora`, MB of UTF-8 per second of CPU time, median of three, ours
and the peer in turn; the peer scores the first megabyte.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl
import zstandard
from workbench_plugins.filters.classifier import Classifier, NGrams
from workbench_plugins.filters.classifier_training import LEAST, Learning, draw, roc_area, train
from workbench_plugins.filters.toxicity import Toxicity
from workbench_plugins.filters.word_lists import ListedWords, write_automaton

from benchmarks.corpora import both

ROUNDS = 3
PEER_BYTES = 1_000_000


class Labelled(NamedTuple):
    """Texts, whether each is positive, and a group of each for finer scores."""

    texts: list[str]
    positive: np.ndarray
    groups: list[str]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of the CSV file of this name (also with `.zst`) below `folder`."""
    for path in sorted(folder.rglob(f"{name}*")):
        content = path.read_bytes()
        if path.suffix == ".zst":
            content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    sys.exit(print(f"there is no {name} below {folder}"))


def labelled(rows: list[dict[str, str]], text: str, label: str, positive: set[str], group: str = "") -> Labelled:
    """Return rows of a table as labelled texts."""
    return Labelled(
        [row[text] for row in rows],
        np.array([row[label] in positive for row in rows], dtype=np.float64),
        [row[group] if group else "" for row in rows],
    )


def halves(data: Labelled) -> tuple[Labelled, Labelled]:
    """Return four fifths to learn from and one fifth to score, by a digest of the text."""
    is_held = np.array([hashlib.sha256(text.encode()).digest()[0] % 5 == 0 for text in data.texts])
    known, held = (
        Labelled(*(([x for x, one in zip(column, chosen, strict=True) if one]) for column in data))
        for chosen in (~is_held, is_held)
    )
    return known._replace(positive=np.array(known.positive)), held._replace(positive=np.array(held.positive))


def ours(data: Labelled) -> Classifier:
    """Return a classifier trained with the filter's own settings."""
    settings = Toxicity()
    frame = pl.DataFrame({"text": data.texts, "positive": data.positive})
    salt = b"benchmark"
    samples = [
        draw([frame.filter(pl.col("positive") == value)], len(frame), salt, settings.characters) for value in (1.0, 0.0)
    ]
    assert min(sample.height for sample in samples) >= LEAST
    low, high = settings.character_ngrams
    ngrams = NGrams(
        settings.word_ngrams, settings.unspaced_ngrams, low, high, settings.characters, 1 << settings.bucket_bits
    )
    learning = Learning(settings.epochs, settings.rate, settings.l2)
    return train(samples[0], samples[1], ngrams, learning, np.random.default_rng(1))


def theirs(data: Labelled, options: dict[str, Any]) -> Callable[[list[str]], np.ndarray]:
    """Return the scoring function of TF-IDF and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(sublinear_tf=True, **options)
    model = LogisticRegression(max_iter=1000, class_weight="balanced")
    model.fit(vectors.fit_transform(data.texts), data.positive)
    return lambda texts: model.predict_proba(vectors.transform(texts))[:, 1]


def macro_f1(scores: np.ndarray, positive: np.ndarray, cut: float = 0.5) -> float:
    """Return the mean of the F1 of both classes."""
    found, parts = scores > cut, []
    for sign in (True, False):
        hits = ((found == sign) & ((positive == 1.0) == sign)).sum()
        parts.append(2 * hits / max(1, (found == sign).sum() + ((positive == 1.0) == sign).sum()))
    return float(np.mean(parts))


def show(name: str, who: str, scores: np.ndarray, data: Labelled) -> None:
    """Print one line of scores."""
    area, low, high = roc_area(scores, data.positive)
    larger = np.full(scores.size, float(data.positive.mean() > 0.5))
    print(
        f"{name:34} {who:12} {scores.size:>6} {area:7.3f} ({low:.3f} to {high:.3f}) "
        f"{macro_f1(scores, data.positive):8.3f} {macro_f1(larger, data.positive):8.3f}",
        flush=True,
    )


def by_functionality(scores: np.ndarray, data: Labelled) -> None:
    """Print the share of right answers at 0.5 for every functionality of HateCheck."""
    frame = pl.DataFrame({"name": data.groups, "right": (scores > 0.5) == (data.positive == 1.0)})
    print("\nright answers at 0.5 by functionality of HateCheck, learned from hate speech in tweets:")
    rows = frame.group_by("name").agg(pl.len(), pl.col("right").mean()).sort("name").iter_rows()
    print("; ".join(f"{name} {share:.2f} ({number})" for name, number, share in rows))


def word_lists(folder: Path, sets: dict[str, tuple[str, Labelled]]) -> None:
    """Print how well a word of the lists tells a labelled set: recall and precision, by language of the list."""
    lists = {path.name: path for path in sorted(folder.rglob("badwords*/words/*"))}
    print(f"\n{'any word of a list':34} {'list':>5} {'entries':>8} {'precision':>10} {'recall':>8} {'positive':>9}")
    for name, (language, data) in sets.items():
        with tempfile.TemporaryDirectory() as place:
            kept, _ = write_automaton(lists[language].parent, [language], Path(place), Toxicity().shortest_unspaced)
            found = ListedWords(Path(place)).compute(pl.DataFrame({"text": data.texts}))["listed_words"].to_numpy() > 0
        hits = float((found & (data.positive == 1.0)).sum())
        print(
            f"{name:34} {language:>5} {kept:>8} {hits / max(1, found.sum()):>10.3f} "
            f"{hits / data.positive.sum():>8.3f} {data.positive.mean():>9.3f}"
        )


def seconds(act: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    act()
    return time.process_time() - start


def speeds(folder: Path, classifier: Classifier, peers: dict[str, Callable[[list[str]], np.ndarray]]) -> None:
    """Print the speed of scoring and of word lists beside the peer's."""
    names = sorted(path.name for path in folder.rglob("badwords*/words/*"))
    print(f"\n{'MB per CPU-second':20} {'text':24} {'MB':>6} {'ours':>8} {'peer':>8} {'x':>6}")
    with tempfile.TemporaryDirectory() as place:
        base = next(folder.rglob("badwords*/words"))
        write_automaton(base, names, Path(place))
        for text, frame in both().items():
            size = frame["text"].str.len_bytes().sum() / 1e6
            few = frame.filter(pl.col("text").str.len_bytes().cum_sum() <= PEER_BYTES)["text"].to_list()
            peer = peers["Chinese" if text.startswith("Chinese") else "English"]
            own, other, listed = [], [], []
            classifier.scores(frame["text"].head(10))
            for _ in range(ROUNDS):
                own.append(seconds(lambda frame=frame: classifier.scores(frame["text"])))
                other.append(seconds(lambda peer=peer, few=few: peer(few)))
                listed.append(seconds(lambda frame=frame: ListedWords(Path(place)).compute(frame)))
            rate = size / statistics.median(own)
            their_rate = sum(len(one.encode()) for one in few) / 1e6 / statistics.median(other)
            print(f"{'classifier':20} {text:24} {size:6.1f} {rate:8.1f} {their_rate:8.2f} {rate / their_rate:6.1f}")
            print(
                f"{'word lists, ' + str(len(names)):20} {text:24} {size:6.1f} {size / statistics.median(listed):8.1f}"
            )


def main() -> None:
    """Print the tables."""
    given = os.environ.get("WORKBENCH_BENCH_DATA")
    if not given:
        sys.exit(print("set WORKBENCH_BENCH_DATA to a folder with labelled sets"))
    folder = Path(given)
    tweets = table(folder, "labeled_data.csv")
    offensive, held_offensive = halves(labelled(tweets, "tweet", "class", {"0", "1"}))
    hate, held_hate = halves(labelled(tweets, "tweet", "class", {"0"}))
    cases = labelled(table(folder, "test_suite_cases.csv"), "test_case", "label_gold", {"hateful"}, "functionality")
    chinese = [table(next(folder.rglob("*cold-offensive")), name) for name in ("train.csv", "test.csv")]
    known_zh, held_zh = (labelled(rows, "TEXT", "label", {"1"}) for rows in chinese)
    words, characters = {"ngram_range": (1, 2)}, {"analyzer": "char", "ngram_range": (1, 3)}
    print(f"{'learned from, scored on':34} {'':12} {'n':>6} {'AUC (95 % interval)':>24} {'macro-F1':>8} {'larger':>8}")
    peers: dict[str, Callable[[list[str]], np.ndarray]] = {}
    for name, data, options, scored in (
        ("hate or offence", offensive, words, {"tweets": held_offensive, "HateCheck": cases}),
        ("hate", hate, words, {"tweets": held_hate, "HateCheck": cases}),
        ("COLD", known_zh, characters, {"COLD test": held_zh}),
    ):
        classifier, peer = ours(data), theirs(data, options)
        peers["Chinese" if name == "COLD" else "English"] = peer
        for on, held in scored.items():
            own = classifier.scores(pl.Series(held.texts))
            show(f"{name}, {on}", "ours", own, held)
            show(f"{name}, {on}", "scikit-learn", peer(held.texts), held)
            if name == "hate" and on == "HateCheck":
                functionalities = own
    by_functionality(functionalities, cases)
    word_lists(folder, {"tweets": ("en", held_offensive), "HateCheck": ("en", cases), "COLD test": ("zh", held_zh)})
    speeds(folder, classifier, peers)


if __name__ == "__main__":
    main()
