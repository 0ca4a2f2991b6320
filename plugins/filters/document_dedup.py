"""What all filters have in common that keep one document of every group of alike ones: which one stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import polars as pl
from pydantic import model_validator

from workbench.api import CorpusFilter, DataError, Field, KernelColumn, RowFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

META = "meta."
VALUE = "value"
Keep = Literal["longest", "first", "highest", "lowest"]


class DocumentDedup(CorpusFilter):
    """Keep one document of each group: the longest (in bytes), the first by id, or the best by a column or signal.

    With `keep: highest` or `lowest`, `by` names a numeric column of the corpus, a number in its `meta` (`meta.score`),
    or, with `measure`, a signal of that filter, which is computed for the purpose. A document without a value gives way
    to any that has one. Ties go by id, so nothing depends on the order of shards.
    """

    keep: Keep = Field("longest", description="which document of a group stays")
    by: str | None = Field(
        None, description="with keep highest or lowest: a column, meta.KEY, or a signal of the filter in `measure`"
    )
    measure: RowFilter | None = Field(None, description="the filter whose signal `by` names")

    @model_validator(mode="after")
    def _check_best(self) -> Self:
        """Refuse settings that name no value to choose by, or one that nothing uses."""
        is_best = self.keep in {"highest", "lowest"}
        if is_best and self.by is None:
            raise ValueError(f"keep: {self.keep} needs `by`, the column or signal to choose by")
        if not is_best and (self.by is not None or self.measure is not None):
            raise ValueError(f"`by` and `measure` are read with keep: highest or lowest only, not with {self.keep}")
        if self.measure is not None:
            _check_measure(self.measure, self.by)
        return self

    def deciding(self, batch: pl.DataFrame) -> dict[str, Any]:
        """Return the columns of a sketch that decide which document stays: `id`, and `length` or `value`."""
        columns: dict[str, Any] = {"id": batch["id"]}
        if self.keep == "longest":
            columns["length"] = batch["text"].str.len_bytes().fill_null(0)
        elif self.by is not None:
            columns[VALUE] = self._values(batch, self.by)
        return columns

    @property
    def order(self) -> dict[str, bool]:
        """Column of the sketch → whether its highest value is the best; empty where the first id stays."""
        orders = {"longest": {"length": True}, "first": {}, "highest": {VALUE: True}, "lowest": {VALUE: False}}
        return orders[self.keep]

    def _values(self, batch: pl.DataFrame, by: str) -> pl.Series:
        if self.measure is not None:
            signal = self.measure.signals()[by]
            if isinstance(signal, KernelColumn):
                return _number(signal.kernel.compute(batch)[signal.name], by)
            return _number(batch.select(signal.alias(by)).to_series(), by)
        if by in batch.columns:
            return _number(batch[by], by)
        if by.startswith(META):
            path = "$['" + by.removeprefix(META).replace("'", "\\'") + "']"
            return batch["meta"].str.json_path_match(path).cast(pl.Float64, strict=False)
        raise DataError(
            f"the corpus has no column {by!r} to choose by",
            expected=f"one of {', '.join(name for name in batch.columns if name not in {'id', 'text'})}, or meta.KEY",
            advice="name it in `by`; or set `measure` to the filter whose signal it is",
        )


def _number(values: pl.Series, name: str) -> pl.Series:
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise DataError(f"{name!r} is {values.dtype}, which has no highest and lowest", expected="a column of numbers")
    return values.cast(pl.Float64)


def _check_measure(measure: RowFilter, by: str | None) -> None:
    if set(measure.inputs) != {"corpus"}:
        others = ", ".join(sorted(set(measure.inputs) - {"corpus"}))
        raise ValueError(f"{measure.component_id} also reads {others}, so it cannot be measured inside another filter")
    signals: Mapping[str, Any] = measure.signals()
    if by not in signals:
        raise ValueError(f"{measure.component_id} has no signal {by!r}; it has {', '.join(signals)}")
