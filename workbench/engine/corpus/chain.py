"""Several filters in one pass over the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import field_validator

from workbench.contracts.component import DigestFile, Field
from workbench.contracts.filters import CorpusFilter, Filter, LearningFilter, RewriteFilter, RowFilter

if TYPE_CHECKING:
    from workbench.contracts.context import Context


class Chain(LearningFilter):
    """Apply row and rewrite filters in one pass, in order, with counts and reasons for each.

    A filter after a rewrite sees the rewritten text. Every document passes every filter, also one that an earlier
    filter rejects: so all reasons and signals of a rejected document are known.
    """

    filters: tuple[Filter, ...] = Field(min_length=1, description="row and rewrite filters, in order")

    @field_validator("filters")
    @classmethod
    def _can_be_chained(cls, filters: tuple[Filter, ...]) -> tuple[Filter, ...]:
        for position, inner in enumerate(filters, start=1):
            name = inner.component_id or type(inner).__name__
            if isinstance(inner, CorpusFilter):
                raise ValueError(  # noqa: TRY004  # pydantic turns a ValueError into a message
                    f"{name} (number {position}) compares documents with each other, which needs a step of its own; "
                    "put it after the chain"
                )
            if not isinstance(inner, (RowFilter, RewriteFilter)):
                raise ValueError(  # noqa: TRY004
                    f"{name} (number {position}) cannot stand in a chain; list its filters here instead"
                )
            ports = type(inner).inputs.items()
            further = [name for name, port in ports if name != "corpus" and not port.optional]
            if further:
                raise ValueError(
                    f"{name} (number {position}) takes a further input ({', '.join(further)}), which needs a step of "
                    "its own; put it before or after the chain"
                )
        return filters

    @property
    def measures(self) -> bool:
        """Whether one of its filters does."""
        return any(inner.measures for inner in self.filters)

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return what its filters depend on, each under its place in the chain."""
        return {
            f"{position}/{name}": value
            for position, inner in enumerate(self.filters)
            for name, value in inner.digests(base, digest).items()
        }

    def fit(self, ctx: Context, folder: Path) -> None:
        """Let each filter learn what it needs (lists that its settings name), in a folder of its own."""
        for position, inner in enumerate(self.filters):
            if isinstance(inner, LearningFilter):
                inner.fit(ctx, folder / str(position))

    def fitted(self, folder: Path) -> Self:
        """Return the chain of its filters as they work with what they learned."""
        fitted = tuple(
            inner.fitted(folder / str(position)) if isinstance(inner, LearningFilter) else inner
            for position, inner in enumerate(self.filters)
        )
        return self.model_copy(update={"filters": fitted})
