"""What a confusion matrix says. Rows are true labels, columns predicted ones.

Shape suffixes: L labels, in rows (true) and columns (predicted).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

Counts = np.ndarray[Any, np.dtype[np.int64]]
Labels = np.ndarray[Any, np.dtype[np.int64]]


def confusion_matrix(true: Labels, predicted: Labels, num_labels: int) -> Counts:
    """Return int64[L, L]: how often each true label got each predicted one."""
    counts = np.bincount(true * num_labels + predicted, minlength=num_labels**2)
    return counts.reshape(num_labels, num_labels).astype(np.int64)


def f1_scores(counts_ll: Counts) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the F1 of each label: 2·hits / (true + predicted); NaN for a label that occurs nowhere."""
    occurrences = counts_ll.sum(axis=0) + counts_ll.sum(axis=1)
    hits = np.diag(counts_ll)
    scores_l = np.full(len(hits), math.nan)
    np.divide(2 * hits, occurrences, out=scores_l, where=occurrences > 0)
    return scores_l


def macro_f1(counts_ll: Counts) -> float:
    """Return the mean F1 over the labels that occur, in truth or in prediction."""
    return float(np.nanmean(f1_scores(counts_ll)))


def matthews(counts_ll: Counts) -> float:
    """Return the correlation of truth and prediction for any number of labels, Gorodkin 2004; 0 where undefined."""
    true, predicted = counts_ll.sum(axis=1).astype(float), counts_ll.sum(axis=0).astype(float)
    total = counts_ll.sum()
    covariance = np.trace(counts_ll) * total - true @ predicted
    spread = math.sqrt(total**2 - true @ true) * math.sqrt(total**2 - predicted @ predicted)
    return float(covariance / spread) if spread else 0.0


def confusion_table(counts_ll: Counts, labels: list[str]) -> pl.DataFrame:
    """Return the matrix with the true label in the first column and one column for each predicted label."""
    columns = {f"predicted: {label}": counts_ll[:, number] for number, label in enumerate(labels)}
    return pl.DataFrame({"true": labels, **columns})


def label_table(counts_ll: Counts, labels: list[str]) -> pl.DataFrame:
    """Return precision, recall and F1 of each label; null where a label was never predicted or never true."""
    hits, true, predicted = np.diag(counts_ll), counts_ll.sum(axis=1), counts_ll.sum(axis=0)
    return pl.DataFrame(
        {
            "label": labels,
            "n": true,
            "precision": [hit / total if total else None for hit, total in zip(hits, predicted, strict=True)],
            "recall": [hit / total if total else None for hit, total in zip(hits, true, strict=True)],
            "f1": pl.Series(f1_scores(counts_ll)).fill_nan(None),
        },
        schema_overrides={"precision": pl.Float64, "recall": pl.Float64},
    )
