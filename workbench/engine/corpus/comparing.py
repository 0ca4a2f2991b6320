"""Filters that compare documents: a sketch of each shard in parallel, one decision, then the shards are written.

Sketches go to the step's scratch folder as Parquet, so that memory holds what `resolve` asks for and no more. Drops
may name documents of any part: duplicates are found across `train` and `valid`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component
from workbench.contracts.filters import CorpusFilter
from workbench.contracts.records import DOCUMENT
from workbench.engine.corpus.mapping import blaming, map_shards, shard_tasks
from workbench.engine.corpus.writing import write_part_shard
from workbench.errors import PluginError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

DROP = {"id": pl.String, "reason": pl.String, "duplicate_of": pl.String}


def compare(component: CorpusFilter, ctx: Context, corpus: Corpus) -> list[Task]:
    """Sketch, decide and write every shard; return the results of the shards with their ledgers."""
    sketches, drops = ctx.scratch / "sketches", ctx.scratch / "drops.parquet"
    tasks = [{**task, "sketch": str(sketches / task["name"]), "drops": str(drops)} for task in shard_tasks(corpus, ctx)]
    if not tasks:
        return []
    map_shards(ctx, sketch_shard, component, tasks)
    with blaming(component, "(all)"):
        dropped = _checked(component.resolve(pl.scan_parquet([task["sketch"] for task in tasks])))
        write_shard(drops, dropped)
        results = map_shards(ctx, write_compared_shard, component, tasks)
        _check_known(dropped, results)
    return results


def sketch_shard(component: Component, task: Task) -> Task:
    """Write the sketches of one shard."""
    assert isinstance(component, CorpusFilter)
    batch = read_shard(Path(task["shard"]))
    with blaming(component, task["name"]):
        sketch = component.sketch(batch)
        if "id" not in sketch.columns:
            raise PluginError("the sketch has no column 'id'")
        unknown = sketch.select("id").join(batch.select("id"), on="id", how="anti").height
        if unknown:
            raise PluginError(f"{unknown} rows of the sketch are of documents that are not in the shard")
    write_shard(Path(task["sketch"]), sketch)
    return {"name": task["name"], "rows": sketch.height}


def _checked(drops: pl.DataFrame) -> pl.DataFrame:
    """Return the drops with their three columns, or say how they break the contract."""
    if "duplicate_of" not in drops.columns:
        drops = drops.with_columns(duplicate_of=pl.lit(None, pl.String))
    missing = [name for name in DROP if name not in drops.columns]
    if missing:
        raise PluginError(f"the drops have no column {', '.join(missing)}", expected=f"the columns {', '.join(DROP)}")
    drops = drops.select(pl.col(name).cast(dtype) for name, dtype in DROP.items())
    if drops["id"].null_count() or drops["reason"].null_count():
        raise PluginError("a drop has no id or no reason")
    repeated = drops.height - drops["id"].n_unique()
    if repeated:
        raise PluginError(f"{repeated} documents are dropped more than once")
    gone = drops.join(drops.select("id"), left_on="duplicate_of", right_on="id", how="semi").height
    if gone:
        raise PluginError(f"{gone} documents are dropped in favour of one that is dropped too")
    return drops.sort("id")


def write_compared_shard(component: Component, task: Task) -> Task:
    """Write what is kept and what is dropped of one shard."""
    batch = read_shard(Path(task["shard"]))
    name = component.component_id.partition("/")[2] or type(component).__name__
    drops = pl.scan_parquet(task["drops"])
    own = drops.join(batch.lazy().select("id"), on="id", how="semi").collect()
    judged = batch.select(*DOCUMENT).join(own, on="id", how="left", maintain_order="left")
    kept = batch.filter(judged["reason"].is_null())
    said = {reason: json.dumps([f"{name}: {reason}"], ensure_ascii=False) for reason in own["reason"].unique()}
    rejected = judged.filter(pl.col("reason").is_not_null()).with_columns(
        filter=pl.lit(name),
        reasons=pl.col("reason").replace_strict(said, return_dtype=pl.String),
        signals=pl.lit("{}"),
    )
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    reasons = Counter(rejected["reason"].to_list())
    ledger = Ledger(read=batch.height, kept=kept.height, rejected=reasons, by_filter={name: reasons})
    named = drops.select(pl.col("duplicate_of").unique()).join(kept.lazy().select(duplicate_of="id"), on="duplicate_of")
    return {**listed, "ledger": ledger.to_json(), "named": named.collect().height}


def _check_known(drops: pl.DataFrame, results: list[Task]) -> None:
    found = sum(result["ledger"]["read"] - result["rows"] for result in results)
    if found != drops.height:
        raise PluginError(f"{drops.height - found} of {drops.height} dropped ids are not in the corpus")
    named = drops["duplicate_of"].drop_nulls().n_unique()
    known = sum(result["named"] for result in results)
    if known != named:
        raise PluginError(f"{named - known} of {named} ids in 'duplicate_of' are not in the corpus")
