"""How surprising a text is to a language model. Source: Wenzek et al. 2020 (CCNet), section 4.2.

A model that was trained on well-edited text (n-grams, which read millions of tokens a second, or a network) finds such
text likely and menus, lists of keywords and broken encodings unlikely; the very likely is boilerplate. Perplexities of
two models, or of two languages, say nothing beside each other, so documents are also ranked: `percentile` says what
share of a sample of the same corpus (of the same group) is less surprising, and CCNet's buckets are cut from it.

Every document is read by itself, in windows where it is longer than what a network knows. On a CPU the numbers are the same whatever else is in its shard; on a
GPU, where documents are read together, they agree to the digits that are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr, model_validator
from workbench_plugins.filters.named_files import lay_down

from workbench.api import Field, Kernel, KernelColumn, Model, Port, RowFilter, Runtime, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.api import Context, Corpus, LanguageModel

DIGITS = 6  # significant ones that are kept
MODEL, RANKS = "model", "ranks.parquet"
TOGETHER = 256  # documents that are encoded at once
BUCKETS = ("head", "middle", "tail")
Bucket = Literal["head", "middle", "tail"]


@dataclass(frozen=True)
class Surprise(Kernel):
    """`perplexity`, `bits_per_byte`, `num_tokens`; with a sample, `percentile` and `bucket` too.

    Attributes:
        folder: Where `Perplexity.fit` left the model and the sample's perplexities.
        device: Where a network runs.
        characters: How much of a text is read, from its beginning; None: all.
        group: The column whose values are ranked apart.
        buckets: The percentiles at which the middle and the tail begin.
    """

    folder: Path
    device: str
    characters: int | None
    group: str | None
    buckets: tuple[float, float]

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the signals of every document; null where there is no token after the first."""
        from workbench.api import open_language_model

        with open_language_model(Model(self.folder / MODEL), self.device) as language:
            found = measure(language, batch["text"], self.characters)
        if not (self.folder / RANKS).is_file():
            return found
        percentile = ranks(found["perplexity"], groups_of(batch, self.group), pl.read_parquet(self.folder / RANKS))
        middle, tail = self.buckets
        place = pl.col("percentile")
        head, rest = pl.lit(BUCKETS[0]), pl.when(place < tail).then(pl.lit(BUCKETS[1]))
        others = rest.when(place.is_not_null()).then(pl.lit(BUCKETS[2]))
        bucket = pl.when(place < middle).then(head).otherwise(others)
        return found.with_columns(percentile.alias("percentile")).with_columns(bucket.alias("bucket"))


class Perplexity(RowFilter):
    """Keep documents that a language model finds neither too likely nor too unlikely.

    The input `model` is what `train/pretrain` made: `architecture/ngram`, or any network with a causal head. Its own
    tokenizer reads the text. Perplexity is over the tokens that have one before them; bits per byte charge the first
    token as one out of the whole vocabulary, and can be compared between tokenizers.
    """

    version: ClassVar[int] = 1
    heads: ClassVar = ("causal-lm", "permutation-lm", "seq2seq-lm")
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "model": Port("model", about="n-grams or a network with a causal head, trained on the kind of text to keep"),
    }
    characters: int | None = Field(
        100_000, ge=1, description="how much of a text is read, from its beginning; null: all of it"
    )
    sample: int = Field(
        10_000, ge=0, description="documents that percentiles are ranked by; 0: no percentiles, each is read once"
    )
    group: str | None = Field(
        None, min_length=1, description="a column whose values are ranked apart, such as the language"
    )
    buckets: tuple[float, float] = Field((30.0, 60.0), description="percentiles at which the middle and the tail begin")
    min_perplexity: Annotated[float | None, Threshold] = Field(None, ge=1, description="smallest perplexity kept")
    max_perplexity: Annotated[float | None, Threshold] = Field(None, ge=1, description="largest perplexity kept")
    min_bits_per_byte: Annotated[float | None, Threshold] = Field(None, ge=0, description="fewest bits per byte kept")
    max_bits_per_byte: Annotated[float | None, Threshold] = Field(None, ge=0, description="most bits per byte kept")
    max_percentile: Annotated[float | None, Threshold] = Field(
        None, ge=0, le=100, description="keep documents below this percentile"
    )
    keep: Annotated[tuple[Bucket, ...], Threshold] = Field((), description="buckets to keep; all when empty")
    min_tokens: Annotated[int, Threshold] = Field(0, ge=0, description="fewest tokens, the end token among them")
    max_tokens: Annotated[int | None, Threshold] = Field(None, ge=1, description="most tokens")
    device: Annotated[str, Runtime] = Field("auto", description="of a network: auto, cpu, cuda or cuda:N")
    _learned: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if not 0 < self.buckets[0] < self.buckets[1] < 100:  # noqa: PLR2004
            raise ValueError(f"buckets are two rising percentiles between 0 and 100, got {self.buckets}")
        if not self.sample and (self.keep or self.max_percentile is not None or self.group):
            raise ValueError("keep, max_percentile and group need percentiles: set sample to more than 0")
        return self

    def fit(self, ctx: Context, folder: Path) -> None:
        """Lay the model down, and the perplexities of the documents with the smallest ids, which are as good as drawn."""
        from workbench.api import open_language_model

        folder.mkdir(parents=True)
        model = ctx.inputs["model"].path
        lay_down([file for file in sorted(model.iterdir()) if file.is_file()], folder / MODEL, may_link=True)
        corpus: Corpus = ctx.inputs["corpus"]
        if self.group and self.group not in corpus.columns:
            raise StepError(
                f"the corpus has no column {self.group!r} to group by",
                where=ctx.step,
                expected=f"one of: {', '.join(corpus.columns)}",
                advice="filter/language-tag writes a column `language`",
            )
        with open_language_model(ctx.inputs["model"], self.device) as language:
            if not self.sample:
                return
            columns = ["id", "text", *([self.group] if self.group else [])]
            chosen = corpus.scan().select(columns).bottom_k(self.sample, by="id").sort("id").collect()
            found = measure(language, chosen["text"], self.characters)
        frame = pl.DataFrame({"group": groups_of(chosen, self.group), "perplexity": found["perplexity"]})
        frame.drop_nulls("perplexity").sort("group", "perplexity").write_parquet(folder / RANKS)

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the model and the ranks that `fit` laid down."""
        learned = self.model_copy()
        learned._learned = folder  # noqa: SLF001 - its own copy
        return learned

    def signals(self) -> Mapping[str, KernelColumn]:
        """Measure perplexity, bits per byte and tokens, and where the document stands among those of the corpus."""
        kernel = Surprise(self._learned or Path(), self.device, self.characters, self.group, self.buckets)
        names = ["perplexity", "bits_per_byte", "num_tokens", *(["percentile", "bucket"] if self.sample else [])]
        return {name: kernel.column(name) for name in names}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what is too likely, too unlikely, too short or too long."""
        perplexity, bits, tokens = (pl.col(name) for name in ("perplexity", "bits_per_byte", "num_tokens"))
        rules = {"too-few-tokens": tokens < self.min_tokens}
        bounds = [
            ("perplexity-too-low", perplexity, self.min_perplexity, None),
            ("perplexity-too-high", perplexity, None, self.max_perplexity),
            ("bits-per-byte-too-low", bits, self.min_bits_per_byte, None),
            ("bits-per-byte-too-high", bits, None, self.max_bits_per_byte),
            ("too-many-tokens", tokens, None, self.max_tokens),
        ]
        for reason, signal, low, high in bounds:
            if low is not None:
                rules[reason] = signal < low
            if high is not None:
                rules[reason] = signal > high
        if self.max_percentile is not None:
            rules["percentile-too-high"] = pl.col("percentile") >= self.max_percentile
        if self.keep:
            rules["other-bucket"] = ~pl.col("bucket").is_in(list(self.keep))
        return rules


