"""The audit's numbers: verdicts of steps joined with groups of documents, counted and tested.

Ids are joined in buckets of about 260,000 documents, told by a hash of the id, so that memory does not grow with
the corpus. Verdicts come from `rejects/`: a document that a step read was either kept or stands there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.artifacts.corpus import Corpus
from workbench.engine.corpus.axes import NONE, OTHER, group_order
from workbench.engine.corpus.significance import harder, holm, wilson
from workbench.errors import StepError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.audit import Audit

BUCKET_DOCUMENTS = 1 << 18  # joined at a time
ANY = "(any)"
BY = "by "  # before the names of axes in files of groups: a key of meta may be called `reason`, a column is called `id`
CELL = ("step", "filter", "reason", "axis", "group")
DIGITS = 6  # of a probability or share that are kept
MOST_EXAMPLES = 24  # flagged groups with examples, those of the smallest probability


def counted(
    ctx: Context, corpus: Corpus, steps: Sequence[Corpus], folder: Path, by: Sequence[str], largest: int
) -> pl.DataFrame:
    """Return `step, filter, reason, axis, group, read, dropped, whole_read, whole_dropped`, each combination once.

    Raises `StepError` when a step read documents that are not in the corpus.
    """
    buckets = -(-corpus.num_rows // BUCKET_DOCUMENTS)
    axes = [f"{BY}{axis}" for axis in dict.fromkeys(by)]
    groups = _with_large_groups(pl.scan_parquet(folder / "*.parquet"), axes, largest)
    reads, drops = [], []
    for place, step in enumerate(steps):
        found = 0
        for bucket in range(buckets):
            is_here = pl.col("id").hash() % buckets == bucket
            here = groups.filter(is_here).collect(engine="streaming")
            read = _read_ids(step).filter(is_here).collect(engine="streaming").join(here, on="id")
            found += read.height
            reads.append(_by_group(read, [], place))
            drops.append(_by_group(_verdicts(step, is_here).join(here, on="id"), ["filter", "reason"], place))
        total = int(_read_ids(step).select(pl.len()).collect(engine="streaming").item())
        if found < total:
            raise StepError(
                f"{total - found} of {total} documents that step {step.step} read are not in the corpus",
                where=f"{ctx.step}.steps",
                expected="steps after the corpus whose documents are grouped",
                advice="give the corpus that the first of the steps read",
            )
        ctx.progress(place + 1, len(steps), "steps")
    return _complete(_summed(reads, []), _summed(drops, ["filter", "reason"]), [step.step for step in steps])


def _with_large_groups(groups: pl.LazyFrame, axes: Sequence[str], largest: int) -> pl.LazyFrame:
    """Return the groups with rare ones as `(other)`, missing ones as `(none)`; without axes nobody has a value on."""
    for axis in axes:
        counts = groups.group_by(axis).len().collect(engine="streaming").filter(pl.col(axis).is_not_null())
        if counts.is_empty():
            groups = groups.drop(axis)
            continue
        kept = counts.sort(pl.col("len"), pl.col(axis), descending=[True, False]).head(largest)[axis]
        value = pl.col(axis)
        named = pl.when(value.is_null()).then(pl.lit(NONE)).when(value.is_in(kept.implode())).then(value)
        groups = groups.with_columns(named.otherwise(pl.lit(OTHER)).alias(axis))
    return groups


def _read_ids(step: Corpus) -> pl.LazyFrame:
    return pl.concat([step.scan().select("id"), _rejects(step).select("id")])


def _rejects(step: Corpus) -> pl.LazyFrame:
    """Return the rejects of a step, of the chosen part only."""
    files = sorted((step.path / "rejects").glob("*.parquet"))
    chosen = [file for file in files if step.part is None or file.name.rpartition("-")[0] == step.part]
    return pl.scan_parquet(chosen) if chosen else step.rejects().limit(0)


def _verdicts(step: Corpus, condition: pl.Expr) -> pl.DataFrame:
    """Return `id, filter, reason`: every reason that held, and `(any)` for each filter and for the step."""
    rejects = _rejects(step).filter(condition).select("id", "reasons").collect(engine="streaming")
    held = [  # told once for each set of reasons: there are few, and many documents with each
        (reasons, *entry.partition(": ")[::2])
        for reasons in rejects["reasons"].unique()
        for entry in dict.fromkeys(json.loads(reasons))
    ]
    schema = {"reasons": pl.String, "filter": pl.String, "reason": pl.String}
    each = rejects.join(pl.DataFrame(held, schema=schema, orient="row"), on="reasons").drop("reasons")
    by_filter = each.with_columns(reason=pl.lit(ANY))
    by_step = by_filter.with_columns(filter=pl.lit(ANY))
    return pl.concat([each, by_filter, by_step]).unique()


def _by_group(frame: pl.DataFrame, keys: Sequence[str], place: int) -> pl.DataFrame:
    """Count rows for each group of each axis, and in all under the empty axis."""
    axes = [name for name in frame.columns if name.startswith(BY)]
    counted_ = [
        frame.group_by(*keys, axis).len().rename({axis: "group"}).with_columns(axis=pl.lit(axis.removeprefix(BY)))
        for axis in axes
    ]
    whole = frame.group_by(keys).len() if keys else frame.select(pl.len())
    counted_.append(whole.with_columns(group=pl.lit(""), axis=pl.lit("")))
    order = [*keys, "axis", "group", "len"]
    return pl.concat([part.select(order) for part in counted_]).with_columns(place=pl.lit(place))


def _summed(parts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    return pl.concat(parts).group_by("place", *keys, "axis", "group").agg(pl.col("len").sum().cast(pl.Int64))


def _complete(reads: pl.DataFrame, drops: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return a row for each rule that dropped anything and each group of the documents its step read."""
    whole_reads = reads.filter(pl.col("axis") == "").select("place", whole_read="len")
    groups = reads.filter(pl.col("axis") != "").rename({"len": "read"})
    rules = drops.filter(pl.col("axis") == "").select("place", "filter", "reason", whole_dropped="len")
    dropped = drops.filter(pl.col("axis") != "").rename({"len": "dropped"})
    cells = rules.join(groups, on="place").join(whole_reads, on="place")
    cells = cells.join(dropped, on=["place", "filter", "reason", "axis", "group"], how="left")
    step = pl.col("place").replace_strict(dict(enumerate(names)), return_dtype=pl.String)
    return cells.with_columns(pl.col("dropped").fill_null(0), step=step)


