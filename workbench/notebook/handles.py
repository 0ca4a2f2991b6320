"""Handles: what a step will give, before it has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import UnknownName
from workbench.pipeline.graph import InputRef

if TYPE_CHECKING:
    import polars as pl

    from workbench.notebook.bench import FilterBench
    from workbench.notebook.pipeline import Pipeline
    from workbench.notebook.results import Result, Run


class Handle:
    """The result of a step, or a part of it, to be handed to another step.

    A part is an attribute, `split.train`, or an item, `split["train"]`.
    """

    def __init__(self, pipeline: Pipeline, step: str, part: str | None = None) -> None:
        self.pipeline = pipeline
        self.step = step
        self.part = part

    @property
    def ref(self) -> InputRef:
        """What stands in the pipeline file for this handle."""
        return InputRef(self.step, self.part)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts the result will have."""
        if self.part is not None:
            return ()
        outcome = self.pipeline.outcome(self.step)
        return (outcome.parts or ()) if outcome else ()

    def __getitem__(self, part: str) -> Handle:
        if part not in self.parts:
            raise UnknownName.among("part", part, self.parts, where=str(self.ref))
        return Handle(self.pipeline, self.step, part)

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except UnknownName as error:
            raise AttributeError(f"{self.ref} has neither a method nor a part {name!r}: {error}") from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.parts})

    def __repr__(self) -> str:
        component = self.pipeline.graph.steps[self.step].component
        return f"<{self.ref}: {component.component_id} -> {component.output}>"

    @property
    def fingerprint(self) -> str:
        """The identity of the step's result."""
        return self.pipeline.fingerprints[self.step]

    def run(self) -> Run:
        """Run what is missing up to this step."""
        return self.pipeline.run(self)

    @property
    def result(self) -> Result:
        """The result, run first where it is missing."""
        from workbench.notebook.results import result_of

        return result_of(self)

    @property
    def signals(self) -> pl.DataFrame:
        """What a filter measured, a row for each document it read, kept or not; measured first where it is missing.

        The columns are `id` and `<filter>.<signal>`. Raises `UsageError` for a step that measures nothing.
        """
        from workbench.notebook.results import signals_of

        return signals_of(self)

    def head(self, n: int = 5) -> Result:
        """Return the first `n` documents (or what else a person looks at first), run first where it is missing."""
        from workbench.notebook.results import result_of

        return result_of(self, n)

    def bench(self) -> FilterBench:
        """Return the thresholds of a filter over its stored signals, to be moved; run first where they are missing.

        Raises `UsageError` for a step that measures nothing.
        """
        from workbench.notebook.bench import FilterBench

        return FilterBench(self)
