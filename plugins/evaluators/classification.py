"""Accuracy, macro-F1 and correlation of a text classifier, beside baselines on the same documents.

Special here: two baselines. The majority class says what doing nothing scores; with a `train` corpus, TF-IDF and a
linear model say what could be had without a neural network.

Shape suffixes: N documents, C classes the model knows, L labels that occur anywhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from workbench_plugins.evaluators.confusion import confusion_matrix, confusion_table, label_table, macro_f1, matthews
from workbench_plugins.evaluators.intervals import bootstrap, wilson
from workbench_plugins.evaluators.network import opened
from workbench_plugins.evaluators.sampling import beginning, sample_documents
from workbench_plugins.evaluators.tfidf import READ_CHARACTERS, predict_tfidf

from workbench.api import (
    Evaluator,
    Field,
    Port,
    Score,
    Scores,
    StaticClassifier,
    StepError,
    batches_by_length,
    encode_text,
    load_static,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.api import Context, Corpus, Model

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Probabilities = np.ndarray[Any, np.dtype[np.float64]]
NUM_MISTAKES = 20


@dataclass(frozen=True)
class Answers:
    """True and predicted labels of the same documents, as numbers into `labels`."""

    labels: list[str]
    true_n: Numbers
    predicted_n: Numbers

    @classmethod
    def from_names(cls, labels: list[str], true: Sequence[str], predicted: Sequence[str]) -> Answers:
        """Return the answers for names of labels, all of which are in `labels`."""
        number = {label: place for place, label in enumerate(labels)}
        true_n, predicted_n = (
            np.array([number[name] for name in names], dtype=np.int64) for names in (true, predicted)
        )
        return cls(labels, true_n, predicted_n)

    @property
    def hits_n(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each document got its label."""
        hits_n: np.ndarray[Any, np.dtype[np.bool_]] = self.true_n == self.predicted_n
        return hits_n

    def counts(self, chosen_n: Numbers | None = None) -> Numbers:
        """Return the confusion matrix int64[L, L] of all documents, or of the chosen ones."""
        if chosen_n is None:
            return confusion_matrix(self.true_n, self.predicted_n, len(self.labels))
        return confusion_matrix(self.true_n[chosen_n], self.predicted_n[chosen_n], len(self.labels))

    def scores(self, prefix: str, baseline: Answers, baseline_name: str, rng: np.random.Generator) -> list[Score]:
        """Return accuracy, macro-F1 and correlation beside those of the baseline on the same documents."""
        n, hits = len(self.true_n), int(self.hits_n.sum())
        low, high = wilson(hits, n)
        guessed = float(baseline.hits_n.mean())
        found = [Score(f"{prefix}accuracy", hits / n, n, low, high, guessed, baseline_name)]
        for name, statistic in (("macro-F1", macro_f1), ("correlation (MCC)", matthews)):
            value, guessed = statistic(self.counts()), statistic(baseline.counts())
            low, high = bootstrap(self.over_resamples(statistic), n, rng, value)
            found.append(Score(f"{prefix}{name}", value, n, low, high, guessed, baseline_name))
        return found

    def over_resamples(self, statistic: Callable[[Numbers], float]) -> Callable[[Numbers], float]:
        """Return `statistic` of the confusion matrix as a function of the chosen documents."""
        return lambda chosen_n: statistic(self.counts(chosen_n))


