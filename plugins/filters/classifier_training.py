"""How a linear classifier is trained: which documents, in which order, how calibrated, how well it does.

Of every class a sample is drawn by a salted digest of the text, so it depends on the documents and the seed and not on
how they lie in shards; equal texts count once. Of every ten, eight are learned from, one calibrates, one is held out.
An error on either class costs the same in sum, so a rare class is not drowned.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from workbench_plugins.filters.classifier import Classifier, NGrams, calibrated
from workbench_plugins.filters.text_buffers import text_buffers

if TYPE_CHECKING:
    from collections.abc import Iterable

Z = 1.959963984540054  # the normal quantile at 0.975
LEAST = 10  # texts of a class: one calibrates and one is held out
OF_TEN, CALIBRATING, HELD_OUT = 10, 8, 9
NEWTON_STEPS = 100


@dataclass(frozen=True)
class Learning:
    """How weights are learned: passes over the texts, and FTRL-Proximal's rate and penalty."""

    epochs: int
    rate: float
    l2: float


def draw(frames: Iterable[pl.DataFrame], number: int, salt: bytes, characters: int) -> pl.DataFrame:
    """Return `text` and `digest` of the `number` distinct texts with the lowest digests, in their order.

    Args:
        frames: Batches with a column `text`; empty texts are left out.
        number: How many at most.
        salt: What makes another sample of the same texts.
        characters: How much of each text is kept, from its beginning.
    """
    kept = pl.DataFrame(schema={"text": pl.String, "digest": pl.UInt64})
    for frame in frames:
        texts = frame["text"].drop_nulls().str.head(characters)
        texts = texts.filter(texts.str.contains(r"\S"))
        digests = [_digest(text, salt) for text in texts]
        new = pl.DataFrame({"text": texts, "digest": pl.Series(digests, dtype=pl.UInt64)})
        kept = pl.concat([kept, new]).unique("digest").sort("digest").head(number)
    return kept


def _digest(text: str, salt: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, salt=salt).digest(), "big")


def train(
    positive: pl.DataFrame, negative: pl.DataFrame, ngrams: NGrams, learning: Learning, rng: np.random.Generator
) -> Classifier:
    """Return a classifier of two samples that `draw` gave, at least `LEAST` texts each."""
    from workbench_plugins.filters.classifier_kernel import learn
    from workbench_plugins.filters.minhash_kernel import CLASSES

    rows = pl.concat(
        [
            sample.select("text", target=pl.lit(target), fold=pl.int_range(pl.len()) % OF_TEN)
            for target, sample in ((1.0, positive), (0.0, negative))
        ]
    )
    known = rows.filter(pl.col("fold") < CALIBRATING)
    offsets, content = text_buffers(known["text"])
    targets = known["target"].to_numpy()
    orders = np.stack([rng.permutation(known.height) for _ in range(learning.epochs)])
    weights, bias = learn(
        offsets,
        content,
        CLASSES,
        ngrams.shape,
        targets,
        importances(targets),
        orders,
        learning.rate,
        learning.l2,
        ngrams.buckets,
    )
    raw = Classifier(ngrams, weights, float(bias), 1.0, 0.0, {})
    calibrating = rows.filter(pl.col("fold") == CALIBRATING)
    slope, intercept = calibrate(raw.sums(calibrating["text"]), calibrating["target"].to_numpy())
    held = rows.filter(pl.col("fold") == HELD_OUT)
    sums = raw.sums(held["text"])
    facts = {
        "texts": {"positive": positive.height, "negative": negative.height},
        "in_both": positive.join(negative, on="digest", how="semi").height,
        "learned_from": known.height,
        "held_out": measure(calibrated(sums, slope, intercept), held["target"].to_numpy()),
    }
    return Classifier(ngrams, weights, float(bias), slope, intercept, facts)


def importances(targets: np.ndarray) -> np.ndarray:
    """Return what an error on each text costs, so that both classes weigh the same; 1 on average.

    >>> importances(np.array([1.0, 0.0, 0.0, 0.0])).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    of_class = np.where(targets == 1.0, targets.sum(), (1.0 - targets).sum())
    costs: np.ndarray = targets.size / (2.0 * of_class)
    return costs


def calibrate(sums: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the logistic function that fits the targets, both classes weighing the same.

    Platt 1999: targets are drawn in to (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that separable sums give no infinite
    slope. A slope that would turn the order around becomes 0: every score is then 0.5. Newton's method.
    """
    positives, negatives = float(targets.sum()), float((1.0 - targets).sum())
    goals = np.where(targets == 1.0, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))
    costs = importances(targets)
    centre, spread = float(sums.mean()), float(sums.std())
    if spread == 0.0:
        return 0.0, 0.0
    columns = np.stack([(sums - centre) / spread, np.ones_like(sums)], axis=1)
    answer = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        chances = 1.0 / (1.0 + np.exp(-np.clip(columns @ answer, -50.0, 50.0)))
        gradient = columns.T @ (costs * (chances - goals)) + 1e-6 * answer
        curvature = (columns * (costs * chances * (1.0 - chances))[:, None]).T @ columns + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        answer -= step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - far below the six digits of a score
            break
    slope = float(answer[0]) / spread
    return (slope, float(answer[1]) - slope * centre) if slope > 0.0 else (0.0, 0.0)


def measure(scores: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    """Return n, accuracy at 0.5 beside the larger class, and area under the ROC curve, each with a 95 % interval.

    Intervals: Wilson 1927 and DeLong et al. 1988.
    """
    hits, n = int(((scores > 0.5) == (targets == 1.0)).sum()), targets.size  # noqa: PLR2004
    area, low, high = roc_area(scores, targets)
    accuracy_low, accuracy_high = wilson(hits, n)
    positives = int(targets.sum())
    return {
        "n": n,
        "positive": positives,
        "accuracy": round(hits / n, 4),
        "accuracy_interval": [round(accuracy_low, 4), round(accuracy_high, 4)],
        "accuracy_baseline": round(max(positives, n - positives) / n, 4),
        "auc": round(area, 4),
        "auc_interval": [round(low, 4), round(high, 4)],
    }


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def roc_area(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its 95 % interval (DeLong et al. 1988, by ranks).

    >>> roc_area(np.array([0.9, 0.8, 0.3, 0.2]), np.array([1.0, 0.0, 1.0, 0.0]))[0]
    0.75
    """
    from scipy.stats import rankdata

    above, below = scores[targets == 1.0], scores[targets != 1.0]
    ranks = rankdata(np.concatenate([above, below]))
    wins = (ranks[: above.size] - rankdata(above)) / below.size
    losses = 1.0 - (ranks[above.size :] - rankdata(below)) / above.size
    area = float(wins.mean())
    few = 2  # no variance of one value
    variance = sum(float(part.var(ddof=1)) / part.size for part in (wins, losses) if part.size >= few)
    half = Z * float(np.sqrt(variance))
    return area, max(0.0, area - half), min(1.0, area + half)
