"""The linear part of a probe: deal documents out, choose layer and regularisation, fit. Fitted by scikit-learn.

Dense vectors are scaled to mean 0 and deviation 1, each number by itself; sparse ones to length one, which leaves zeros
zero. Both are measured on the documents that are learned from. One thread does it: with two, the solver waited for
itself and took 60 times as long on a busy machine (1,170 documents of 128 numbers, 10 labels), and the last digits of
what it found depended on their number.

Shape suffixes: N documents, W width.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Places = np.ndarray[Any, np.dtype[np.int64]]
Names = np.ndarray[Any, np.dtype[Any]]
MAX_STEPS = 1000  # of the solver
LEAST = 1e-12  # the probability of a label that the probe has not seen, in the choosing


@dataclass(frozen=True)
class Choice:
    """What did best on the documents that were held back.

    Attributes:
        layer: Number of the layer.
        strength: Inverse of the regularisation.
        nats: Mean cross-entropy on these documents.
        converged: Whether the solver had come to its end.
    """

    layer: int
    strength: float
    nats: float
    converged: bool


def deal(names: Names, drawn: float, held_back: float, rng: np.random.Generator) -> tuple[Places, Places]:
    """Return the places of the documents that are learned from, and of those that are held back for choosing.

    Label by label, so that each has its share in both. A label of which one document is drawn is only learned from.

    >>> learned, held = deal(np.array(["a"] * 10 + ["b"] * 5), 0.8, 0.25, np.random.default_rng(1))
    >>> len(learned), len(held), len({*learned, *held})
    (9, 3, 12)
    """
    learned, held = [], []
    for name in np.unique(names):
        places = rng.permutation(np.flatnonzero(names == name))
        places = places[: max(1, round(drawn * len(places)))]
        number = min(max(1, round(held_back * len(places))), len(places) - 1)
        held.append(places[:number])
        learned.append(places[number:])
    return np.sort(np.concatenate(learned)), np.sort(np.concatenate(held))


def solver(vectors: Any, names: Names, strength: float) -> tuple[Any, bool]:
    """Return a fitted classifier, and whether it came to its end.

    Args:
        vectors: float[N, W], dense or a scipy CSR matrix.
        names: The label of each row; at least two different ones.
        strength: scikit-learn's C.
    """
    from scipy.sparse import issparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler
    from threadpoolctl import threadpool_limits

    scaler = Normalizer() if issparse(vectors) else StandardScaler()
    classifier = make_pipeline(scaler, LogisticRegression(C=strength, max_iter=MAX_STEPS))
    with threadpool_limits(1), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(vectors, names)
    return classifier, not any(issubclass(one.category, ConvergenceWarning) for one in told)


def choose(
    layers: Mapping[int, Any], names: Names, learned: Places, held: Places, strengths: Sequence[float]
) -> Choice:
    """Return the layer and the strength with the least cross-entropy on the documents held back; the first of equals."""
    found = []
    for layer, vectors in layers.items():
        for strength in strengths:
            classifier, converged = solver(vectors[learned], names[learned], strength)
            found.append(Choice(layer, strength, mean_nats(classifier, vectors[held], names[held]), converged))
    return min(found, key=lambda choice: choice.nats)


def mean_nats(classifier: Any, vectors: Any, names: Names) -> float:
    """Return the mean cross-entropy of labels; one that the classifier has not seen has the probability `LEAST`."""
    shares_nl = classifier.predict_proba(vectors)
    place = {name: number for number, name in enumerate(classifier.classes_)}
    right_n = [row[place[name]] if name in place else 0.0 for row, name in zip(shares_nl, names, strict=True)]
    return float(-np.log(np.maximum(right_n, LEAST)).mean())
