"""Write a graph back as a pipeline file, the canonical form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

from workbench.contracts.component import Component, nested
from workbench.errors import UsageError
from workbench.pipeline.document import VERSION
from workbench.pipeline.graph import Graph, InputRef, Refs, Step
from workbench.pipeline.yaml_write import write_yaml

CELL = "__main__"


def write_graph(graph: Graph) -> str:
    """Return the YAML of a graph: the settings that were given, defaults left to the components."""
    document: dict[str, Any] = {
        "workbench": VERSION,
        "name": graph.name,
        "seed": graph.seed,
        "steps": {name: _step(step) for name, step in graph.steps.items()},
    }
    if graph.sweep:
        document["sweep"] = dict(graph.sweep)
    return write_yaml(document)


def write_steps(steps: Iterable[Step]) -> str:
    """Return the YAML of some steps, as they stand below `steps:` of a pipeline file."""
    return write_yaml({step.name: _step(step) for step in steps})


def refuse_cell_classes(steps: Iterable[Step]) -> None:
    """Raise `UsageError` when a step uses a class that lives in a notebook cell: no file can name it."""
    for step in steps:
        for cls in cell_classes(step.component):
            raise UsageError(
                f"{cls.component_id} is the class {cls.__qualname__} of this notebook; a file cannot name it",
                where=step.name,
                expected="classes that live in an installed module",
                advice=f"move {cls.__qualname__} into a module and list it as a plugin (workbench plugins new NAME)",
            )


def cell_classes(component: Component) -> Iterator[type[Component]]:
    """Yield the classes of a component, and of those in its settings, that were defined in a notebook cell."""
    if type(component).__module__ == CELL:
        yield type(component)
    for inner in nested(component):
        yield from cell_classes(inner)


def _step(step: Step) -> dict[str, Any]:
    entry: dict[str, Any] = {"use": step.component.component_id}
    if step.inputs:
        entry["inputs"] = _inputs(step)
    settings = given_settings(step.component)
    if settings:
        entry["with"] = settings
    run = step.run.model_dump(exclude_none=True)
    if run:
        entry["run"] = run
    return entry


def _inputs(step: Step) -> Any:
    first = next(iter(type(step.component).inputs), None)
    plain = {port: _refs(refs) for port, refs in step.inputs.items()}
    return plain[first] if first is not None and list(plain) == [first] else plain


def _refs(refs: Refs) -> str | list[str]:
    return str(refs) if isinstance(refs, InputRef) else [str(ref) for ref in refs]


def given_settings(value: BaseModel) -> dict[str, Any]:
    """Return the settings that were given, in the order of the class, nested components as `{use, with}`."""
    names = [name for name in type(value).model_fields if name in value.model_fields_set]
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        settings = given_settings(value)
        return {"use": value.component_id, **({"with": settings} if settings else {})}
    if isinstance(value, BaseModel):
        return given_settings(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return _plain(value.value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
