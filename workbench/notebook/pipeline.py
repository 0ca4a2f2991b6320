"""The Python form of a pipeline: lazy handles that stand for the results of steps.

    p = Pipeline("tiny-en", seed=1234)
    raw = p.source.jsonl(paths=["data/*.jsonl"])
    clean = p.filter.chain(raw, [wb.filter.unicode(), wb.filter.pii()])
    p.run()

Special here: nothing runs when a step is added, but it is checked at once, so that a mistake is shown at the line of
the call. The YAML form is the canonical one: `load(p.to_yaml())` has the same fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench.contracts.component import Component
from workbench.contracts.references import KINDS, ComponentRef
from workbench.errors import EnvironmentProblem, PipelineError, Problem, UnknownName, UsageError
from workbench.files.atomic import write_text
from workbench.notebook.handles import Handle
from workbench.notebook.namespaces import (
    Namespace,
    build_or_raise,
    call_error,
    options_by_setting,
    with_positional,
)
from workbench.pipeline.document import MAX_SEED, NO_STEPS, PIPELINE_NAME, STEP_NAME
from workbench.pipeline.graph import Graph, Refs, RunOptions, Step
from workbench.pipeline.graph_python import python_name
from workbench.pipeline.graph_yaml import cell_classes, refuse_cell_classes, write_graph
from workbench.pipeline.setting_messages import explain, show
from workbench.pipeline.sweep import expand
from workbench.pipeline.wiring import Outcome, Wire, check_wiring, order_steps, outcomes_of
from workbench.session import Session

if TYPE_CHECKING:
    from workbench.notebook.results import Run, ShownPlan
    from workbench.registry import Registry

STEP_KINDS = tuple(kind for kind in KINDS if kind not in NO_STEPS)


class Pipeline:
    """Steps and one seed.

    Args:
        name: The pipeline's name.
        seed: The one seed.
        store: The folder of results; default as for the command line.
        base: The folder that relative paths in settings start from; default: the working folder.
        registry: The components; default all that are installed.
    """

    def __init__(
        self,
        name: str,
        seed: int = 0,
        *,
        store: Path | str | None = None,
        base: Path | str | None = None,
        registry: Registry | None = None,
    ) -> None:
        if not PIPELINE_NAME.match(name):
            expected = "letters, digits, '.', '_' or '-', at most 64 and not '.' first"
            raise UsageError(f"{name!r} cannot be a pipeline's name", expected=expected)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
            raise UsageError(f"seed must be a whole number from 0, got {seed!r}", where=name)
        self.name = name
        self.seed = seed
        self.base = Path(base or Path.cwd()).absolute()
        self.sweep: dict[str, list[Any]] = {}
        self._store = store
        self._registry = registry
        self._steps: dict[str, Step] = {}

    @classmethod
    def of(cls, graph: Graph, *, store: Path | str | None = None, registry: Registry | None = None) -> Pipeline:
        """Return the Python form of a checked graph."""
        pipeline = cls(graph.name, graph.seed, store=store, base=graph.base, registry=registry)
        pipeline.sweep = dict(graph.sweep)
        pipeline._steps = dict(graph.steps)
        return pipeline

    @cached_property
    def session(self) -> Session:
        """The session that runs this pipeline."""
        return Session(self._store, self._registry)

    def __getattr__(self, kind: str) -> Namespace[Handle]:
        if kind not in STEP_KINDS:
            raise AttributeError(f"a pipeline has no {kind!r}; steps are made by p.{', p.'.join(STEP_KINDS)}")
        return Namespace(kind, lambda: self.session.registry, self._add, with_inputs=True)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *STEP_KINDS})

    def __getitem__(self, step: str) -> Handle:
        """Return the handle of `step` or `step.part`. Raises `UnknownName`."""
        name, _, part = step.partition(".")
        if name not in self._steps:
            raise UnknownName.among("step", name, self._steps, where=self.name)
        return Handle(self, name)[part] if part else Handle(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.graph.steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __repr__(self) -> str:
        lines = [f"  {step.name}: {step.component.component_id}" for step in self._steps.values()]
        return "\n".join([f"Pipeline {self.name!r}, seed {self.seed}", *lines])

    @property
    def graph(self) -> Graph:
        """The checked graph. Raises `PipelineError` when a replaced step no longer fits those after it."""
        wires = self._wires()
        problems = check_wiring(wires, self.session.registry)
        if problems:
            raise PipelineError([Problem(f"{self.name}:{step}", 1, 1, problem.message) for step, problem in problems])
        ordered, _ = order_steps(wires)
        steps = {name: self._steps[name] for name in ordered}
        graph = Graph(self.name, self.seed, steps, self.base, self.sweep)
        return replace(graph, source=write_graph(graph))

    @property
    def fingerprints(self) -> dict[str, str]:
        """Step → fingerprint of its result, without running anything."""
        return {name: identity.fingerprint for name, identity in self.session.identify(self.graph).items()}

    def plan(self) -> ShownPlan:
        """Return what would run, and why."""
        from workbench.notebook.results import ShownPlan

        return ShownPlan(self.session.plan(self.graph).steps)

    def run(self, until: str | Handle | None = None, *, executor: str | None = None) -> Run:
        """Run what is missing, the whole pipeline or up to one step, and return the record."""
        if self.sweep:
            raise UsageError("this pipeline has a sweep", where=self.name, advice="p.run_sweep(), or empty p.sweep")
        graph = self.graph
        if until is not None:
            graph = graph.until(until.step if isinstance(until, Handle) else until)
        return self._run(_runnable(graph), executor)

    def run_sweep(self, *, executor: str | None = None) -> dict[str, Run]:
        """Run every combination of the sweep; label → record. Steps that are equal in all run once."""
        graph = self.graph
        refuse_cell_classes(graph.steps.values())
        return {
            label: self._run(self.session.read(graph.source, overrides, self.base), executor)
            for label, overrides in expand(graph)
        }

    def _run(self, graph: Graph, executor: str | None) -> Run:
        from workbench.notebook.progress import watch
        from workbench.notebook.results import Run

        return Run(self.session.run(graph, executor=executor, observers=[watch()]), self.session)

    def to_yaml(self, path: Path | str | None = None) -> str:
        """Return the pipeline file, and write it to `path`.

        Raises `UsageError` for a class that lives in a cell, and for a folder in which relative paths of the
        settings would mean other files.
        """
        graph = self.graph
        refuse_cell_classes(graph.steps.values())
        if path is not None:
            self._check_folder(graph, Path(path).absolute().parent)
            write_text(Path(path), graph.source)
        return graph.source

    def _check_folder(self, graph: Graph, folder: Path) -> None:
        if folder.resolve() == self.base.resolve() or self._has_same_files(graph, folder):
            return
        raise UsageError(
            "relative paths in the settings would not lead to the same files from there",
            where=str(folder),
            expected=f"a file in {self.base}, where this pipeline's paths start",
            advice="write it there, use absolute paths, or give Pipeline(base=…)",
        )

    def _has_same_files(self, graph: Graph, folder: Path) -> bool:
        try:
            return self.session.identify(replace(graph, base=folder)) == self.session.identify(graph)
        except EnvironmentProblem:
            return False

    def replace_step(self, step: Step) -> None:
        """Put `step` in the place of the one of its name. Raises `UnknownName`."""
        if step.name not in self._steps:
            raise UnknownName.among("step", step.name, self._steps, where=self.name)
        self._steps[step.name] = step

    def outcome(self, step: str) -> Outcome | None:
        """Return what is known of a step's result before it runs."""
        return outcomes_of(self._wires(), self.session.registry)[step]

    def _wires(self) -> dict[str, Wire]:
        return {name: _wire(step) for name, step in self._steps.items()}

    def _add(self, ref: ComponentRef, values: tuple[Any, ...], options: Mapping[str, Any]) -> Handle:
        """Add a step; `name=` replaces an earlier one of that name, an equal unnamed step is taken as it is."""
        registry = self.session.registry
        cls = registry.load(ref.id)
        given = dict(options)
        name, run = given.pop("name", None), given.pop("run", None)
        inputs, rest = _inputs(self, ref, cls, values, given)
        settings = options_by_setting(cls, given, with_inputs=True)
        component = build_or_raise(registry, cls, ref, with_positional(cls, ref.id, rest, settings))
        step = Step(self._name_for(ref, name), component, inputs, _run_options(ref, run))
        if name is None:
            same = next((old for old in self._steps.values() if replace(old, name=step.name) == step), None)
            if same is not None and python_name(ref.name) in (same.name, same.name.rpartition("_")[0]):
                return Handle(self, same.name)
        if step.name in {needed.step for needed in step.refs}:
            raise UsageError(
                f"{step.name!r} is the name of its own input", where=ref.id, expected="name= a name of its own, or none"
            )
        wires = {**self._wires(), step.name: _wire(step)}
        problems = [problem for where, problem in check_wiring(wires, registry) if where == step.name]
        if problems:
            raise call_error(ref.id, problems)
        self._steps[step.name] = step
        return Handle(self, step.name)

    def _name_for(self, ref: ComponentRef, name: str | None) -> str:
        if name is not None:
            if not isinstance(name, str) or not STEP_NAME.match(name):
                raise UsageError(
                    f"{name!r} cannot be a step's name",
                    expected="a letter from a to z or A to Z, then such letters, digits, '_', '-'",
                )
            return name
        stem = python_name(ref.name)
        number = 1
        while (chosen := stem if number == 1 else f"{stem}_{number}") in self._steps:
            number += 1
        return chosen


