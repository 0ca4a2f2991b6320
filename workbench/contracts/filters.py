"""Filters: row, rewrite and corpus.

The idea everything turns on is *signals apart from rules*. A signal is costly and independent of the thresholds; a
rule is cheap and looks at signals only. So signals are computed once and kept for every document, and thresholds
move at the speed of the eye.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workbench.contracts.component import Component
from workbench.contracts.ports import Port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    import polars as pl

    from workbench.contracts.context import Context


class Filter(Component):
    """Base of the three shapes a filter can have."""

    kind: ClassVar[str] = "filter"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"

    @property
    def measures(self) -> bool:
        """Whether its signals are stored as an artifact of their own, apart from the verdicts."""
        return False


class LearningFilter(Filter):
    """Base of filters that may learn from further inputs of their step before they look at documents.

    Class fact beside those of every component: `heads`, of the models that its port `model` takes; empty: any.
    """

    heads: ClassVar[tuple[str, ...]] = ()

    def fit(self, ctx: Context, folder: Path) -> None:
        """Learn from the further inputs of the step, before any document is looked at; write it into `folder`.

        For filters with ports beside `corpus` (two corpora to tell apart, a model, evaluation sets to keep out). The
        folder is kept with the signals of a row filter. The default learns nothing.
        """
        del ctx, folder

    def fitted(self, folder: Path) -> Self:
        """Return this filter as it works with what `fit` wrote into `folder`; in a worker, once for each shard."""
        del folder
        return self


@dataclass(frozen=True)
class Kernel:
    """A shared computation that gives several signal columns in one pass over the text.

    Subclass as a frozen dataclass whose fields are its options: equal kernels are computed once for each batch, for
    all filters of a chain.
    """

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return one row for each row of `batch`, in order, with the columns this kernel gives."""
        raise TypeError(f"{type(self).__name__} does not define compute()")

    @classmethod
    def compute_together(cls, kernels: Sequence[Kernel], batch: pl.DataFrame) -> list[pl.DataFrame]:
        """Return what `compute` gives for each of several kernels, in order.

        Kernels of a batch whose classes inherit one override of this are handed to it in one call, so that different
        filters share a pass over the text. The default computes them one by one.
        """
        return [kernel.compute(batch) for kernel in kernels]

    def column(self, name: str) -> KernelColumn:
        """Return a reference to one column, to stand as a signal."""
        return KernelColumn(self, name)


@dataclass(frozen=True)
class KernelColumn:
    """One column of a kernel, used as a signal."""

    kernel: Kernel
    name: str


class RowFilter(LearningFilter):
    """Judge every document by itself: `signals()` measure, `rules()` decide."""

    @property
    def measures(self) -> bool:
        """Always: trying another threshold must not read the text again."""
        return True

    @abstractmethod
    def signals(self) -> Mapping[str, pl.Expr | KernelColumn]:
        """Return name → measurement over the columns of a document; must not read `Threshold` settings."""

    @abstractmethod
    def rules(self) -> dict[str, pl.Expr]:
        """Return reason → expression over the signals that is true when the document is to be dropped.

        A null counts as false: what could not be measured is kept.
        """


@dataclass(frozen=True)
class Rewritten:
    """What a rewrite gives back.

    Attributes:
        batch: The same documents in the same order, columns changed as wanted, `id` untouched.
        edits: One row for each document and one unsigned integer column for each kind of edit (`email`, `phone`).
    """

    batch: pl.DataFrame
    edits: pl.DataFrame


class RewriteFilter(Filter):
    """Change documents one by one, and count what was changed."""

    @property
    def measures(self) -> bool:
        """Only when the edits it counts decide over documents."""
        return bool(self.rules())

    @abstractmethod
    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the rewritten documents and the counts of edits."""

    def rules(self) -> dict[str, pl.Expr]:
        """Return reason → expression over the edit counts that is true when the document is to be dropped."""
        return {}


class CorpusFilter(LearningFilter):
    """Judge documents by comparing them: a sketch of each (in parallel), then one decision over all sketches."""

    @abstractmethod
    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return what is needed of each document, with its `id`; zero or more rows for each document."""

    @abstractmethod
    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return what goes, one row for each document or span of a document.

        Columns: `id`; `reason`; `duplicate_of` (the id where it stays instead, or null); `start` and `end`, bytes of
        the UTF-8 text, `end` not included: the span that is cut out of it, or null when the whole document goes;
        `similarity` to the one that stays, 0 to 1. All but the first two may be left out. Spans of a document that
        overlap are cut as one. Must not depend on the order of the sketches.
        """

    def rules(self) -> dict[str, pl.Expr]:
        """Return reason → expression that is true when too little is left of a document that was cut.

        Over `characters` (what is left, without white space at the edges), `characters_before` and `cuts` (spans cut
        out). Such a document is rejected, as is every one of which nothing is left (reason `nothing-left`).
        """
        return {}
