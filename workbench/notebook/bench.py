"""`clean.bench()`: move the thresholds of a filter over its stored signals and see at once what they keep and drop.

No text is read for a count. Examples read the few shards that they stand in. Above `MAX_DOCUMENTS` documents every
second (third, …) is judged, and everything that is shown says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import read_shard
from workbench.contracts.records import DOCUMENT
from workbench.engine.corpus.axes import NONE, OWN, axes_of, group_order
from workbench.engine.corpus.mapping import result_names
from workbench.engine.corpus.thresholds import Counts, ThresholdBoard, Value, columns_for
from workbench.errors import UnknownName, UsageError
from workbench.notebook.display import Shown, as_html, as_text
from workbench.notebook.results import signals_folder
from workbench.pipeline.graph import InputRef, Step
from workbench.pipeline.graph_yaml import refuse_cell_classes, write_steps
from workbench.showing import Grid, Passage, View
from workbench.wording import share

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from workbench.notebook.handles import Handle

    Rows = npt.NDArray[np.int64]

MAX_DOCUMENTS = 2_000_000  # judged at a time; a move over as many takes about 0.1 s
MAX_GROUPS = 20  # shown of a column, the largest
CHARACTERS = 600  # of an example


class FilterBench:
    """The thresholds of a filter or chain, to be moved, and what they do to the documents that it has read.

    Last in a cell it shows a widget with a slider for every threshold; `table` is the same without a kernel.

        bench = clean.bench()
        bench.move("gopher-quality.min_words", 40)
        bench.counts.kept
        bench.examples("gopher-quality: too-few-words")
        print(bench.to_steps())

    Args:
        handle: A step that measures: a row filter or a chain. What is missing of it is run.

    Raises `UsageError` for a step that measures nothing, and for one that has read nothing.
    """

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self._folder = signals_folder(handle)
        self._step = handle.pipeline.graph.steps[handle.step]
        listed = json.loads((self._folder / "signals.json").read_text("utf-8"))
        self._poison: dict[str, Any] = listed.get("poison", {})
        self._shards = [(shard["name"], shard["rows"]) for shard in listed["shards"]]
        self.documents = sum(rows for _, rows in self._shards)
        if not self._shards:
            raise UsageError("the filter has read no documents", where=str(handle.ref))
        self.every = max(1, -(-self.documents // MAX_DOCUMENTS))
        self.board = ThresholdBoard(self._step.component, self._load())
        self._before = self.thresholds

    @property
    def thresholds(self) -> dict[str, Value]:
        """Every threshold, `FILTER.SETTING`, as it stands."""
        return self.board.thresholds

    def move(self, threshold: str, value: Value) -> Counts:
        """Set a threshold and return the new counts. Raises `UnknownName`, and `UsageError` where it is refused."""
        self.board.move(threshold, value)
        return self.counts

    def reset(self) -> None:
        """Set every threshold to what the step has."""
        self.board = ThresholdBoard(self._step.component, self.board.signals)

    @property
    def counts(self) -> Counts:
        """How many documents are read and kept, and what every rule drops, with others and alone."""
        return self.board.counts()

    def examples(self, rule: str, n: int = 5, *, alone: bool = False, seed: int = 0) -> Shown:
        """Show documents that a rule drops, drawn at random, as the filters before it left them.

        Args:
            rule: `FILTER: REASON`, as in `counts`.
            n: How many.
            alone: Only those that no other rule drops.
            seed: Another seed draws others.
        """
        name, _, reason = rule.partition(": ")
        rows = self.board.dropped_by(name, reason, alone=alone)
        drawn = np.sort(np.random.default_rng(seed).permutation(rows)[: max(0, n)])
        looked_at = [dial.signal for dial in self.board.dials.values() if reason in dial.reasons]
        asked = [column for column in dict.fromkeys(looked_at) if column.startswith(f"{name}.")]
        passages = [
            Passage(f"{key}  {self._measured(row, asked)}", text[:CHARACTERS])
            for row, key, text in self._texts(drawn.astype(np.int64))
        ]
        kind = " and no other rule drops" if alone else " drops"
        title = f"{len(passages)} of {rows.size:,} documents that {rule}{kind}"
        return Shown(View(title, passages=passages))

    def by(self, axis: str) -> Shown:
        """Show what share of each group of documents goes: the diversity audit of one filter, see `corpus/audit`.

        Args:
            axis: `source`, `language`, `domain`, `length`, `register`, a column, or a key of `meta`.

        Raises `UnknownName` for an axis on which no document has a value.
        """
        frame = pl.DataFrame({"group": self._groups(axis).fill_null(NONE), "gone": self.board.is_dropped})
        groups = frame.group_by("group").agg(pl.len().alias("documents"), pl.mean("gone"))
        counted = {group: (number, gone) for group, number, gone in groups.iter_rows()}
        order = group_order(axis, {group: number for group, (number, _) in counted.items()})[:MAX_GROUPS]
        rows = [(group, f"{counted[group][0]:,}", share(counted[group][1], 1)) for group in order]
        title = f"the {len(order)} largest of {len(counted)}" if len(counted) > len(order) else ""
        bars = tuple(counted[group][1] for group in order)
        grid = Grid(title, (axis, "documents", "dropped"), rows, (1, 2), bars)
        return Shown(View(f"dropped by {axis}{self._note}", grids=[grid]))

    def to_steps(self) -> str:
        """Return the YAML of the step with the thresholds as they stand, to be put into a pipeline file."""
        step = self._moved()
        refuse_cell_classes([step])
        return write_steps([step])

    def apply(self) -> Handle:
        """Put the thresholds as they stand into the pipeline and return the step; nothing is run yet."""
        self.handle.pipeline.replace_step(self._moved())
        self._step = self.handle.pipeline.graph.steps[self.handle.step]
        self._before = self.thresholds
        return self.handle

    @property
    def view(self) -> View:
        """The counts as a table, the rules that drop most first."""
        counts = self.counts
        rules = sorted((rule for rule in counts.rules if rule.drops), key=lambda rule: (-rule.drops, rule.filter))
        rows = [(rule.filter, rule.reason, f"{rule.drops:,}", f"{rule.alone:,}") for rule in rules]
        bars = tuple(rule.drops / max(1, counts.read) for rule in rules)
        grid = Grid("Rules", ("filter", "reason", "documents", "no other rule"), rows, (2, 3), bars)
        title = f"{self.handle.ref}: {counts.kept:,} of {counts.read:,} kept ({share(counts.kept, counts.read)}){self._note}"
        moved = [(name, f"{before} → {now}") for name, before, now in self._differences()]
        return View(title, facts=moved, grids=[grid] if rows else [])

    @property
    def table(self) -> Shown:
        """The counts as a table that survives where a widget does not."""
        return Shown(self.view)

    def widget(self) -> Any:
        """Return the widget: a slider and a text box for each threshold, counts, a picture, examples, YAML."""
        from workbench.notebook.bench_widget import BenchWidget

        return BenchWidget(self).box

    def __repr__(self) -> str:
        return as_text(self.view)

    def _repr_mimebundle_(self, **keywords: Any) -> dict[str, Any]:
        """Return the widget beside the table, so that a page without a kernel has something to show."""
        static = {"text/plain": as_text(self.view), "text/html": as_html(self.view)}
        return {**self.widget()._repr_mimebundle_(**keywords), **static}

    @property
    def _note(self) -> str:
        return f", judged by one document in {self.every} of {self.documents:,}" if self.every > 1 else ""

    def _differences(self) -> list[tuple[str, Value, Value]]:
        return [(name, self._before[name], now) for name, now in self.thresholds.items() if now != self._before[name]]

    def _moved(self) -> Step:
        return replace(self._step, component=self.board.component)

    def _load(self) -> pl.DataFrame:
        """Return the ids and the signals that rules look at, of every document or of every so many."""
        wanted = ["id", *columns_for(self._step.component)]
        frames = [read_shard(self._folder / "signals" / name, wanted)[rows] for name, rows in self._sampled()]
        return pl.concat(frames)

    def _sampled(self) -> Iterator[tuple[str, Rows]]:
        """Yield each shard with the rows of it that are judged."""
        place = 0
        for name, rows in self._shards:
            yield name, np.arange(-place % self.every, rows, self.every, dtype=np.int64)
            place += rows

    def _texts(self, rows: Rows) -> Iterator[tuple[int, str, str]]:
        """Yield row, id and text of judged documents, as the rewrites left them."""
        ids = self.board.signals["id"]
        starts = np.cumsum([0, *(picked.size for _, picked in self._sampled())])
        for (name, _), (start, end) in zip(self._shards, pairwise(starts), strict=True):
            inside = rows[(rows >= start) & (rows < end)]
            if not inside.size:
                continue
            texts = dict(self._read(name, ["text"]).select("id", "text").iter_rows())
            for row in inside.tolist():
                yield row, ids[row], texts[ids[row]]

    def _read(self, name: str, columns: list[str]) -> pl.DataFrame:
        """Return the documents of one shard that were measured, with what the rewrites changed in place."""
        frame = read_shard(self._sources[name], ["id", *columns])
        frame = frame.filter(~pl.col("id").is_in(list(self._poison.get(name, ()))))
        rewritten = self._folder / "rewritten" / name
        if rewritten.exists():
            changed = [column for column in pl.read_parquet_schema(rewritten) if column in columns]
            frame = frame.with_columns(read_shard(rewritten, ["id", *changed]).drop("id").get_columns())
        return frame

    def _groups(self, axis: str) -> pl.Series:
        """Return the group of every judged document, null where it has none. Raises `UnknownName`."""
        known = [*OWN, *(name for name in self._corpus.columns if name not in DOCUMENT)]
        columns = ["text", "source", "meta"] if axis in OWN else ["meta"]
        columns += [axis] if axis in self._corpus.columns and axis not in columns else []
        pieces = [axes_of(self._read(name, columns)[rows], [axis])[axis] for name, rows in self._sampled()]
        groups = pl.concat(pieces)
        if groups.null_count() == groups.len() > 0:
            raise UnknownName.among("axis", axis, [*known, "a key of meta"])
        return groups

    def _measured(self, row: int, columns: list[str]) -> str:
        values = self.board.signals[row].select(columns).row(0) if columns else ()
        return ", ".join(
            f"{name} {value:.4g}" for name, value in zip(columns, values, strict=True) if value is not None
        )

    @cached_property
    def _corpus(self) -> Corpus:
        ref = self._step.inputs["corpus"]
        if not isinstance(ref, InputRef):
            raise UsageError("the filter has no single corpus", where=str(self.handle.ref))
        pipeline = self.handle.pipeline
        found = pipeline.session.store.artifact(pipeline.fingerprints[ref.step], ref.part, ref.step)
        assert isinstance(found, Corpus)
        return found

    @cached_property
    def _sources(self) -> dict[str, Path]:
        """Name of a shard of the result → the shard it was made of."""
        corpus = self._corpus
        return {name: shard.path for shard, (name, _) in zip(corpus.shards, result_names(corpus), strict=True)}
