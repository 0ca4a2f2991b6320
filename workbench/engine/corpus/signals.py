"""Signals: what the filters of one pass measure, for every document.

    signals/<shard>     id · <filter>.<signal> · <filter>.edits.<kind>
    rewritten/<shard>   id and the columns that a rewrite changed; only for passes with rewrites
    learned/            what the filter learned, if it learns; of a chain, one folder for each such filter by its place

Between two rewrites all filters look at the same text: equal expressions and equal kernels are then computed once,
and polars shares what the others have in common. No document leaves early, so a rejected one has every signal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from workbench.artifacts.corpus import write_shard
from workbench.contracts.component import Component
from workbench.contracts.filters import Kernel, KernelColumn, LearningFilter, RewriteFilter, Rewritten, RowFilter
from workbench.engine.corpus.chain import Chain
from workbench.engine.corpus.mapping import blaming
from workbench.engine.corpus.poison import documents_of
from workbench.errors import PluginError

if TYPE_CHECKING:
    from workbench.engine.corpus.mapping import Task

EDITS = "edits."
PROBE_CHARACTERS = 64


@dataclass(frozen=True)
class Member:
    """One filter of a pass under its name there (`gopher-quality`, the second of a kind `unicode-2`)."""

    name: str
    filter: RowFilter | RewriteFilter

    @property
    def prefix(self) -> str:
        """What the names of its columns begin with; those of a rewrite are its counts of edits."""
        return f"{self.name}.{EDITS}" if isinstance(self.filter, RewriteFilter) else f"{self.name}."

    def columns(self, signals: pl.DataFrame) -> pl.DataFrame:
        """Return this filter's signals under their own names."""
        prefix = self.prefix
        return signals.select(
            pl.col(column).alias(column.removeprefix(prefix)) for column in signals.columns if column.startswith(prefix)
        )


@dataclass(frozen=True)
class Measured:
    """Documents as rewritten, and their signals: the same rows in the same order."""

    batch: pl.DataFrame
    signals: pl.DataFrame


def members_of(component: Component) -> list[Member]:
    """Return the filters of a chain, or a lone filter as a chain of one."""
    filters: tuple[Component, ...] = component.filters if isinstance(component, Chain) else (component,)
    members: dict[str, Member] = {}
    for inner in filters:
        assert isinstance(inner, (RowFilter, RewriteFilter))
        base = inner.component_id.partition("/")[2] or type(inner).__name__
        number = 1
        name = base
        while name in members:
            number += 1
            name = f"{base}-{number}"
        members[name] = Member(name, inner)
    return list(members.values())


def measure_shard(component: Component, task: Task) -> Task:
    """Measure one shard and write its signals, and what was rewritten."""
    batch = documents_of(task)
    if isinstance(component, LearningFilter):
        with blaming(component, task["name"]):
            component = component.fitted(Path(task["learned"]))
    members = members_of(component)
    measured = measure(members, batch, task["name"])
    output = Path(task["output"])
    write_shard(output / "signals" / task["name"], measured.signals)
    if any(isinstance(member.filter, RewriteFilter) for member in members):
        changed = [
            name
            for name in measured.batch.columns
            if name not in batch.columns or not measured.batch[name].equals(batch[name])
        ]
        write_shard(output / "rewritten" / task["name"], measured.batch.select("id", *changed))
    return {"name": task["name"], "rows": batch.height}


def measure(members: Iterable[Member], batch: pl.DataFrame, shard: str) -> Measured:
    """Return the signals of every document, and the documents as the rewrites left them.

    Raises:
        PluginError: When a filter breaks its contract: an error of its own, signals of another length, documents
            lost, added or reordered by a rewrite, edits that are no counts.
    """
    columns = [batch.select("id")]
    waiting: list[tuple[Member, str, pl.Expr | KernelColumn]] = []
    for member in members:
        if isinstance(member.filter, RowFilter):
            with blaming(member.filter, shard):
                waiting += [(member, name, signal) for name, signal in member.filter.signals().items()]
            continue
        columns.append(_compute(waiting, batch, shard))
        waiting = []
        batch, edits = _rewrite(member, member.filter, batch, shard)
        columns.append(edits)
    columns.append(_compute(waiting, batch, shard))
    return Measured(batch, pl.concat([frame for frame in columns if frame.width], how="horizontal"))


