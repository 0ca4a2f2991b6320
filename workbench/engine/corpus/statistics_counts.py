"""The statistics card's numbers: counted shard by shard in the workers, added up here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.artifacts.corpus import Corpus, read_shard, write_scratch, write_shard
from workbench.artifacts.tokenizer import Tokenizer
from workbench.engine.corpus.axes import NONE, axes_of
from workbench.engine.corpus.fields import random_number
from workbench.engine.corpus.mapping import map_shards, shard_tasks
from workbench.engine.corpus.mix import WORD

if TYPE_CHECKING:
    from workbench.contracts.component import Component
    from workbench.contracts.context import Context
    from workbench.engine.corpus.mapping import Task

BUCKET_DOCUMENTS = 1_000_000  # hashes of texts that are compared at a time
EXAMPLES = 5
MIN_LINE = 20  # characters of a line that is looked for again
UNITS = ("documents", "characters", "words", "tokens", "bytes")


@dataclass
class Counts:
    """What is counted of a corpus.

    Attributes:
        totals: Unit → number, see `UNITS`; `tokens` only with a tokenizer.
        lengths: First length of a bin (0, 1, 2, 4, …; it ends below twice that) → documents.
        axes: Axis → group → [documents, characters].
        parts: Part → documents.
    """

    totals: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    axes: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    parts: Counter[str] = field(default_factory=Counter)

    def add(self, result: Task, groups: pl.DataFrame) -> None:
        """Add what `count_shard` returned, and the groups that it wrote."""
        self.totals.update(result["totals"])
        self.lengths.update({int(start): number for start, number in result["lengths"]})
        if result["part"]:
            self.parts[result["part"]] += result["totals"]["documents"]
        for axis, group, documents, characters in groups.iter_rows():
            have = self.axes.setdefault(axis, {}).setdefault(group, [0, 0])
            have[0] += documents
            have[1] += characters


def counted(ctx: Context, component: Component, corpus: Corpus, axes: Sequence[str], folder: Path) -> Counts:
    """Count a corpus; hashes of its texts and the numbers for a sample are left in `folder`."""
    tokenizer = ctx.inputs.get("tokenizer")
    tasks = [
        {
            **task,
            "axes": list(axes),
            "tokenizer": str(tokenizer.path) if tokenizer else None,
            "seed": ctx.seed,
            "hashes": str(folder / f"{number:05}.parquet"),
            "groups": str(folder / "groups" / f"{number:05}.parquet"),
        }
        for number, task in enumerate(shard_tasks(corpus, ctx))
    ]
    counts = Counts()
    for task, result in zip(tasks, map_shards(ctx, count_shard, component, tasks), strict=True):
        counts.add(result, read_shard(Path(task["groups"])))
    return counts


def count_shard(component: Component, task: Task) -> Task:
    """Count one shard; write its groups, and `id, number, same, alike` of each document: chance, hashes of its text."""
    del component
    batch = read_shard(Path(task["shard"]))
    text = batch["text"]
    characters = text.str.len_chars().cast(pl.Int64)
    totals = {
        "documents": batch.height,
        "characters": int(characters.sum()),
        "words": int(text.str.count_matches(WORD).sum()),
        "bytes": int(text.str.len_bytes().sum()),
    }
    if task["tokenizer"]:
        totals["tokens"] = sum(Tokenizer(Path(task["tokenizer"])).lengths(text.to_list()))
    numbers = [random_number(task["seed"], "statistics", name) for name in batch["id"]]
    normal = text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    hashes = batch.select("id", pl.Series("number", numbers, dtype=pl.UInt64)).with_columns(
        text.hash().alias("same"), normal.hash().alias("alike")
    )
    write_shard(Path(task["hashes"]), hashes)
    axes = [axis for axis in axes_of(batch, task["axes"]) if axis.null_count() < len(axis)]
    write_scratch(Path(task["groups"]), pl.concat([_GROUPS, *(_grouped(axis, characters) for axis in axes)]))
    return {"totals": totals, "lengths": _binned(characters), "part": task["part"]}


_GROUPS = pl.DataFrame(schema={"axis": pl.String, "group": pl.String, "documents": pl.Int64, "characters": pl.Int64})


def _grouped(axis: pl.Series, characters: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame({"group": axis.fill_null(NONE), "characters": characters})
    found = frame.group_by("group").agg(pl.len().cast(pl.Int64).alias("documents"), pl.col("characters").sum())
    return found.sort("group").select(pl.lit(axis.name).alias("axis"), "group", "documents", "characters")


def _binned(characters: pl.Series) -> list[list[int]]:
    """Return `[start, documents]` for bins that end below twice their start."""
    starts = [0 if size == 0 else 1 << (size.bit_length() - 1) for size in characters.to_list()]
    return [[start, number] for start, number in sorted(Counter(starts).items())]


@dataclass
class Repeats:
    """Documents that repeat another.

    Attributes:
        same: Documents beyond the first of those with the same text.
        alike: The same, but for case and white space.
        groups: How many texts stand more than once (`alike`).
        most: `copies, text` of the texts that stand most often.
    """

    same: int = 0
    alike: int = 0
    groups: int = 0
    most: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"copies": pl.Int64, "text": pl.String}))


def repeats(corpus: Corpus, folder: Path, characters: int = 120) -> Repeats:
    """Return how many documents repeat another, a million hashes of 8 bytes at a time."""
    found = Repeats()
    if not corpus.num_rows:
        return found
    files = sorted(folder.glob("*.parquet"))
    buckets = -(-corpus.num_rows // BUCKET_DOCUMENTS)
    tops = []
    for bucket in range(buckets):
        _, copies = _repeated(files, "same", bucket, buckets)
        found.same += int(copies.sum()) - copies.size
        hashes, copies = _repeated(files, "alike", bucket, buckets)
        found.alike += int(copies.sum()) - copies.size
        found.groups += copies.size
        tops.append(_most(files, hashes, copies))
    top = pl.concat(tops).sort("copies", "id", descending=[True, False]).head(EXAMPLES)
    wanted = top["id"].implode()
    texts = pl.concat(
        _copied(batch.filter(batch["id"].is_in(wanted)), characters) for batch in corpus.batches(["id", "text"])
    )
    found.most = top.join(texts, on="id", how="left", maintain_order="left").select("copies", "text")
    return found


def _repeated(files: Sequence[Path], kind: str, bucket: int, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of one bucket that several documents have, in order, and how many have each."""
    every = (read_shard(file, [kind])[kind].to_numpy() for file in files)  # one file in memory at a time
    values, copies = np.unique(
        np.concatenate([hashes[hashes % buckets == bucket] for hashes in every]), return_counts=True
    )
    return values[copies > 1], copies[copies > 1]


