"""TF-IDF and a linear classifier: what a text classifier reaches without a network. Fitted by scikit-learn.

Special here: logistic regression, so that the answer is a probability (Joachims' support vector machine is as exact
and faster, but only ranks). Weights and columns are stored as arrays, and the same document gets the same answer from a
model that was loaded.

Shapes: N texts, L labels, F columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from workbench_plugins.architectures.text_features import SparseText, Tfidf

from workbench.api import Field, Fitted, StaticClassifier, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import polars as pl

    from workbench.api import Context, Lesson

Array = np.ndarray[Any, np.dtype[Any]]
MAX_STEPS = 1000  # of the solver; what it has not found by then it says


class TfidfLinear(Tfidf):
    """Tell the label of a text by a linear model of its words and pairs of words, weighted by TF-IDF."""

    version: ClassVar[int] = 1
    head: ClassVar = "sequence-classification"
    data: ClassVar[Literal["tokens", "records"]] = "records"

    label: str = Field("label", min_length=1, description="the column that holds the label")
    strength: float = Field(10.0, gt=0, description="inverse of the regularisation (scikit-learn's C)")
    balanced: bool = Field(False, description="give rare labels as much weight as frequent ones")

    def fit(self, lesson: Lesson, ctx: Context) -> Fitted:
        """Learn from the labelled documents; `valid_loss` is the mean of nats of the right label on the valid part."""
        from sklearn.linear_model import LogisticRegression

        assert lesson.records is not None
        texts, labels = self.labelled(lesson.records, ctx.step)
        if len(set(labels)) < 2:  # noqa: PLR2004  # nothing to tell apart
            raise StepError(
                f"every document has the label {labels[0]!r}" if labels else f"no document has a {self.label!r}",
                where=ctx.step,
                expected="at least two labels to tell apart",
            )
        features, vectors = self.learn(texts, ctx.step)
        solver = LogisticRegression(
            C=self.strength, max_iter=MAX_STEPS, class_weight="balanced" if self.balanced else None
        )
        solver.fit(vectors, labels)
        weights_lf, bias_l = solver.coef_, solver.intercept_
        if len(solver.classes_) == 2:  # noqa: PLR2004  # one row for two labels: the softmax of ±s/2 is the sigmoid of s
            weights_lf, bias_l = (np.stack([-given, given]) / 2 for given in (weights_lf[0], bias_l[0]))
        model = LinearText(features, [str(label) for label in solver.classes_], weights_lf, bias_l)
        row: dict[str, float] = {"number": 1, "loss": model.loss(texts, labels)}
        if lesson.valid_records is not None:
            held, truth = self.labelled(lesson.valid_records, ctx.step)
            known = [place for place, label in enumerate(truth) if label in model.labels]
            if known:
                row["valid_loss"] = model.loss([held[place] for place in known], [truth[place] for place in known])
        return Fitted(model, [row])

    def labelled(self, records: Callable[[], Iterator[pl.DataFrame]], where: str) -> tuple[list[str], list[str]]:
        """Return texts and labels of the documents that have one."""
        texts: list[str] = []
        labels: list[str] = []
        for frame in records():
            if self.label not in frame.columns:
                raise StepError(
                    f"the corpus has no column {self.label!r}",
                    where=where,
                    expected=f"the column that holds the label, one of: {', '.join(frame.columns)}",
                )
            for text, label in frame.select("text", self.label).iter_rows():
                if label is not None:
                    texts.append(text or "")
                    labels.append(str(label))
        return texts, labels

    def restore(self, tables: Mapping[str, Array], facts: Mapping[str, Any]) -> LinearText:
        """Return the model again. Raises `ValueError` when tables and labels do not belong together."""
        labels = [str(label) for label in facts["labels"]]
        return LinearText(self.columns(tables), labels, tables["classifier"], tables["bias"])


class LinearText(StaticClassifier):
    """A linear model over sparse vectors.

    Args:
        features: Turns texts into vectors.
        labels: The labels, sorted.
        weights_lf: float64[L, F].
        bias_l: float64[L].
    """

    def __init__(self, features: SparseText, labels: list[str], weights_lf: Array, bias_l: Array) -> None:
        if weights_lf.shape != (len(labels), len(features.names)) or bias_l.shape != (len(labels),):
            raise ValueError(f"weights {weights_lf.shape} for {len(labels)} labels and {len(features.names)} columns")
        self.features = features
        self.labels = labels
        self.weights_lf = weights_lf
        self.bias_l = bias_l

    def tables(self) -> dict[str, Array]:
        """Return the columns, the weights and the bias."""
        return {**self.features.tables(), "classifier": self.weights_lf, "bias": self.bias_l}

    def facts(self) -> dict[str, Any]:
        """Return the labels."""
        return {"labels": self.labels}

    @property
    def num_parameters(self) -> int:
        """How many weights there are."""
        return int(self.weights_lf.size + self.bias_l.size)

    def predict(self, texts: Sequence[str]) -> Array:
        """Return float64[N, L]: the probability of each label."""
        scores_nl = np.asarray(self.features.transform(texts) @ self.weights_lf.T) + self.bias_l
        scores_nl -= scores_nl.max(axis=1, keepdims=True)
        shares_nl: Array = np.exp(scores_nl)
        shares_nl /= shares_nl.sum(axis=1, keepdims=True)
        return shares_nl

    def loss(self, texts: Sequence[str], labels: Sequence[str]) -> float:
        """Return the mean of nats of the right label."""
        place = {label: number for number, label in enumerate(self.labels)}
        right = self.predict(texts)[np.arange(len(texts)), [place[label] for label in labels]]
        return float(-np.log(np.maximum(right, np.finfo(np.float64).tiny)).mean())
