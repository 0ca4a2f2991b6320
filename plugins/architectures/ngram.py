"""N-grams: the probability of a token from the few before it, counted and smoothed.

Special here: every order is counted in one pass over the tokens with a hash table of its own, and kept as a tree in
three arrays of whole numbers; probabilities are worked out from the counts when the model is loaded. No n-gram reaches
over the border of a document, and the first tokens of one have as much context as stands before them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from workbench.api import Field, Fitted, StaticArchitecture, StaticLanguageModel, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench_plugins.architectures.ngram_tree import NgramTree, Smoothed

    from workbench.api import Context, Lesson, TokenStream

Array = np.ndarray[Any, np.dtype[Any]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class Ngram(StaticArchitecture):
    """Predict the next token from the `order` - 1 before it, Kneser and Ney 1995, or with additive smoothing."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    head: ClassVar = "causal-lm"

    order: int = Field(5, ge=1, le=16, description="tokens of the longest n-grams")
    smoothing: Literal["kneser-ney", "additive"] = Field(
        "kneser-ney", description="interpolated Kneser-Ney, or ε backed off order by order"
    )
    modified: bool = Field(
        False, description="Kneser-Ney with discounts of their own for counts 1, 2, 3 and more, Chen and Goodman 1999"
    )
    epsilon: float | tuple[float, ...] = Field(
        1.0, description="of additive smoothing: mass of what was not seen; one for all orders, or one for each"
    )

    @model_validator(mode="after")
    def _settings_go_together(self) -> Self:
        if self.smoothing == "additive" and self.modified:
            raise ValueError("modified is a kind of Kneser-Ney; set smoothing to kneser-ney, or leave it out")
        if len(self.epsilons) != self.order:
            raise ValueError(f"{len(self.epsilons)} values of epsilon for {self.order} orders; give one for each")
        if not min(self.epsilons) > 0:
            raise ValueError(f"every epsilon is more than 0, got {min(self.epsilons):g}")
        return self

    @property
    def epsilons(self) -> tuple[float, ...]:
        """The ε of each order, order 1 first."""
        return self.epsilon if isinstance(self.epsilon, tuple) else (self.epsilon,) * self.order

    def fit(self, lesson: Lesson, ctx: Context) -> Fitted:
        """Count the n-grams of the tokens; `valid_loss` is the mean of nats per token that has one before it."""
        from workbench_plugins.architectures.ngram_tree import count_ngrams, estimate_discounts

        assert lesson.tokens is not None
        assert lesson.vocab is not None
        try:
            tree = count_ngrams(lesson.tokens, self.order, lesson.vocab.size)
        except ValueError as error:
            raise StepError(str(error), where=ctx.step) from error
        discounts: list[tuple[float, ...]] = []
        if self.smoothing == "kneser-ney":
            discounts, guessed = estimate_discounts(tree, modified=self.modified)
            if guessed:
                ctx.log(f"the counts give no discounts for order {', '.join(map(str, guessed))}; fixed ones are taken")
        model = NgramModel(self, tree, discounts)
        row: dict[str, float] = {"number": 1, "tokens": len(lesson.tokens)}
        if lesson.valid_tokens is not None and len(lesson.valid_tokens):
            row["valid_loss"] = mean_nats(model, lesson.valid_tokens)
        return Fitted(model, [row])

    def restore(self, tables: Mapping[str, Array], facts: Mapping[str, Any]) -> NgramModel:
        """Return the model behind the tables. Raises `ValueError` when they are no tree of n-grams."""
        from workbench_plugins.architectures.ngram_tree import restored

        discounts = [tuple(map(float, levels)) for levels in facts["discounts"]]
        tree = restored(tables, facts["sizes"])
        if tree.order != self.order or (self.smoothing == "kneser-ney" and len(discounts) != self.order):
            raise ValueError(f"tables of order {tree.order} for a model of order {self.order}")
        return NgramModel(self, tree, discounts)


class NgramModel(StaticLanguageModel):
    """Counted n-grams, ready to be asked.

    Args:
        settings: How they are smoothed.
        tree: The counts.
        discounts: Of Kneser-Ney, for each order those of counts 1, 2, 3 and more.
    """

    def __init__(self, settings: Ngram, tree: NgramTree, discounts: Sequence[tuple[float, ...]]) -> None:
        self.settings = settings
        self.tree = tree
        self.discounts = discounts
        self.vocab_size = tree.vocab_size

    def tables(self) -> dict[str, Array]:
        """Return the tree."""
        return {"tokens": self.tree.tokens, "counts": self.tree.counts, "children": self.tree.children}

    def facts(self) -> dict[str, Any]:
        """Return how many n-grams each order has, and the discounts."""
        return {"sizes": list(self.tree.sizes), "discounts": [list(levels) for levels in self.discounts]}

    @property
    def num_parameters(self) -> int:
        """How many n-grams were counted, those of order 1 as far as they were seen."""
        return int(np.count_nonzero(self.tree.counts))

    @cached_property
    def smoothed(self) -> Smoothed:
        """The probabilities, worked out on first use."""
        from workbench_plugins.architectures.ngram_tree import additive, kneser_ney

        if self.settings.smoothing == "additive":
            return additive(self.tree, self.settings.epsilons)
        return kneser_ney(self.tree, self.discounts)

    @cached_property
    def _logs(self) -> tuple[Floats, Floats]:
        return np.log(self.smoothed.probability), np.log(self.smoothed.rest)

    def score(self, ids: Sequence[int] | Array) -> Floats:
        """Return float64[T]: the log-probability of each token of one document given those before it.

        Raises `ValueError` for a token outside the vocabulary.
        """
        return self.score_stream(np.asarray(ids, dtype=np.int64), np.array([0, len(ids)]))

    def score_stream(self, ids_n: Array, bounds: Array) -> Floats:
        """Return float64[N] for the tokens of many documents, see `TokenStream`."""
        from workbench_plugins.architectures.ngram_kernel import score_documents

        if len(ids_n) and not 0 <= int(ids_n.min()) <= int(ids_n.max()) < self.vocab_size:
            raise ValueError(f"tokens outside the vocabulary of {self.vocab_size}")
        tree = self.tree
        return score_documents(tree.children, tree.tokens, tree.order, *self._logs, ids_n, bounds)

    def next_log_probabilities(self, ids: Sequence[int] | Array) -> Floats:
        """Return float64[V]: the log-probability of each token to come after the beginning of a document."""
        from workbench_plugins.architectures.ngram_kernel import walk_to_end

        tree, smoothed = self.tree, self.smoothed
        last_t = np.asarray(ids, dtype=np.int64)[max(0, len(ids) - tree.order + 1) :]
        probability_v = smoothed.probability[: self.vocab_size].copy()
        for node in walk_to_end(tree.children, tree.tokens, tree.order, last_t)[1 : tree.order]:
            if node >= 0:
                after = slice(int(tree.children[node]), int(tree.children[node + 1]))
                probability_v *= smoothed.rest[node]
                probability_v[tree.tokens[after]] = smoothed.probability[after]
        logs_v: Floats = np.log(probability_v)
        return logs_v


def mean_nats(model: NgramModel, stream: TokenStream) -> float:
    """Return the mean of nats per token, the first of each document left out, as for neural models."""
    scores_n = model.score_stream(stream.ids_n, stream.bounds)
    is_later = np.ones(len(scores_n), dtype=bool)
    is_later[stream.bounds[:-1][np.diff(stream.bounds) > 0]] = False
    return float(-scores_n[is_later].mean()) if is_later.any() else 0.0
