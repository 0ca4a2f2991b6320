"""How a text is continued: greedy, by beams, or by drawing from the likeliest tokens; and the same for static models.

Sources: top-k from Fan et al. 2018, top-p (nucleus) from Holtzman et al. 2020. Beams are ranked by the mean
log-probability of their tokens, as transformers does with its defaults.

Shape suffixes: V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.contracts.static import StaticLanguageModel

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Writing:
    """How the next tokens are chosen.

    Attributes:
        max_tokens: How many are written at most; the end token stops earlier.
        temperature: Of drawing; 0 always takes the likeliest token (or beam).
        top_k: Draw among this many of the likeliest; 0: among all.
        top_p: Draw among the likeliest that together have this probability.
        beams: Continuations that are followed side by side; only with a temperature of 0.
    """

    max_tokens: int = 64
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    beams: int = 1

    def __post_init__(self) -> None:
        if self.beams > 1 and self.temperature:
            raise ValueError("beams follow the likeliest tokens; set the temperature to 0, or beams to 1")

    @property
    def samples(self) -> bool:
        """Whether tokens are drawn."""
        return self.temperature > 0


def write_static(
    model: StaticLanguageModel, ids: Sequence[int], how: Writing, end: int | None, rng: np.random.Generator
) -> list[int]:
    """Return how a document goes on after `ids`, without the end token."""
    if how.beams > 1:
        return _beams(model, list(ids), how, end)
    written: list[int] = []
    while len(written) < how.max_tokens:
        scores_v = model.next_log_probabilities([*ids, *written])
        token = draw(scores_v, how, rng) if how.samples else int(scores_v.argmax())
        if token == end:
            break
        written.append(token)
    return written


def draw(scores_v: Floats, how: Writing, rng: np.random.Generator) -> int:
    """Return a token drawn as `how` says from log-probabilities.

    >>> draw(np.log([0.5, 0.3, 0.2]), Writing(temperature=1, top_p=0.4), np.random.default_rng(1))
    0
    """
    order = np.argsort(-scores_v, kind="stable")
    if how.top_k:
        order = order[: how.top_k]
    scores_k = scores_v[order] / how.temperature
    weights_k = np.exp(scores_k - scores_k[0])
    shares_k = weights_k / weights_k.sum()
    kept = int(np.searchsorted(np.cumsum(shares_k), how.top_p)) + 1 if how.top_p < 1 else len(order)
    sums = np.cumsum(shares_k[:kept])
    return int(order[min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(sums) - 1)])


def _beams(model: StaticLanguageModel, ids: list[int], how: Writing, end: int | None) -> list[int]:
    live: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    for _ in range(how.max_tokens):
        found = []
        for total, written in live:
            scores_v = model.next_log_probabilities(ids + written)
            best = np.argsort(-scores_v, kind="stable")[: how.beams + 1]
            found += [(total + float(scores_v[token]), [*written, int(token)]) for token in best]
        found.sort(key=lambda beam: (-beam[0], beam[1]))
        finished += [(total / len(row), row[:-1]) for total, row in found[: how.beams] if row[-1] == end]
        live = [beam for beam in found if beam[1][-1] != end][: how.beams]
        if len(finished) >= how.beams or not live:
            break
    finished += [(total / max(1, len(row)), row) for total, row in live] if len(finished) < how.beams else []
    return min(finished, key=lambda beam: (-beam[0], beam[1]))[1]
