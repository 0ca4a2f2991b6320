"""Skip-gram and CBOW: the loss of Mikolov et al. 2013, equation 4, by hand."""

import numpy as np
import pytest
from workbench_plugins.objectives.word_windows import Cbow, SkipGram


@pytest.mark.parametrize("objective", [SkipGram(), Cbow()], ids=["skip-gram", "cbow"])
def test_the_loss_by_hand(objective):
    """h = (1, 2): h · u = 3 costs log(1 + e⁻³) = 0.048587; drawn 1 and -1 cost log(1 + e) + log(1 + 1/e) = 1.626523."""
    hidden, true = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    drawn = np.array([[1.0, 0.0], [1.0, -1.0]])
    assert objective.loss(hidden, true, drawn) == pytest.approx(0.048587 + 1.626523, abs=1e-6)


def test_which_side_is_averaged():
    """CBOW averages the window, skip-gram does not."""
    assert (SkipGram.averages, Cbow.averages) == (False, True)
