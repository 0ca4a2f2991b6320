"""Filters that compare documents: a sketch of each shard in parallel, one decision, then the shards are written.

Sketches go to the step's scratch folder as Parquet, so that memory holds what `resolve` asks for and no more. What
goes may be of any part: duplicates are found across `train` and `valid`. It is dealt out to the shards once, so that
the work on a shard reads what concerns it and nothing else. Documents that go in favour of
another are listed with it in `clusters/`, for looking through.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from workbench.artifacts.corpus import CLUSTERS, Corpus, read_shard, write_scratch, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component
from workbench.contracts.filters import CorpusFilter
from workbench.contracts.records import DOCUMENT
from workbench.engine.corpus.cutting import cut_spans
from workbench.engine.corpus.mapping import blaming, map_shards, shard_tasks
from workbench.engine.corpus.poison import documents_of, map_surviving, set_aside
from workbench.engine.corpus.writing import write_part_shard
from workbench.errors import PluginError

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

DROP = {"id": pl.String, "reason": pl.String, "duplicate_of": pl.String, "start": pl.Int64, "end": pl.Int64}
DECIDED = {**DROP, "similarity": pl.Float64}
NEEDED = ("id", "reason")
NOTHING_LEFT = "nothing-left"
CLUSTER_ROWS = 1 << 18  # dropped documents in a file of `clusters/`, about


def compare(component: CorpusFilter, ctx: Context, corpus: Corpus) -> list[Task]:
    """Sketch, decide and write every shard; return the results of the shards with their ledgers."""
    sketches, drops, learned = (ctx.scratch / name for name in ("sketches", "drops", "learned"))
    tasks = [
        {**task, "sketch": str(sketches / task["name"]), "drops": str(drops / task["name"]), "learned": str(learned)}
        for task in shard_tasks(corpus, ctx)
    ]
    if not tasks:
        return []
    with blaming(component, "(all)"):
        component.fit(ctx, learned)
    map_surviving(ctx, sketch_shard, component, tasks)
    decide(component.fitted(learned), [task["sketch"] for task in tasks], tasks, ctx.output, threads=ctx.workers)
    results = map_shards(ctx, write_compared_shard, component, tasks)
    set_aside(ctx, component, tasks, results)
    return results


def sketch_shard(component: Component, task: Task) -> Task:
    """Write the sketches of one shard."""
    assert isinstance(component, CorpusFilter)
    batch = documents_of(task)
    with blaming(component, task["name"]):
        sketch = component.fitted(Path(task["learned"])).sketch(batch)
        if "id" not in sketch.columns:
            raise PluginError("the sketch has no column 'id'")
        unknown = sketch.select("id").join(batch.select("id"), on="id", how="anti").height
        if unknown:
            raise PluginError(f"{unknown} rows of the sketch are of documents that are not in the shard")
    write_scratch(Path(task["sketch"]), sketch)
    return {"name": task["name"], "rows": sketch.height}


def decide(component: CorpusFilter, sketches: list[str], tasks: list[Task], output: Path, *, threads: int = 1) -> None:
    """Decide over all sketches; list the groups below `output`, and write what goes for each task."""
    with blaming(component, "(all)"):
        decided = _checked(component.resolve(pl.scan_parquet(sketches)))
        write_clusters(output, decided)
        _deal_out(decided.drop("similarity"), tasks, threads)


def _checked(drops: pl.DataFrame) -> pl.DataFrame:
    """Return the drops with all their columns, sorted, or say how they break the contract."""
    missing = [name for name in NEEDED if name not in drops.columns]
    if missing:
        raise PluginError(
            f"the drops have no column {', '.join(missing)}", expected=f"the columns {', '.join(DECIDED)}"
        )
    drops = drops.select(
        pl.col(name).cast(dtype) if name in drops.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in DECIDED.items()
    )
    if drops["id"].null_count() or drops["reason"].null_count():
        raise PluginError("a drop has no id or no reason")
    half = drops.filter(pl.col("start").is_null() != pl.col("end").is_null()).height
    if half:
        raise PluginError(f"{half} spans have a start or an end, but not both")
    whole = drops.filter(pl.col("start").is_null()) if drops["start"].count() else drops
    repeated = whole.height - whole["id"].n_unique()
    if repeated:
        raise PluginError(f"{repeated} documents are dropped more than once")
    both = drops.filter(pl.col("start").is_not_null()).join(whole, on="id", how="semi")["id"].n_unique()
    if both:
        raise PluginError(f"{both} documents are dropped and also cut")
    gone = drops.join(whole.select("id"), left_on="duplicate_of", right_on="id", how="semi").height
    if gone:
        raise PluginError(f"{gone} documents are dropped in favour of one that is dropped too")
    return drops


def write_clusters(output: Path, drops: pl.DataFrame) -> None:
    """Write which documents go in favour of which one, group by group; nothing when none does.

    A file holds the groups with a range of hashes of the id that stays, so that memory holds those of one file only.
    """
    gone = drops.select("id", "similarity", cluster="duplicate_of")
    if drops["start"].count() or drops["duplicate_of"].null_count():
        gone = gone.filter(drops["start"].is_null() & drops["duplicate_of"].is_not_null())
    files = -(-gone.height // CLUSTER_ROWS)
    which = (gone["cluster"].hash() % max(1, files)).to_numpy()
    for number in range(files):
        part = gone[np.flatnonzero(which == number)].with_columns(kept=pl.lit(value=False))
        stay = part.select(id=pl.col("cluster").unique()).with_columns(
            similarity=pl.lit(None, pl.Float64), cluster="id", kept=pl.lit(value=True)
        )
        listed = pl.concat([stay, part], how="diagonal").select(*CLUSTERS)
        listed = listed.sort("cluster", "kept", "id", descending=[False, True, False])
        write_shard(output / "clusters" / f"{number:05}.parquet", listed)


def _deal_out(drops: pl.DataFrame, tasks: list[Task], threads: int) -> None:
    """Write for each shard the drops of its documents, and prove that all ids in them are in the corpus.

    The ids of each shard are looked up in what is dropped by their hashes, 8 bytes each, so that no table of all ids
    is ever made; that the ids themselves are equal is then looked at. It is native code, so threads share the work.
    """
    places, ordered = _by_hash(drops["id"])
    _, named = _by_hash(drops["duplicate_of"].drop_nulls())
    named = np.unique(named)

    def deal(task: Task) -> tuple[int, int]:
        ids = read_shard(Path(task["shard"]), ["id"])
        own = ids["id"].hash().to_numpy()
        firsts, lasts = np.searchsorted(ordered, own), np.searchsorted(ordered, own, side="right")
        alike = np.flatnonzero(lasts > firsts)
        ids = ids[alike]
        dealt = drops[places[_covered(firsts[alike], lasts[alike])]].join(ids.unique(), on="id", how="semi")
        write_scratch(Path(task["drops"]), dealt.sort("id", "start", "end", "reason"))
        found = ids.join(dealt.select("id").unique(), on="id", how="semi").height
        return found, _num_found(own, named)

    with ThreadPoolExecutor(threads, "workbench-deal-out") as pool:
        found = list(pool.map(deal, tasks))
    _check_known(drops["id"].n_unique(), sum(dropped for dropped, _ in found), "dropped ids")
    _check_known(named.size, sum(kept for _, kept in found), "ids in 'duplicate_of'")


def _covered(firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """Return every place in the ranges from `firsts` up to `lasts`, range by range."""
    lengths = lasts - firsts
    before = np.cumsum(lengths) - lengths
    return np.repeat(firsts - before, lengths) + np.arange(lengths.sum())


def _num_found(hashes: np.ndarray, among: np.ndarray) -> int:
    """Return how many of the hashes are among the sorted ones."""
    if not among.size:
        return 0
    places = np.minimum(np.searchsorted(among, hashes), among.size - 1)
    return int((among[places] == hashes).sum())


def _by_hash(ids: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the ids in the order of their hashes, and the hashes in that order."""
    hashes = ids.hash().to_numpy()
    places = np.argsort(hashes, kind="stable")
    return places, hashes[places]