def _most(files: Sequence[Path], hashes: np.ndarray, copies: np.ndarray) -> pl.DataFrame:
    """Return `copies, id` of the hashes that stand most often, with the smallest id of each; of equals the smaller id.

    A shard can only bring smaller ids, so no more than the first few need to be kept from one to the next.
    """
    if hashes.size > EXAMPLES:
        often = copies >= np.partition(copies, -EXAMPLES)[-EXAMPLES]
        hashes, copies = hashes[often], copies[often]
    top = pl.DataFrame(schema={"alike": pl.UInt64, "copies": pl.Int64, "id": pl.String})
    for file in files if hashes.size else ():
        here = read_shard(file, ["alike", "id"])
        places = np.minimum(np.searchsorted(hashes, here["alike"].to_numpy()), hashes.size - 1)
        own = here.with_columns(pl.Series("copies", copies[places], dtype=pl.Int64)).select(top.columns)
        both = pl.concat([top, own.filter(pl.Series(hashes[places]) == here["alike"])])
        each = both.group_by("alike").agg(pl.col("copies").first(), pl.col("id").min())
        top = each.sort("copies", "id", descending=[True, False]).head(EXAMPLES)
    return top.select("copies", "id")


def sampled(corpus: Corpus, folder: Path, wanted: int, axis: str, characters: int) -> pl.DataFrame:
    """Return `text, group` of the documents with the smallest numbers; `group` is their value on the axis."""
    if not corpus.num_rows:
        return pl.DataFrame(schema={"text": pl.String, "group": pl.String})
    chosen = pl.DataFrame(schema={"id": pl.String, "number": pl.UInt64})
    for file in sorted(folder.glob("*.parquet")):
        chosen = pl.concat([chosen, read_shard(file, ["id", "number"])]).bottom_k(wanted, by=["number", "id"])
    frames = []
    for batch in corpus.batches():
        own = batch.filter(batch["id"].is_in(chosen["id"].implode()))
        frames.append(_copied(own, characters, axes_of(own, [axis]).to_series().alias("group")))
    return pl.concat(frames).join(chosen, on="id").sort("number", "id").select("text", "group")


def _copied(documents: pl.DataFrame, characters: int, *columns: pl.Series) -> pl.DataFrame:
    """Return ids, beginnings of texts and the columns in memory of their own.

    What polars filters or cuts keeps all texts of its shard: a sample of every shard would hold the whole corpus.
    """
    kept = [documents["id"], documents["text"].str.head(characters), *columns]
    return pl.DataFrame([pl.Series(column.name, column.to_list(), dtype=pl.String) for column in kept])


def repeated_lines(texts: Sequence[str], shown: int) -> tuple[float, pl.DataFrame]:
    """Return the share of characters in lines that stand in several texts, and the lines that stand in most.

    Lines are compared without white space at their edges; shorter ones than `MIN_LINE` characters, and
    those that are mostly signs, do not count.
    """
    spread: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for text in texts:
        lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
        long = Counter(line for line in lines if len(line) >= MIN_LINE and _has_words(line))
        spread.update(long.keys())
        sizes.update({line: number * len(line) for line, number in long.items()})
    total = sum(map(len, texts))
    repeated = sum(sizes[line] for line, documents in spread.items() if documents > 1)
    rows = sorted((-documents, line) for line, documents in spread.items() if documents > 1)[:shown]
    frame = pl.DataFrame(
        [(-documents, line) for documents, line in rows],
        schema={"documents": pl.Int64, "line": pl.String},
        orient="row",
    )
    return (repeated / total if total else 0.0), frame


def _has_words(line: str) -> bool:
    return 2 * sum(map(str.isalnum, line)) >= len(line)


def as_json(counts: Counts) -> dict[str, Any]:
    """Return the counts as JSON values."""
    return {
        "totals": {unit: counts.totals[unit] for unit in UNITS if unit in counts.totals},
        "lengths": [[start, number] for start, number in sorted(counts.lengths.items())],
        "parts": dict(counts.parts),
        "axes": {
            axis: {group: {"documents": pair[0], "characters": pair[1]} for group, pair in sorted(groups.items())}
            for axis, groups in counts.axes.items()
        },
    }