class ClassificationScores(Evaluator):
    """Measure how often a classifier names the right label."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model"),
        "heldout": Port("corpus", about="labelled documents the model has not seen"),
        "train": Port("corpus", optional=True, about="labelled documents that the baselines learn from"),
    }
    heads: ClassVar = ("sequence-classification",)

    label: str = Field("label", min_length=1, description="the column that holds the label")
    documents: int = Field(2000, ge=1, description="documents that are judged; more are sampled")
    max_length: int | None = Field(None, ge=2, description="tokens read of each; default: what the model was tuned on")
    train_documents: int = Field(5000, ge=1, description="documents that the baselines learn from; more are sampled")

    def evaluate(self, model: Model, data: Corpus, ctx: Context) -> Scores:
        """Return scores with intervals and baselines, the confusion, each label, and the most confident mistakes."""
        frame = self.labelled(data, self.documents, ctx.rng_for("documents"))
        train = ctx.inputs.get("train")
        learned = None if train is None else self.labelled(train, self.train_documents, ctx.rng_for("train"))
        known = list(model.card["labels"])
        named = set(frame["label"]) | (set() if learned is None else set(learned["label"]))
        labels = known + sorted(named - set(known))
        probabilities_nc = self.predict(model, frame["text"].to_list(), ctx)
        predicted = [known[number] for number in probabilities_nc.argmax(axis=1)]
        answers = Answers.from_names(labels, frame["label"].to_list(), predicted)
        result = Scores(notes=_notes(frame, data, known))
        self.score(result, answers, frame, learned, ctx)
        result.by_document = frame.select(
            "id",
            pl.lit("accuracy").alias("score"),
            pl.Series("part", answers.hits_n.astype(np.float64)),
            pl.lit(1.0).alias("units"),
        )
        result.tables["confusion"] = confusion_table(answers.counts(), labels)
        result.tables["labels"] = label_table(answers.counts(), labels)
        result.tables["confident-mistakes"] = mistakes(frame, answers, probabilities_nc)
        return result

    def labelled(self, corpus: Corpus, number: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return `id`, `text`, `label` of a sample; documents without a label are left out.

        Raises `StepError` when none has one.
        """
        frame = sample_documents(corpus, number, rng, ["id", "text", self.label])
        names = [None if value is None else str(value) for value in frame[self.label]]  # as the model was told them
        frame = frame.select("id", "text", pl.Series("label", names, dtype=pl.String)).drop_nulls("label")
        if frame.is_empty():
            raise StepError(f"no document has a value in column {self.label!r}", where=corpus.step)
        return frame

    def predict(self, model: Model, texts: Sequence[str], ctx: Context) -> Probabilities:
        """Return the probability of each class for each text, float64[N, C]."""
        if model.card.get("family") == "static":
            loaded = load_static(model)
            assert isinstance(loaded, StaticClassifier)
            return loaded.predict(texts)
        with opened(model, ctx) as network:
            length = network.longest_row(model, self.max_length)
            rows = [encode_text(network.tokenizer, text, length) for text in texts]
            probabilities_nc = np.zeros((len(rows), network.model.config.num_labels))
            done = 0
            for batch in batches_by_length([len(row) for row in rows], network.model.config.hidden_size):
                logits_bc = network.logits([rows[number] for number in batch])
                probabilities_nc[batch] = logits_bc.softmax(-1).double().cpu().numpy()
                done += len(batch)
                ctx.progress(done, len(rows))
        return probabilities_nc

    def score(
        self, result: Scores, answers: Answers, frame: pl.DataFrame, learned: pl.DataFrame | None, ctx: Context
    ) -> None:
        """Add the model's scores, and with training documents those of TF-IDF and a linear model."""
        rng = ctx.rng_for("bootstrap")
        source = frame if learned is None else learned
        where = "the held-out text" if learned is None else "the training text"
        name = f"majority class of {where}"
        guess = answers.labels.index(majority(source["label"].to_list()))
        floor = Answers(answers.labels, answers.true_n, np.full_like(answers.true_n, guess))
        result.scores += answers.scores("", floor, name, rng)
        if learned is None:
            return
        texts = (learned["text"].to_list(), learned["label"].to_list(), frame["text"].to_list())
        linear = Answers.from_names(answers.labels, frame["label"].to_list(), predict_tfidf(*texts))
        result.scores += linear.scores("TF-IDF + linear: ", floor, name, rng)
        ours = int((answers.hits_n & ~linear.hits_n).sum())
        theirs = int((linear.hits_n & ~answers.hits_n).sum())
        result.notes.append(
            f"TF-IDF + linear learned from {len(learned)} documents and reads {READ_CHARACTERS:,} characters of each; "
            f"of the documents on which one of the two is right and the other wrong, the model has {ours}, "
            f"TF-IDF {theirs}"
        )


def majority(names: Sequence[str]) -> str:
    """Return the most frequent name, the first in the alphabet of several.

    >>> majority(["b", "a", "b", "a", "c"])
    'a'
    """
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))


def mistakes(frame: pl.DataFrame, answers: Answers, probabilities_nc: Probabilities) -> pl.DataFrame:
    """Return the wrong answers that the model was surest of."""
    table = pl.DataFrame(
        {
            "id": frame["id"],
            "true": frame["label"],
            "predicted": [answers.labels[number] for number in answers.predicted_n],
            "probability": probabilities_nc.max(axis=1),
            "beginning": [beginning(text) for text in frame["text"]],
        }
    ).filter(pl.Series(~answers.hits_n))
    return table.sort(["probability", "id"], descending=[True, False]).head(NUM_MISTAKES)


def _notes(frame: pl.DataFrame, data: Corpus, known: Sequence[str]) -> list[str]:
    notes = [f"{len(frame)} of {data.num_rows} documents judged"]
    strange = sorted(set(frame["label"]) - set(known))
    if strange:
        count = int(frame["label"].is_in(strange).sum())
        notes.append(f"{count} of them have a label the model does not know, and count as mistakes")
    return notes