def measure(language: LanguageModel, texts: pl.Series, characters: int | None) -> pl.DataFrame:
    """Return `perplexity`, `bits_per_byte` and `num_tokens` of each text."""
    read = texts.fill_null("")
    if characters is not None:
        read = read.str.head(characters)
    perplexity, bits, tokens = np.full(len(read), np.nan), np.full(len(read), np.nan), np.zeros(len(read), np.uint32)
    sizes = read.str.len_bytes().to_numpy()
    start = math.log(language.vocab_size)
    for first in range(0, len(read), TOGETHER):
        rows = language.documents(read[first : first + TOGETHER].to_list())
        for place, (row, scores_t) in enumerate(zip(rows, _score(language, rows), strict=True), first):
            nats = -float(scores_t[1:].sum())
            tokens[place] = len(row)
            if len(row) > 1:
                perplexity[place] = math.exp(min(nats / (len(row) - 1), 700.0))  # e^709 is the largest float
                bits[place] = (nats + start) / math.log(2) / sizes[place]
    frame = pl.DataFrame({"perplexity": perplexity, "bits_per_byte": bits, "num_tokens": tokens})
    return frame.with_columns(pl.col("perplexity", "bits_per_byte").fill_nan(None).round_sig_figs(DIGITS))


def _score(language: LanguageModel, rows: list[list[int]]) -> list[np.ndarray]:
    """Return the scores of each row; where rows scored together may differ in a last bit (a CPU), one by one."""
    device = getattr(language, "device", None)
    if device is not None and device.type == "cpu":
        return [language.score([row])[0] for row in rows]
    return list(language.score(rows))


def groups_of(batch: pl.DataFrame, group: str | None) -> pl.Series:
    """Return the group of each document as text; all in one when there is none."""
    if group is None:
        return pl.Series([""] * batch.height, dtype=pl.String)
    return batch[group].cast(pl.String).fill_null("")


def ranks(perplexity: pl.Series, groups: pl.Series, sample: pl.DataFrame) -> pl.Series:
    """Return for each document what share of the sample of its group has a smaller perplexity, in percent.

    Null for a document without perplexity, and for a group of which the sample has none.

    >>> sample = pl.DataFrame({"group": ["", "", "", ""], "perplexity": [10.0, 20.0, 20.0, 40.0]})
    >>> ranks(pl.Series([10.0, 20.0, 50.0, None]), pl.Series([""] * 4), sample).to_list()
    [0.0, 25.0, 100.0, None]
    """
    found = np.full(len(perplexity), np.nan)
    values = perplexity.to_numpy()
    for name in groups.unique().to_list():
        known = sample.filter(pl.col("group") == name)["perplexity"].sort().to_numpy()
        if len(known):
            own = (groups == name).to_numpy() & ~np.isnan(values)
            found[own] = 100.0 * np.searchsorted(known, values[own], side="left") / len(known)
    return pl.Series(found).fill_nan(None).round_sig_figs(DIGITS)
