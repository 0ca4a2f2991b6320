"""What a confusion matrix says: by hand, and as sklearn says it."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef
from workbench_plugins.evaluators.confusion import confusion_matrix, label_table, macro_f1, matthews

TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 2, 2])


def test_matrix_by_hand():
    """Rows are true labels, columns predicted ones."""
    assert confusion_matrix(TRUE, PREDICTED, 3).tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_macro_f1_by_hand():
    """F1 is 2·hits / (true + predicted): 4/5, 2/4 and 2/3; their mean is 59/90."""
    assert macro_f1(confusion_matrix(TRUE, PREDICTED, 3)) == pytest.approx(59 / 90)


def test_a_label_that_occurs_nowhere_does_not_count():
    """A label without a document, true or predicted, is left out of the mean."""
    assert macro_f1(confusion_matrix(TRUE, PREDICTED, 5)) == pytest.approx(59 / 90)


def test_two_labels_give_the_correlation_of_two_variables():
    """For two labels it is the ordinary correlation coefficient."""
    true, predicted = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    assert matthews(confusion_matrix(true, predicted, 2)) == pytest.approx(np.corrcoef(true, predicted)[0, 1])


def test_always_the_same_answer_has_no_correlation():
    """Where the correlation is undefined it is 0."""
    assert matthews(confusion_matrix(TRUE, np.zeros(6, dtype=int), 3)) == 0


def test_as_sklearn_says():
    """On random answers both numbers are sklearn's."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        true, predicted = rng.integers(0, 4, 30), rng.integers(0, 4, 30)
        counts = confusion_matrix(true, predicted, 4)
        assert macro_f1(counts) == pytest.approx(f1_score(true, predicted, average="macro"))
        assert matthews(counts) == pytest.approx(matthews_corrcoef(true, predicted))


def test_each_label_by_hand():
    """Precision and recall of each label; null where there is nothing to divide by."""
    table = label_table(confusion_matrix(TRUE, PREDICTED, 4), ["a", "b", "c", "d"])
    assert table["n"].to_list() == [3, 2, 1, 0]
    assert table["precision"].to_list() == [1.0, 0.5, 0.5, None]
    assert table["recall"].to_list() == [pytest.approx(2 / 3), 0.5, 1.0, None]
    assert table["f1"].to_list()[3] is None
    assert not any(value is not None and math.isnan(value) for value in table["f1"])
