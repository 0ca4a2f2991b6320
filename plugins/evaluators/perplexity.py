"""Perplexity and bits per byte on held-out text.

Special here: every document is read by itself, as in training. A token is scored when something stands before it in
its document, so the first one is not, whatever the model: n-grams and networks are judged on the same tokens. Bits per
byte charge the first token as one out of the whole vocabulary, so that they are the length of a complete code and can
be compared between tokenizers.

Shape suffixes: D documents, V vocabulary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from workbench_plugins.evaluators.intervals import bootstrap
from workbench_plugins.evaluators.sampling import beginning, sample_documents

from workbench.api import Evaluator, Field, Port, Score, Scores, StepError, open_language_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.api import Context, Corpus, LanguageModel, Model

Floats = np.ndarray[Any, np.dtype[np.float64]]
NUM_SHOWN = 10


class Perplexity(Evaluator):
    """Measure how well a causal model predicts text it has not seen."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model"),
        "heldout": Port("corpus", about="text the model has not seen"),
        "train": Port("corpus", optional=True, about="text for the unigram baseline"),
    }
    heads: ClassVar = ("causal-lm", "permutation-lm", "seq2seq-lm")

    documents: int = Field(300, ge=1, description="documents that are read; more are sampled")
    context: int | None = Field(None, ge=2, description="tokens read at once; default: what the model was built for")
    train_documents: int = Field(5000, ge=1, description="documents that the unigram baseline is estimated from")

    def evaluate(self, model: Model, data: Corpus, ctx: Context) -> Scores:
        """Return perplexity and bits per byte with their intervals over documents, and the hardest documents."""
        frame = sample_documents(data, self.documents, ctx.rng_for("documents"), ["id", "text"])
        with open_language_model(model, ctx.device, ctx.threads) as language:
            ids = language.documents(frame["text"].to_list())
            nats_d = self.measure(language, ids, ctx)
            size = language.vocab_size
            base_d, base_name = self.baseline(language, ids, ctx)
        tokens_d = np.array([max(0, len(row) - 1) for row in ids], dtype=np.float64)
        if not tokens_d.sum():
            raise StepError("no document is longer than one token", where=data.step or ctx.step)
        bytes_d = np.array([len(text.encode()) for text in frame["text"]], dtype=np.float64)
        start_d = np.full(len(ids), math.log(size))
        rng = ctx.rng_for("bootstrap")
        scores = [
            _score("perplexity", math.exp, (nats_d, base_d), tokens_d, base_name, rng),
            _score("bits per byte", _bits, (nats_d + start_d, base_d + start_d), bytes_d, base_name, rng),
        ]
        notes = [f"{len(frame)} of {data.num_rows} documents read, each by itself; intervals are over documents"]
        by_document = frame.select(
            "id",
            pl.lit("bits per byte").alias("score"),
            pl.Series("part", _bits(nats_d + start_d)),
            pl.Series("units", bytes_d),
        )
        tables = {"hardest-documents": hardest(frame, nats_d, tokens_d)}
        return Scores(scores, tables, notes, by_document=by_document)

    def measure(self, language: LanguageModel, ids: Sequence[Sequence[int]], ctx: Context) -> Floats:
        """Return the nats of all scored tokens of each document, float64[D]."""
        scores = language.score(ids, self.context, lambda done, total: ctx.progress(done, total, "windows"))
        return np.array([-scores_t[1:].sum() for scores_t in scores])

    def baseline(self, language: LanguageModel, ids: Sequence[Sequence[int]], ctx: Context) -> tuple[Floats, str]:
        """Return the nats of each document under a model that knows no order, and what it is called.

        With a `train` corpus that is the frequency of each token there, plus one; else all tokens are equal.
        """
        size, train = language.vocab_size, ctx.inputs.get("train")
        if train is None:
            return np.array([max(0, len(row) - 1) * math.log(size) for row in ids]), "uniform over the vocabulary"
        frame = sample_documents(train, self.train_documents, ctx.rng_for("train"), ["text"])
        counts_v = np.ones(size)
        for row in language.documents(frame["text"].to_list()):
            counts_v += np.bincount(row, minlength=size)
        nats_v = math.log(counts_v.sum()) - np.log(counts_v)
        return np.array([nats_v[row[1:]].sum() for row in ids]), "token frequencies of the training text"


def hardest(frame: pl.DataFrame, nats_d: Floats, tokens_d: Floats) -> pl.DataFrame:
    """Return the documents with the most nats per token."""
    shown = [beginning(text) for text in frame["text"]]
    table = frame.select("id").with_columns(
        pl.Series("nats per token", nats_d / np.maximum(tokens_d, 1)),
        pl.Series("tokens", tokens_d.astype(np.int64)),
        pl.Series("beginning", shown),
    )
    return table.sort(["nats per token", "id"], descending=[True, False]).head(NUM_SHOWN)


def _bits(nats: Any) -> Any:
    return nats / math.log(2)


def _score(
    name: str,
    transform: Any,
    nats: tuple[Floats, Floats],
    units_d: Floats,
    baseline_name: str,
    rng: np.random.Generator,
) -> Score:
    nats_d, base_d = nats

    def ratio(chosen: np.ndarray[Any, np.dtype[np.int64]]) -> float:
        return float(nats_d[chosen].sum() / max(1.0, units_d[chosen].sum()))

    mean = float(nats_d.sum() / units_d.sum())
    low, high = bootstrap(ratio, len(nats_d), rng, mean)
    return Score(
        name=name,
        value=transform(mean),
        n=int(units_d.sum()),
        low=transform(low),
        high=transform(high),
        baseline=transform(float(base_d.sum() / units_d.sum())),
        baseline_name=baseline_name,
        higher_is_better=False,
    )