def rates(counts: pl.DataFrame, audit: Audit) -> pl.DataFrame:
    """Return the counts with rates, intervals, adjusted probabilities and flags, in the order they are shown."""
    dropped, read, whole_dropped, whole = (
        counts[name].to_numpy() for name in ("dropped", "read", "whole_dropped", "whole_read")
    )
    low, high = wilson(dropped, read)
    is_tested = (read >= audit.min_documents) & (read < whole) & (counts["group"] != OTHER).to_numpy()
    is_tested &= _is_not_repeated(counts).to_numpy()
    chance = np.full(len(counts), np.nan)
    if is_tested.any():
        chance[is_tested] = holm(
            harder(dropped[is_tested], read[is_tested], whole_dropped[is_tested], whole[is_tested])
        )
    rate, whole_rate = dropped / read, whole_dropped / whole
    table = counts.with_columns(
        rate=_rounded(rate),
        low=_rounded(low),
        high=_rounded(high),
        whole_rate=_rounded(whole_rate),
        ratio=_rounded(rate / whole_rate),
        p_adjusted=pl.Series(
            [None if np.isnan(value) else float(f"{value:.3g}") for value in chance], dtype=pl.Float64
        ),
    )
    is_flagged = (
        (pl.col("p_adjusted") < audit.alpha)
        & (pl.col("dropped") * pl.col("whole_read") >= audit.min_ratio * pl.col("read") * pl.col("whole_dropped"))
        & (pl.col("rate") - pl.col("whole_rate") >= audit.min_difference)
    )
    table = table.with_columns(flagged=is_flagged.fill_null(value=False))
    return _in_order(table, list(dict.fromkeys(audit.by))).select(
        *CELL, "dropped", "read", "rate", "low", "high", "whole_dropped", "whole_read", "whole_rate", "ratio",
        "p_adjusted", "flagged",
    )  # fmt: skip


def _is_not_repeated(counts: pl.DataFrame) -> pl.Series:
    """Return which rows are no sum over a single rule, which would be tested twice."""
    rules = counts.select("place", "filter", "reason").unique()
    reasons = rules.filter(pl.col("reason") != ANY).group_by("place", "filter").len("reasons")
    filters = reasons.group_by("place").len("filters")
    joined = counts.join(reasons, on=["place", "filter"], how="left", maintain_order="left").join(
        filters, on="place", how="left", maintain_order="left"
    )
    of_filter = (pl.col("reason") == ANY) & (pl.col("filter") != ANY) & (pl.col("reasons") == 1)
    of_step = (pl.col("filter") == ANY) & (pl.col("filters") == 1)
    return joined.select(~(of_filter | of_step).fill_null(value=False)).to_series()


