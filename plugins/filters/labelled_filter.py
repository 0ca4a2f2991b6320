"""What filters for unwanted text share: a classifier trained from labelled documents, lists of words, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import polars as pl
from workbench_plugins.filters.learned_filter import LearnedFilter
from workbench_plugins.filters.named_files import digests_of
from workbench_plugins.filters.word_lists import NAMES, ListedWords, write_automaton

from workbench.api import Field, Port, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from workbench.api import Context, Corpus, KernelColumn

LISTS = "lists"
SHOWN = 12  # labels named in a message
LISTED = ("listed_words", "listed_share", "listed_first")


class LabelledFilter(LearnedFilter):
    """Base of filters that drop a class of text, by labelled examples and by lists of words.

    Without `data` and `classifier` the score of every document is null and decides nothing; without `lists` what the
    lists find is.
    """

    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "data": Port("corpus", optional=True, whole=True, about="labelled documents to learn from"),
    }
    label: str = Field("label", min_length=1, description="the column of `data` that holds the label")
    positive: tuple[str, ...] = Field((), description="labels of the documents that are unwanted")
    lists: tuple[str, ...] = Field((), description="files of words, one a line")
    shortest_unspaced: int = Field(
        2, ge=1, description="entries of fewer characters, in scripts without spaces, are left out"
    )
    max_score: Annotated[float, Threshold] = Field(0.9, ge=0, le=1, description="score that a document may have")
    max_listed_words: Annotated[int, Threshold] = Field(0, ge=0, description="words of the lists it may have")
    max_listed_share: Annotated[float, Threshold] = Field(1.0, ge=0, le=1, description="share of its words they may be")

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digests of the classifier's files and of the lists."""
        return super().digests(base, digest) | digests_of(base, self.lists, digest)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Write the classifier and the automaton of the lists into `folder`."""
        if not (self.lists or self.classifier or ctx.inputs.get("data")):
            raise StepError(
                "there is nothing to tell unwanted documents by",
                where=ctx.step,
                expected="the input data with the setting positive, or the setting classifier, or the setting lists",
            )
        super().fit(ctx, folder)
        if self.lists:
            number, left_out = write_automaton(ctx.base, self.lists, folder / LISTS, self.shortest_unspaced)
            short = f"; {left_out} are shorter than {self.shortest_unspaced} characters and left out" * bool(left_out)
            ctx.log(f"looking for {number} entries of {len(self.lists)} lists{short}")

    def examples(self, ctx: Context) -> tuple[Iterable[pl.DataFrame], Iterable[pl.DataFrame]] | None:
        """Return the labelled documents, those with a positive label apart; those without a label are left out.

        Raises `StepError` when the column or one of the positive labels is not there, or no label is.
        """
        data: Corpus | None = ctx.inputs.get("data")
        if data is None:
            return None
        self._check_labels(data, ctx)
        is_positive = pl.col(self.label).cast(pl.String).is_in(list(self.positive))
        return self._those(data, is_positive), self._those(data, ~is_positive)

    def _those(self, data: Corpus, condition: pl.Expr) -> Iterable[pl.DataFrame]:
        return (batch.filter(condition) for batch in data.batches(["text", self.label]))

    def _check_labels(self, data: Corpus, ctx: Context) -> None:
        where = f"{ctx.step}, data from {data.step or 'its input'}"
        if self.label not in data.columns:
            raise StepError(
                f"the labelled documents have no column {self.label!r}",
                where=where,
                expected=f"one of {', '.join(sorted(data.columns))}",
                advice="set label",
            )
        counts: dict[str | None, int] = {}
        for batch in data.batches([self.label]):
            for label, number in batch[self.label].cast(pl.String).value_counts().iter_rows():
                counts[label] = counts.get(label, 0) + number
        labels = sorted(label for label in counts if label is not None)
        unknown = [label for label in self.positive if label not in counts]
        if unknown or not self.positive:
            raise StepError(
                f"no document is labelled {unknown[0]!r}" if unknown else "no label is named as that of unwanted text",
                where=where,
                expected=f"labels of column {self.label!r}: {', '.join(labels[:SHOWN])}",
                advice="set positive",
            )

    def signals(self) -> Mapping[str, KernelColumn]:
        """Return the score, and what of the lists stands in a document."""
        lists = self._learned / LISTS if self._learned else None
        kernel = ListedWords(lists if lists and (lists / NAMES).exists() else None)
        return {**super().signals(), **{name: kernel.column(name) for name in LISTED}}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what scores too high, and what has too many words of the lists."""
        name = self.classes[0]
        return {
            name: pl.col("score") > self.max_score,
            f"{name}-words": pl.col("listed_words") > self.max_listed_words,
            f"{name}-share": pl.col("listed_share") > self.max_listed_share,
        }