def _compute(
    waiting: list[tuple[Member, str, pl.Expr | KernelColumn]], batch: pl.DataFrame, shard: str
) -> pl.DataFrame:
    """Return one column for each waiting signal; equal expressions and equal kernels are computed once."""
    unique: list[tuple[Member, pl.Expr]] = []
    kernels = _run_kernels(waiting, batch, shard)
    chosen: dict[str, pl.Series | int] = {}
    for member, name, signal in waiting:
        column = f"{member.name}.{name}"
        with blaming(member.filter, shard):
            if isinstance(signal, KernelColumn):
                chosen[column] = next(frame for kernel, frame in kernels if kernel == signal.kernel)[signal.name]
                continue
            place = next((number for number, (_, other) in enumerate(unique) if other.meta.eq(signal)), len(unique))
            if place == len(unique):
                _probe(name, signal, batch)
                unique.append((member, signal))
            chosen[column] = place
    values = _evaluate(unique, batch, shard)
    series = [
        (values.to_series(value) if isinstance(value, int) else value).alias(column) for column, value in chosen.items()
    ]
    return pl.DataFrame(series).with_columns(pl.selectors.float().fill_nan(None))


def _evaluate(expressions: list[tuple[Member, pl.Expr]], batch: pl.DataFrame, shard: str) -> pl.DataFrame:
    """Return one column for each expression, all computed in one query so that polars shares common parts."""
    if not expressions:
        return pl.DataFrame()
    query = batch.lazy().select(expression.alias(str(n)) for n, (_, expression) in enumerate(expressions))
    try:
        return query.collect(engine="in-memory")
    except Exception:
        for member, expression in expressions:  # alone, to say whose it is
            with blaming(member.filter, shard):
                batch.select(expression)
        raise


def _run_kernels(
    waiting: list[tuple[Member, str, pl.Expr | KernelColumn]], batch: pl.DataFrame, shard: str
) -> list[tuple[Kernel, pl.DataFrame]]:
    """Return each kernel that is asked for, once, with what it gives; those that share a pass are run together."""
    groups: dict[Callable[..., list[pl.DataFrame]], list[tuple[Member, Kernel]]] = {}
    for member, _, signal in waiting:
        if isinstance(signal, KernelColumn):
            together = getattr(type(signal.kernel).compute_together, "__func__")  # noqa: B009  # typed as a plain function
            if together is getattr(Kernel.compute_together, "__func__"):  # noqa: B009
                together = type(signal.kernel).compute
            group = groups.setdefault(together, [])
            if all(kernel != signal.kernel for _, kernel in group):
                group.append((member, signal.kernel))
    results: list[tuple[Kernel, pl.DataFrame]] = []
    for group in groups.values():
        kernels = [kernel for _, kernel in group]
        with blaming(group[0][0].filter, shard):
            frames = type(kernels[0]).compute_together(kernels, batch)
        for (member, kernel), frame in zip(group, frames, strict=True):
            with blaming(member.filter, shard):
                if frame.height != batch.height:
                    name = type(kernel).__name__
                    raise PluginError(f"{name} gave {frame.height} rows for {batch.height} documents")
            results.append((kernel, frame))
    return results


def _probe(name: str, signal: pl.Expr, batch: pl.DataFrame) -> None:
    """Refuse a signal that fails, or gives another number of values than there are documents.

    It is tried alone on two short documents: among others, polars would stretch a lone value (a mean, a literal) to
    all documents, and the result would depend on how the corpus is cut into shards.
    """
    two = batch.head(2).with_columns(pl.col("text").str.head(PROBE_CHARACTERS))
    values = two.select(signal.alias(name))
    if two.height == 2 and values.height != two.height:  # noqa: PLR2004
        raise PluginError(
            f"the signal {name!r} gives {values.height} values for 2 documents; it must give one for each"
        )


def _rewrite(
    member: Member, rewriter: RewriteFilter, batch: pl.DataFrame, shard: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rewritten documents and the counts of edits as signal columns."""
    with blaming(rewriter, shard):
        result = rewriter.rewrite(batch)
        _check_rewritten(result, batch)
        edits = result.edits.select(
            pl.col(kind).cast(pl.UInt32).alias(f"{member.name}.{EDITS}{kind}") for kind in result.edits.columns
        )
    return batch.with_columns(result.batch.get_columns()), edits


def _check_rewritten(result: Rewritten, batch: pl.DataFrame) -> None:
    if result.batch.height != batch.height:
        raise PluginError(f"the rewrite gave {result.batch.height} documents for {batch.height}")
    lost = [name for name in batch.columns if name not in result.batch.columns]
    if lost:
        raise PluginError(f"the rewrite lost the columns {', '.join(lost)}")
    if not result.batch["id"].equals(batch["id"]):
        raise PluginError("the rewrite changed or reordered the ids")
    if result.edits.width and result.edits.height != batch.height:
        raise PluginError(f"there are {result.edits.height} rows of edits for {batch.height} documents")
    for kind, dtype in result.edits.schema.items():
        if not dtype.is_integer() or result.edits[kind].null_count():
            raise PluginError(f"the edits of kind {kind!r} are no counts (whole numbers, none missing)")
