"""Skip-gram and CBOW: what `architecture/word2vec` learns by. Source: Mikolov et al. 2013 (NeurIPS), equation 4.

Both tell a token that was there from tokens that were drawn, by the dot product of an input and an output vector:

    loss = - log σ(h · u) - Σ_k log σ(- h · u_k)

In skip-gram h is the vector of the centre and u the output of one token around it; in CBOW h is the mean of the vectors
around, and u the output of the centre. The kernel of the architecture follows its gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.api import WindowObjective

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]


def negative_sampling(hidden_w: Floats, true_w: Floats, drawn_kw: Floats) -> float:
    """Return the loss of the module's head.

    >>> round(negative_sampling(np.array([1.0, 0.0]), np.array([2.0, 5.0]), np.array([[-1.0, 0.0]])), 4)
    0.4402
    """
    scores = np.concatenate([[hidden_w @ true_w], -(drawn_kw @ hidden_w)])
    return float(np.logaddexp(0, -scores).sum())


class SkipGram(WindowObjective):
    """Predict each token of a window from its centre, with negative samples, Mikolov et al. 2013, equation 4."""

    version: ClassVar[int] = 1
    averages: ClassVar[bool] = False

    def loss(self, hidden_w: Floats, true_w: Floats, drawn_kw: Floats) -> float:
        """Return - log σ(v_centre · u_near) - Σ log σ(- v_centre · u_drawn)."""
        return negative_sampling(hidden_w, true_w, drawn_kw)


class Cbow(WindowObjective):
    """Predict the centre of a window from the mean of the vectors around it, Mikolov et al. 2013 (ICLR), section 3.1."""

    version: ClassVar[int] = 1
    averages: ClassVar[bool] = True

    def loss(self, hidden_w: Floats, true_w: Floats, drawn_kw: Floats) -> float:
        """Return - log σ(mean · u_centre) - Σ log σ(- mean · u_drawn)."""
        return negative_sampling(hidden_w, true_w, drawn_kw)
