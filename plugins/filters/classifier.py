"""A linear classifier over hashed n-grams: what it is on disk, and the score it gives every document.

    weights.npy         float32[2^k], one for each bucket of n-grams
    classifier.json     the n-grams, the bias, the calibration, what was held out and how it was scored

The score is the chance that a document belongs to the positive class when both classes are equally likely, by Platt's
calibration (Platt 1999) on documents that the weights were not learned from. It is kept to six digits, because the
last ones depend on the machine's exponential.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import Kernel, StepError, write_text

WEIGHTS, CARD = "weights.npy", "classifier.json"
FORMAT = 1  # of the two files together with the way n-grams are hashed
DIGITS = 6


@dataclass(frozen=True)
class NGrams:
    """Which n-grams of a text there are.

    Attributes:
        words: Words in a row, at most.
        unspaced: Characters in a row of a script without spaces, at most.
        low: Characters of a word in a row, at least; the ends of the word count as one each.
        high: The same, at most.
        characters: How much of a text is looked at, from its beginning.
        buckets: How many buckets they fall into, a power of two.
    """

    words: int
    unspaced: int
    low: int
    high: int
    characters: int
    buckets: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The first four, as compiled code takes them."""
        return self.words, self.unspaced, self.low, self.high


@dataclass(frozen=True, eq=False)
class Classifier:
    """Learned weights and what turns their sum into a score.

    Attributes:
        ngrams: What the weights are for.
        weights: float32[buckets].
        bias: Added to the sum of a text; positive is for the positive class.
        slope: Of the calibration: the log odds are `slope` times the sum and the bias, plus `intercept`.
        intercept: Of the calibration.
        facts: What it learned from and how it scores on what was held out, for people.
    """

    ngrams: NGrams
    weights: np.ndarray
    bias: float
    slope: float
    intercept: float
    facts: dict[str, Any]

    def sums(self, texts: pl.Series) -> np.ndarray:
        """Return the sum of each text, float64, above 0 for the positive class."""
        from workbench_plugins.filters.classifier_kernel import add_up
        from workbench_plugins.filters.minhash_kernel import CLASSES

        offsets, content = text_buffers(texts.str.head(self.ngrams.characters))
        sums = np.empty(len(texts), dtype=np.float64)
        add_up(offsets, content, CLASSES, self.ngrams.shape, np.asarray(self.weights), sums)
        return sums + self.bias

    def scores(self, texts: pl.Series) -> np.ndarray:
        """Return the score of each text, float64 from 0 to 1."""
        return calibrated(self.sums(texts), self.slope, self.intercept)

    def save(self, folder: Path) -> None:
        """Write the two files."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / WEIGHTS, self.weights, allow_pickle=False)
        card = {
            "format": FORMAT,
            "ngrams": asdict(self.ngrams),
            **{name: getattr(self, name) for name in ("bias", "slope", "intercept", "facts")},
        }
        write_text(folder / CARD, json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def calibrated(sums: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Return the logistic function of `slope * sums + intercept`, rounded to six digits.

    >>> calibrated(np.array([0.0, 1000.0, -1000.0]), 1.0, 0.0).tolist()
    [0.5, 1.0, 0.0]
    """
    odds = np.clip(slope * sums + intercept, -50.0, 50.0)
    rounded: np.ndarray = np.round(1.0 / (1.0 + np.exp(-odds)), DIGITS)
    return rounded


def load_classifier(folder: Path) -> Classifier:
    """Return the classifier in a folder, its weights mapped.

    Raises `StepError` when the folder holds none, or one of another version.
    """
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        weights = np.load(folder / WEIGHTS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise StepError(
            f"this is no classifier: {str(error).splitlines()[0][:120]}",
            where=str(folder),
            expected=f"{CARD} and {WEIGHTS}, as a classifier trained here writes them into `learned`",
        ) from error
    try:
        return _checked(card, weights)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StepError(
            f"this classifier cannot be used: {error}", where=str(folder), expected=f"format {FORMAT}, whole"
        ) from error


def _checked(card: dict[str, Any], weights: np.ndarray) -> Classifier:
    if card["format"] != FORMAT:
        raise ValueError(f"it has format {card['format']!r}")
    ngrams = NGrams(**{name: int(value) for name, value in card["ngrams"].items()})
    numbers = [float(card[name]) for name in ("bias", "slope", "intercept")]
    if weights.shape != (ngrams.buckets,) or weights.dtype != np.float32 or ngrams.buckets.bit_count() != 1:
        raise ValueError(f"{weights.dtype}{list(weights.shape)} weights for {ngrams.buckets} buckets")
    if not np.isfinite([*numbers, float(np.abs(weights).max())]).all():
        raise ValueError("a weight is not finite")
    return Classifier(ngrams, weights, numbers[0], numbers[1], numbers[2], dict(card["facts"]))


@lru_cache(maxsize=8)
def kept_classifier(folder: Path) -> Classifier:
    """Return the classifier in a folder, read once for each process."""
    return load_classifier(folder)


@dataclass(frozen=True)
class ClassifierScore(Kernel):
    """The column `score`, float64 from 0 to 1; null everywhere without a classifier.

    Attributes:
        folder: Where the classifier lies; None when there is none.
    """

    folder: Path | None

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the score of every document."""
        if self.folder is None:
            return pl.DataFrame({"score": pl.repeat(None, batch.height, dtype=pl.Float64, eager=True)})
        return pl.DataFrame({"score": kept_classifier(self.folder).scores(batch["text"])})
