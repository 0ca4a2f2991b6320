"""Evaluators and exporters: what comes after training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.contracts.component import Component
from workbench.contracts.ports import Port

if TYPE_CHECKING:
    import polars as pl

    from workbench.contracts.context import Context


@dataclass(frozen=True)
class Score:
    """One number that can be judged.

    Attributes:
        name: `accuracy`, `perplexity`, …
        value: The score.
        n: How many items it was measured on.
        low, high: A 95 % interval.
        baseline: What doing nothing clever scores on the same items; None only where there is no such thing.
        baseline_name: What the baseline is (`majority class`, `uniform over the vocabulary`).
        higher_is_better: Which direction is good.
        unit: `nats per token`, `%`, or empty.
    """

    name: str
    value: float
    n: int
    low: float
    high: float
    baseline: float | None = None
    baseline_name: str = ""
    higher_is_better: bool = True
    unit: str = ""


@dataclass(frozen=True)
class Drawn:
    """A picture of a report.

    Attributes:
        name: Lower-case words joined by hyphens.
        svg: The picture.
        alt: What it shows, in words.
        caption: What it is.
    """

    name: str
    svg: bytes
    alt: str
    caption: str


@dataclass
class Scores:
    """The result of an evaluator: scores, and tables, notes and pictures for a person to read.

    Attributes:
        by_document: What each document adds to scores that are ratios of sums, so that two models can be compared on the
            same documents: `id`, `score` (its name), `part` and `units` (Float64), where a score is Σ part / Σ units.
            Kept with the report, shown on no page.
    """

    scores: list[Score] = field(default_factory=list)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    pictures: list[Drawn] = field(default_factory=list)
    by_document: pl.DataFrame | None = None


class Evaluator(Component):
    """Measure a model on held-out data.

    One that measures something else declares other ports, finds them in `ctx.inputs`, and is given None for the model.
    """

    kind: ClassVar[str] = "evaluator"
    inputs: ClassVar[Mapping[str, Port]] = {"model": Port("model"), "heldout": Port("corpus")}
    output: ClassVar[str] = "report"
    heads: ClassVar[tuple[str, ...]] = ()  # the model heads it can judge; empty: any

    @abstractmethod
    def evaluate(self, model: Any, data: Any, ctx: Context) -> Scores:
        """Return scores of `model` (an artifact, or None) on `data` (the `heldout` artifact, or None)."""


class Exporter(Component):
    """Write an artifact in a form that other tools read."""

    kind: ClassVar[str] = "exporter"
    inputs: ClassVar[Mapping[str, Port]] = {"model": Port("model")}
    output: ClassVar[str] = "export"

    @abstractmethod
    def export(self, artifact: Any, path: Path, ctx: Context) -> None:
        """Write `artifact` (the first input; the rest is in `ctx.inputs`) into the empty folder `path`."""
