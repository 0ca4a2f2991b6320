"""Word2vec: a vector for each token, learned from what stands around it.

Source: Mikolov et al. 2013, Distributed representations of words and phrases and their compositionality. How it
learns is the objective's choice, `skip-gram` or `cbow`. The mean of the window gets its gradient as it is, divided by
the number of tokens (İrsoy et al. 2021, Corrected CBOW), which asks for a higher learning rate than the original's.

Special here: one thread and documents in order, so that the same seed gives the same vectors on one kind of CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.api import Field, Fitted, StaticArchitecture, StaticVectors, StepError, WindowObjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workbench.api import Context, Lesson, TokenStream

Array = np.ndarray[Any, np.dtype[Any]]
POWER = 0.75  # of the frequencies that tokens are drawn by; Mikolov et al. 2013, section 2.2
AT_ONCE = 200_000  # tokens between two looks at the clock and at whether to stop
FINAL_SHARE = 1e-4  # of the learning rate that is left in the end, as in the authors' program
RATES = {False: 0.025, True: 0.075}  # by whether the window is averaged; the second from İrsoy et al. 2021


class Word2Vec(StaticArchitecture):
    """Learn a vector for each token by negative sampling, Mikolov et al. 2013."""

    version: ClassVar[int] = 1
    head: ClassVar = "embedding"
    takes_objective: ClassVar[bool] = True

    width: int = Field(100, ge=1, le=4096, description="numbers in a vector")
    epochs: int = Field(5, ge=1, description="times through the tokens")
    min_count: int = Field(5, ge=1, description="tokens seen fewer times are left out and get a vector of zeros")
    subsample: float = Field(
        1e-3, ge=0, lt=1, description="tokens with a larger share of the text are thinned out; 0: none"
    )
    lr: float | None = Field(
        None, gt=0, description="learning rate at the start, it falls to 0; default: 0.025, averaging 0.075"
    )

    def fit(self, lesson: Lesson, ctx: Context) -> Fitted:
        """Learn the vectors; the curve has one row for each epoch, its loss the mean of a prediction in nats."""
        from workbench_plugins.architectures.word2vec_kernel import (
            Drawing,
            Space,
            alias_table,
            learn_documents,
            sigmoid_table,
        )

        assert lesson.tokens is not None
        assert lesson.vocab is not None
        objective, stream, size = lesson.objective, lesson.tokens, lesson.vocab.size
        assert isinstance(objective, WindowObjective)
        counts_v = np.bincount(stream.ids_n, minlength=size)
        counts_v[[end for end in (lesson.vocab.eos, lesson.vocab.sep) if end is not None]] = 0
        counts_v[counts_v < self.min_count] = 0
        if np.count_nonzero(counts_v) < 2:  # noqa: PLR2004  # nothing to tell apart
            raise StepError(
                f"fewer than two tokens were seen {self.min_count} times",
                where=ctx.step,
                advice="set a lower min_count",
            )
        rng = ctx.rng_for("vectors")
        vectors_vw = ((rng.random((size, self.width), dtype=np.float32) - 0.5) / self.width).astype(np.float32)
        vectors_vw[counts_v == 0] = 0
        room = (np.zeros_like(vectors_vw), *np.zeros((2, self.width), dtype=np.float32))
        state = rng.integers(1 << 63, size=1).astype(np.uint64)
        drawing = Drawing(objective.negative, *alias_table(counts_v**POWER), state, sigmoid_table())
        reach = -objective.window if objective.averages else objective.window
        keep_v, curve, done, total = self.keep(counts_v), [], 0, self.epochs * len(stream)
        for epoch in range(1, self.epochs + 1):
            loss, predictions = 0.0, 0
            for bounds in pieces(stream):
                rates = self.rates(bounds, len(stream), epoch, averages=objective.averages)
                space = Space(vectors_vw, *room)
                found = learn_documents(stream.ids_n, bounds, keep_v, rates, space, drawing, reach)
                loss, predictions = loss + found[0], predictions + found[1]
                done += int(bounds[-1] - bounds[0])
                ctx.progress(done, total, "tokens")
            curve.append({"number": epoch, "tokens": epoch * len(stream), "loss": loss / max(1, predictions)})
        return Fitted(TokenVectors(vectors_vw), curve)

    def keep(self, counts_v: Array) -> Array:
        """Return uint32[V]: the chance of each token to stay, (√(f / t) + 1) · t / f for its share f, times 2³².

        That is what the authors' program does; the paper's formula keeps fewer of the frequent ones.
        """
        share_v = counts_v / counts_v.sum()
        chance_v = np.ones(len(counts_v))
        if self.subsample:
            ratio_v = np.divide(self.subsample, share_v, out=np.full(len(share_v), np.inf), where=share_v > 0)
            chance_v = np.minimum(1, np.sqrt(ratio_v) + ratio_v)
        chance_v[counts_v == 0] = 0
        return (chance_v * (2**32 - 1)).astype(np.uint32)

    def rates(self, bounds: Array, num_tokens: int, epoch: int, *, averages: bool) -> Array:
        """Return float32[D]: the learning rate at the beginning of each document."""
        start = self.lr or RATES[averages]
        done = (bounds[:-1] + (epoch - 1) * num_tokens) / (self.epochs * num_tokens)
        return (start * np.maximum(1 - done, FINAL_SHARE)).astype(np.float32)

    def restore(self, tables: Mapping[str, Array], facts: Mapping[str, Any]) -> TokenVectors:
        """Return the vectors. Raises `ValueError` when they have another shape."""
        vectors_vw = tables["vectors"]
        if vectors_vw.ndim != 2 or vectors_vw.shape[1] != self.width or vectors_vw.dtype != np.float32:  # noqa: PLR2004
            raise ValueError(f"{vectors_vw.dtype}{list(vectors_vw.shape)} for vectors of width {self.width}")
        return TokenVectors(vectors_vw)


class TokenVectors(StaticVectors):
    """A vector for each token."""

    def __init__(self, vectors_vw: Array) -> None:
        self.vectors_vw = vectors_vw

    def tables(self) -> dict[str, Array]:
        """Return the vectors."""
        return {"vectors": self.vectors_vw}


def pieces(stream: TokenStream) -> Iterator[Array]:
    """Yield the bounds of runs of documents, each run about `AT_ONCE` tokens."""
    first = 0
    while first < len(stream.bounds) - 1:
        last = int(np.searchsorted(stream.bounds, stream.bounds[first] + AT_ONCE))
        last = min(max(last, first + 1), len(stream.bounds) - 1)
        yield stream.bounds[first : last + 1]
        first = last