def _check_known(given: int, found: int, what: str) -> None:
    if found < given:
        raise PluginError(f"{given - found} of {given} {what} are not in the corpus")
    if found > given:
        raise PluginError(f"{found - given} of {given} {what} stand more than once in the corpus")


def write_compared_shard(component: Component, task: Task) -> Task:
    """Write what is kept, cut and dropped of one shard."""
    assert isinstance(component, CorpusFilter)
    batch, drops = documents_of(task), read_shard(Path(task["drops"]))
    name = component.component_id.partition("/")[2] or type(component).__name__
    whole = drops.filter(pl.col("start").is_null()).select("id", "reason", "duplicate_of")
    with blaming(component, task["name"]):
        cut, spans = cut_spans(batch, drops.filter(pl.col("start").is_not_null()))
        judged = _judged(component, name, batch, cut, spans, whole)
    is_kept = judged["reason"].is_null()
    said = {reason: json.dumps([f"{name}: {reason}"], ensure_ascii=False) for reason in judged["reason"].unique()}
    rejected = pl.concat([batch.select(*DOCUMENT), judged.drop("id")], how="horizontal").filter(~is_kept)
    rejected = rejected.with_columns(
        filter=pl.lit(name), reasons=pl.col("reason").replace_strict(said, return_dtype=pl.String)
    )
    kept = cut.filter(is_kept)
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    if spans.height:
        write_shard(Path(task["output"]) / "cuts" / task["name"], spans.select(*DROP))
    reasons = Counter(rejected["reason"].to_list())
    edited = {name: Counter(spans["reason"].to_list())} if spans.height else {}
    ledger = Ledger(
        read=batch.height, kept=kept.height, rejected=reasons, by_filter={name: Counter(reasons)}, edited=edited
    )
    return {**listed, "ledger": ledger.to_json()}


def _judged(
    component: CorpusFilter, name: str, batch: pl.DataFrame, cut: pl.DataFrame, spans: pl.DataFrame, whole: pl.DataFrame
) -> pl.DataFrame:
    """Return `id, reason, duplicate_of, signals` for each document; no reason where it stays."""
    counted = spans.group_by("id").agg(pl.len().cast(pl.Int64).alias("cuts"))
    left = (
        pl.DataFrame({"id": batch["id"], "text": cut["text"], "before": batch["text"]})
        .join(counted, on="id")
        .select(
            "id",
            "cuts",
            characters=pl.col("text").str.strip_chars().str.len_chars().cast(pl.Int64),
            characters_before=pl.col("before").str.len_chars().cast(pl.Int64),
        )
    )
    rules = {NOTHING_LEFT: pl.col("characters") == 0, **component.rules()}
    why = pl.coalesce(pl.when(rule).then(pl.lit(reason)) for reason, rule in rules.items())
    measured = pl.struct(pl.col(column).alias(f"{name}.{column}") for column in left.columns if column != "id")
    emptied = left.select(
        "id", why.alias("reason"), pl.lit(None, pl.String).alias("duplicate_of"), signals=measured.struct.json_encode()
    )
    gone = pl.concat([whole.with_columns(signals=pl.lit("{}")), emptied.filter(pl.col("reason").is_not_null())])
    return batch.select("id").join(gone, on="id", how="left", maintain_order="left")