def _wire(step: Step) -> Wire:
    return Wire(step.component.component_id, type(step.component), step.component, dict(step.inputs))


def _inputs(
    pipeline: Pipeline, ref: ComponentRef, cls: type[Component], values: tuple[Any, ...], options: dict[str, Any]
) -> tuple[dict[str, Refs], list[Any]]:
    """Take the handles out of a call: by position they fill the ports in order, by name those named."""
    inputs: dict[str, Refs] = {}
    for name in list(options):
        if _is_input(options[name]):
            inputs[name] = _refs(pipeline, ref, options.pop(name))
        elif name in cls.inputs:
            raise UsageError(
                f"{name!r} is an input and takes a step, got {show(options[name])}",
                where=ref.id,
                expected="what a call such as p.source.jsonl(…) gave, or p['its name']",
            )
    free = [port for port in cls.inputs if port not in inputs]
    rest = []
    for value in values:
        if not _is_input(value):
            rest.append(value)
        elif not free:
            raise UsageError("too many inputs", where=ref.id, expected=f"inputs: {', '.join(cls.inputs) or 'none'}")
        else:
            inputs[free.pop(0)] = _refs(pipeline, ref, value)
    known = {port: inputs[port] for port in cls.inputs if port in inputs}
    return known | inputs, rest


