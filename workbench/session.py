"""The one door to the workbench: what the command line and the notebooks call.

Special here: nothing is opened before it is needed, so that looking at a run does not import a plugin, and checking
a pipeline does not open a store.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import Interrupted, UnknownName, UsageError
from workbench.wording import count

if TYPE_CHECKING:
    from workbench.artifacts import Artifact
    from workbench.compare import Comparison, Reproduction
    from workbench.files.digest import DigestCache
    from workbench.pipeline.fingerprint import Identity
    from workbench.pipeline.graph import Graph
    from workbench.pipeline.plan import Plan
    from workbench.registry import Registry
    from workbench.showing import View
    from workbench.store.collect import Leftover, Use
    from workbench.store.objects import Store
    from workbench.store.runs import RunRecord, Runs
    from workbench.trace import BatchTrace, DocumentTrace

STORE_VARIABLE = "WORKBENCH_STORE"
DEFAULT_STORE = ".workbench"
NUM_DIFFERENCES = 20  # lines of a message about a lock
Observer = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Variant:
    """One pipeline of a sweep.

    Attributes:
        label: What varies; empty when nothing does.
        graph: The pipeline.
        overrides: What was changed in the file: as given, and by the sweep.
    """

    label: str
    graph: Graph
    overrides: tuple[str, ...]


class Session:
    """A store and the components that are installed.

    Args:
        store: The folder of results; default `WORKBENCH_STORE`, else `.workbench` in the working folder. Raises
            `UsageError` when it is a file.
        registry: The components; default all that are installed.
    """

    def __init__(self, store: Path | str | None = None, registry: Registry | None = None) -> None:
        self.root = Path(store or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE).absolute()
        if self.root.exists() and not self.root.is_dir():
            raise UsageError("not a folder, so it cannot be a store", where=str(self.root), advice="name a folder")
        self._registry = registry

    @cached_property
    def registry(self) -> Registry:
        """Every component there is."""
        from workbench.registry import shared_registry

        return self._registry or shared_registry()

    @cached_property
    def store(self) -> Store:
        """The results."""
        from workbench.store.objects import Store

        return Store(self.root)

    @cached_property
    def runs(self) -> Runs:
        """The records of runs."""
        from workbench.store.runs import Runs

        return Runs(self.root)

    @cached_property
    def digest(self) -> DigestCache:
        """Digests of files outside the store, remembered."""
        from workbench.files.digest import DigestCache

        return DigestCache(self.root)

    def read(self, source: Path | str, overrides: Sequence[str] = (), base: Path | None = None) -> Graph:
        """Return the checked pipeline of a file (`Path`) or of YAML text. Raises `PipelineError` with every mistake."""
        from workbench.pipeline.check import read_pipeline

        path, text = (source, None) if isinstance(source, Path) else (None, source)
        return read_pipeline(path, text, self.registry, tuple(overrides), base)

    def variants(self, source: Path | str, overrides: Sequence[str] = ()) -> list[Variant]:
        """Return the pipelines a file stands for: one, or one for each combination of its sweep."""
        from workbench.pipeline.sweep import expand

        graph = self.read(source, overrides)
        if not graph.sweep:
            return [Variant("", graph, tuple(overrides))]
        changed = [(label, (*overrides, *more)) for label, more in expand(graph)]
        return [Variant(label, self.read(source, every), every) for label, every in changed]

    def identify(self, graph: Graph) -> dict[str, Identity]:
        """Return the identity of every step's result, without running anything."""
        from workbench.pipeline.fingerprint import identify

        return identify(graph, self.digest)

    def plan(self, graph: Graph, until: str | None = None) -> Plan:
        """Return what would run, and why."""
        from workbench.pipeline.plan import make_plan

        wanted = graph.until(until) if until else graph
        return make_plan(wanted, self.identify(wanted), self.store.has, self.runs.previous_keys(graph.name))

    def cards(self, graph: Graph) -> list[View]:
        """Return what the models that a pipeline trains cost; each is built and tried for about a second."""
        from workbench.showing_cards import view_forecast
        from workbench.training.forecast import forecasts

        return [view_forecast(forecast) for forecast in forecasts(graph)]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of pipeline files over the installed components."""
        from workbench.pipeline.schema import json_schema

        return json_schema(self.registry)

    def write_notebook(self, source: Path, target: Path, overrides: Sequence[str] = ()) -> int:
        """Write a pipeline file as a notebook (`.ipynb` or `.py`) over this store; return its number of cells.

        Raises `PipelineError` with every mistake, `UsageError` when `target` is there or has another ending.
        """
        from workbench.files.atomic import write_text
        from workbench.pipeline.graph_python import FORMS, write_cells

        graph = self.read(source, overrides)
        if target.suffix not in FORMS:
            raise UsageError(
                "not the name of a notebook", where=str(target), expected=f"{' or '.join(FORMS)} at its end"
            )
        if target.exists():
            raise UsageError("would be overwritten", where=str(target), advice="name another one: --out NOTEBOOK")
        folder = target.absolute().parent
        places = {"store": (self.root, folder / DEFAULT_STORE), "base": (graph.base, folder)}
        named = {name: os.path.relpath(place, folder) for name, (place, usual) in places.items() if place != usual}
        cells = write_cells(graph, source.name, **named)
        write_text(target, FORMS[target.suffix](cells))
        return len(cells)

    def run(
        self,
        graph: Graph,
        *,
        until: str | None = None,
        executor: str | None = None,
        locked: bool = False,
        observers: Sequence[Observer] = (),
        overrides: Sequence[str] = (),
    ) -> RunRecord:
        """Run what is missing and return the record.

        Args:
            graph: The pipeline.
            until: The last step that is wanted; default all.
            executor: Runs every step that names none itself.
            locked: Refuse to start unless everything is as in the newest finished run of this pipeline.
            observers: Called with every event.
            overrides: What was changed in the file, for the record.
        """
        from workbench.engine.execute import execute

        identities = self.identify(graph.until(until) if until else graph)
        if locked:
            self._check_lock(graph, identities)
        return execute(
            graph,
            identities,
            self.store,
            self.runs,
            observers=observers,
            until=until,
            executor=executor,
            registry=self.registry,
            overrides=overrides,
        )

    def _check_lock(self, graph: Graph, identities: Mapping[str, Identity]) -> None:
        from workbench.pipeline.lock import lock_differences, make_lock

        finished = [run for run in self.runs.all() if run.name == graph.name and run.status == "done"]
        wanted = set(identities)
        whole = [run for run in finished if wanted <= {step.name for step in run.steps}]
        record = next(reversed(whole or finished), None)
        if record is None:
            raise UsageError(
                "there is nothing to hold the run to",
                where=f"--locked {graph.name}",
                expected=f"a finished run of {graph.name} in {self.root}",
                advice="run it once without --locked",
            )
        lock = record.lock
        if len(identities) < len(graph.steps):  # a part of the pipeline is held to its part of the lock
            lock = {**lock, "steps": {name: step for name, step in lock["steps"].items() if name in identities}}
        differences = lock_differences(lock, make_lock(graph, identities))
        if differences:
            raise LockMismatch(record.id, differences)

    def find_run(self, name: str) -> RunRecord:
        """Return the run that an id, the start of one, or `last` names. Raises `UsageError`."""
        try:
            return self.runs.find(name)
        except UnknownName as error:
            if self.runs.all():
                raise
            raise UsageError(
                f"there is no run {name!r}: nothing was run in this store yet",
                where=str(self.root),
                advice="workbench run FILE, or name another store: --store DIR",
            ) from error

    def find_result(self, reference: str) -> tuple[RunRecord, str, str | None]:
        """Return the run, the step and the part that `RUN:STEP` or `RUN:STEP.PART` names."""
        run, _, rest = reference.partition(":")
        step, _, part = rest.partition(".")
        record = self.find_run(run)
        return record, record.step(step).name, part or None

    def artifact(self, reference: str) -> Artifact:
        """Return the verified result that `RUN:STEP` or `RUN:STEP.PART` names."""
        record, step, part = self.find_result(reference)
        found = record.step(step)
        if not self.store.has(found.fingerprint):
            raise UsageError(
                f"step {step} has no result in the store ({found.status} in this run)",
                where=record.id,
                advice=f"workbench show {record.id} says why" if found.error else "run the pipeline again",
            )
        artifact = self.store.artifact(found.fingerprint, part, step)
        parts = getattr(artifact, "parts", ())
        if part is not None and not parts:
            raise UsageError(
                f"{step} has no parts", where=f"{record.id}:{step}", expected=f"{reference.partition('.')[0]}"
            )
        if part is not None and part not in parts:
            raise UnknownName.among("part", part, parts, where=f"{record.id}:{step}")
        return artifact

    def show(self, reference: str) -> View:
        """Return the view of a run (`last`) or of one of its results (`last:STEP`, `last:STEP.PART`)."""
        from workbench.showing import view_artifact, view_run

        if ":" not in reference:
            return view_run(self.find_run(reference))
        record, step, _ = self.find_result(reference)
        return view_artifact(self.artifact(reference), record.step(step).component)

    def figures(self, record: RunRecord) -> dict[str, float]:
        """Return the scores and last losses of a run, as `STEP NAME`."""
        from workbench.showing import headline_figures

        results = [(step.name, step.fingerprint) for step in record.steps if self.store.has(step.fingerprint)]
        return headline_figures(self.store.artifact(fingerprint, step=name) for name, fingerprint in results)

    def trace_document(self, document: str, run: str | None = None) -> DocumentTrace:
        """Follow a document (its id or the start of it) through `run`, or the newest run that has it."""
        from workbench.trace import trace_document

        records = [self.find_run(run)] if run else self.runs.all()[::-1]
        return trace_document(self.store, records, document)

    def trace_batch(self, reference: str) -> BatchTrace:
        """Return the documents that training step `RUN:STEP:N` saw."""
        from workbench.trace import parse_batch, trace_batch

        run, step, position = parse_batch(reference)
        return trace_batch(self.store, self.find_run(run), step, position)

    def compare(self, first: str, second: str) -> Comparison:
        """Return how two runs differ: settings, code, versions, ledgers and scores."""
        from workbench.compare import compare_runs

        return compare_runs(self.store, self.find_run(first), self.find_run(second))

    def reproduce(self, run: str, observers: Sequence[Observer] = ()) -> Reproduction:
        """Run the recorded pipeline again in an empty store and compare every result with the one kept here.

        Raises `Interrupted` when the second run was stopped: there is nothing to compare.
        """
        from workbench.compare import compare_results

        record = self.find_run(run)
        with self._empty_session() as other:
            graph = other.read(record.pipeline, base=Path(record.base))
            again = other.run(graph, until=record.until, observers=observers)
            if again.status == "interrupted":
                raise Interrupted("the reproduction was stopped", where=record.id, advice="run the same command again")
            return compare_results(self.store, record, other.store, again)

    def verify(self) -> dict[str, Any]:
        """Read every result whole; returns `verified` (how many) and `damaged` (name, fingerprint, problem)."""
        names = {use.fingerprint: use.name for use in self.usage()}
        verified = len(list(self.store.objects()))
        damaged = [
            {"name": names[item.fingerprint], "fingerprint": item.fingerprint, "problem": item.problem}
            for item in self.store.verify()
        ]
        return {"verified": verified, "damaged": damaged}

    def leftovers(self) -> list[Leftover]:
        """Return what `collect` would delete."""
        from workbench.store.collect import find_leftovers

        return find_leftovers(self.store, self.runs)

    def collect(self) -> list[Leftover]:
        """Delete what no run refers to, and return what is gone."""
        from workbench.store.collect import collect

        return collect(self.store, self.runs)

    def usage(self) -> list[Use]:
        """Return what takes how much space, the largest first."""
        from workbench.store.collect import measure

        return measure(self.store, self.runs)

    @contextmanager
    def _empty_session(self) -> Iterator[Session]:
        with self.store.scratch() as folder:
            session = Session(folder, self.registry)
            try:
                yield session
            finally:
                session.digest.save()  # now: when the object goes away, its folder is gone, and would be made again


class LockMismatch(UsageError):
    """Raise when `--locked` meets something that is not as it was; `differences` names everything.

    Like the mistakes of a pipeline, the differences are one line each, the first twenty of them in the message.
    """

    def __init__(self, run: str, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__(
            f"not as locked, {count(len(differences), 'difference')}",
            where=run,
            expected="the code, settings, versions and files of that run",
            advice="restore them, or run without --locked to lock anew",
        )

    @property
    def message(self) -> str:
        """Return what to do, and one line for each difference."""
        shown = [f"  {line}" for line in self.differences[:NUM_DIFFERENCES]]
        hidden = len(self.differences) - len(shown)
        return "\n".join([super().message, *shown, *([f"  and {hidden} more"] if hidden else [])])