def _rounded(values: np.ndarray[Any, np.dtype[Any]]) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).round(DIGITS)


def _in_order(table: pl.DataFrame, axes: Sequence[str]) -> pl.DataFrame:
    """Order by step, rule (the whole first, then the hardest) and group."""
    numbers = {}
    for axis in axes:
        here = table.filter(pl.col("axis") == axis)
        counts = dict(here.group_by("group").agg(pl.col("read").max()).iter_rows())
        numbers.update({(axis, group): number for number, group in enumerate(group_order(axis, counts))})
    places = [numbers[cell] for cell in table.select("axis", "group").iter_rows()]
    filters = (
        table.filter(pl.col("reason") == ANY)
        .group_by("place", "filter")
        .agg(pl.col("whole_dropped").first().alias("of_filter"))
    )
    table = table.join(filters, on=["place", "filter"], how="left", maintain_order="left").with_columns(
        pl.Series("group_place", places, dtype=pl.Int64),
        axis_place=pl.col("axis").replace_strict(
            {axis: number for number, axis in enumerate(axes)}, return_dtype=pl.Int64
        ),
        is_any=(pl.col("reason") == ANY),
        is_step=(pl.col("filter") == ANY),
    )
    keys = ["place", "is_step", "of_filter", "filter", "is_any", "whole_dropped", "reason", "axis_place", "group_place"]
    return table.sort(keys, descending=[False, True, True, False, True, True, False, False, False])


@dataclass(frozen=True)
class Example:
    """A dropped document of a flagged group; the text is as it stands, not made safe."""

    source: str
    text: str
    signals: dict[str, Any]


def examples_of(
    table: pl.DataFrame, steps: Sequence[Corpus], folder: Path, wanted: int
) -> dict[tuple[str, ...], list[Example]]:
    """Return, for the flagged cells that matter most, the dropped documents with the smallest ids."""
    groups = pl.scan_parquet(folder / "*.parquet")
    found: dict[tuple[str, ...], list[Example]] = {}
    for cell in most_telling(table).head(MOST_EXAMPLES).select(CELL).iter_rows():
        name, filter_, reason, axis, group = cell
        step = next(step for step in steps if step.step == name)
        value = pl.col(f"{BY}{axis}").is_null() if group == NONE else pl.col(f"{BY}{axis}") == group
        said = pl.col("reasons").str.contains(json.dumps(f"{filter_}: {reason}", ensure_ascii=False), literal=True)
        if reason == ANY:
            start = json.dumps(f"{filter_}: ", ensure_ascii=False)[:-1]
            said = pl.lit(value=True) if filter_ == ANY else pl.col("reasons").str.contains(start, literal=True)
        chosen = _rejects(step).filter(said).join(groups.filter(value).select("id"), on="id", how="semi")
        rows = (
            chosen.bottom_k(wanted, by="id").sort("id").select("source", "text", "signals").collect(engine="streaming")
        )
        found[cell] = [_example(filter_, *row) for row in rows.iter_rows()]
    return found


def _example(filter_: str, source: str | None, text: str | None, signals: str | None) -> Example:
    measured = json.loads(signals) if signals else {}
    prefix = "" if filter_ == ANY else f"{filter_}."
    own = {name.removeprefix(prefix): value for name, value in measured.items() if name.startswith(prefix)}
    return Example(source or "", text or "", own)


def most_telling(table: pl.DataFrame) -> pl.DataFrame:
    """Return the flagged rows, the surest first, without sums over rules of which one is flagged for the same group."""
    flagged = table.filter("flagged")
    of_rules = flagged.filter(pl.col("reason") != ANY)
    of_filters = flagged.filter((pl.col("reason") == ANY) & (pl.col("filter") != ANY))
    of_filters = of_filters.join(of_rules, on=["step", "filter", "axis", "group"], how="anti")
    kept = pl.concat([of_rules, of_filters])
    of_steps = flagged.filter(pl.col("filter") == ANY).join(kept, on=["step", "axis", "group"], how="anti")
    return pl.concat([kept, of_steps]).sort("p_adjusted", "ratio", *CELL, descending=[False, True, *[False] * 5])