def _is_input(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, Handle) for item in value)
    return isinstance(value, Handle)


def _refs(pipeline: Pipeline, ref: ComponentRef, value: Any) -> Refs:
    handles = [value] if isinstance(value, Handle) else list(value)
    if any(handle.pipeline is not pipeline for handle in handles):
        raise UsageError("an input belongs to another pipeline", where=ref.id)
    return handles[0].ref if isinstance(value, Handle) else tuple(handle.ref for handle in handles)


def _run_options(ref: ComponentRef, run: Mapping[str, Any] | RunOptions | None) -> RunOptions:
    if isinstance(run, RunOptions):
        return run
    try:
        return RunOptions.model_validate(run or {}, strict=True)
    except ValidationError as error:
        raise call_error(ref.id, explain(error, RunOptions, "run", run, ("run",))) from None


def _runnable(graph: Graph) -> Graph:
    """Return the graph with steps whose class lives in a cell kept in this process: no other one can import it."""
    inline = RunOptions(executor="inline", workers=1)
    steps = {
        name: replace(step, run=inline) if any(cell_classes(step.component)) else step
        for name, step in graph.steps.items()
    }
    return replace(graph, steps=steps)


def load(source: Path | str, *, store: Path | str | None = None, registry: Registry | None = None) -> Pipeline:
    """Return the Python form of a pipeline file (a path) or of its YAML text.

    Raises `PipelineError` with every mistake.
    """
    is_path = isinstance(source, Path) or ("\n" not in source and source.endswith((".yaml", ".yml")))
    session = Session(store, registry)
    graph = session.read(Path(source) if is_path else str(source))
    return Pipeline.of(graph, store=store, registry=registry)
