"""Write a graph as the Python calls that build it again, and these as a notebook.

The calls are those of the Python form (`p.filter.chain(raw, [wb.filter.unicode()], name="clean")`), one cell for each
step; a notebook that was written has the fingerprints of the graph.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from workbench.contracts.component import Component
from workbench.pipeline.graph import Graph, InputRef, Refs, Step

WIDTH = 100  # columns of a line in a cell
INDENT = " " * 4
TAKEN_OPTIONS = ("name", "run")  # of every call that makes a step
TAKEN_NAMES = ("p", "wb", "run", "runs", "print")  # in a written notebook
HANDLE_NAMES = ("bench", "fingerprint", "head", "part", "parts", "pipeline", "ref", "result", "run", "signals", "step")
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def python_name(name: str) -> str:
    """Return a component's name as Python writes it.

    >>> python_name("gopher-quality"), python_name("lambda")
    ('gopher_quality', 'lambda_')
    """
    underscored = name.replace("-", "_")
    return f"{underscored}_" if keyword.iskeyword(underscored) else underscored


def option_name(name: str, cls: type[Component], *, with_inputs: bool) -> str:
    """Return how a setting is spelled in a call: with an underscore at its end where its name is taken."""
    taken = keyword.iskeyword(name) or (with_inputs and (name in TAKEN_OPTIONS or name in cls.inputs))
    return f"{name}_" if taken else name


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: `kind` is `markdown` or `code`."""

    kind: str
    text: str


def write_cells(graph: Graph, source: str, **places: str) -> list[Cell]:
    """Return the cells that build a graph, plan it and run it.

    Args:
        graph: The graph, its steps in an order in which each comes after what it reads.
        source: The pipeline file, as the heading names it.
        places: `store` and `base` of the pipeline, where they are not those of the notebook's folder.
    """
    names: dict[str, str] = {}
    for step in graph.steps:
        names[step] = _variable(step, {*TAKEN_NAMES, *names.values()})
    about = f"# {graph.name}\n\nThe pipeline of `{source}`, a cell for each step. Nothing runs before it is asked for."
    begin = _Call("wb.Pipeline(", ")", [("", _quoted(graph.name)), ("seed=", repr(graph.seed))])
    begin.items.extend((f"{option}=", _quoted(place)) for option, place in places.items())
    cells = [Cell("markdown", about), Cell("code", f"import workbench as wb\n\n{_laid_out('p = ', begin)}")]
    cells += [Cell("code", _laid_out(f"{names[name]} = ", _step(step, names))) for name, step in graph.steps.items()]
    if graph.sweep:
        cells.append(Cell("code", _laid_out("p.sweep = ", _expression(dict(graph.sweep)))))
    run = "runs = p.run_sweep()\nruns" if graph.sweep else "run = p.run()\nrun"
    cells += [Cell("markdown", "What would run, and why?"), Cell("code", "p.plan()"), Cell("code", run)]
    return [*cells, Cell("markdown", "The same as a pipeline file."), Cell("code", "print(p.to_yaml())")]


def as_ipynb(cells: list[Cell]) -> str:
    """Return the cells as a notebook, nbformat 4.5, without outputs."""
    written: list[dict[str, Any]] = [
        {
            "cell_type": cell.kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": cell.text.splitlines(keepends=True),
            **({"execution_count": None, "outputs": []} if cell.kind == "code" else {}),
        }
        for number, cell in enumerate(cells)
    ]
    document = {"cells": written, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def as_percent(cells: list[Cell]) -> str:
    """Return the cells as a text notebook (py:percent).

    >>> print(as_percent([Cell("markdown", "# A"), Cell("code", "1 + 1")]), end="")
    # %% [markdown]
    # # A
    <BLANKLINE>
    # %%
    1 + 1
    """
    parts = []
    for cell in cells:
        if cell.kind == "code":
            parts.append(f"# %%\n{cell.text}\n")
        else:
            lines = [f"# {line}".rstrip() for line in cell.text.splitlines()]
            parts.append("\n".join(["# %% [markdown]", *lines]) + "\n")
    return "\n".join(parts)


FORMS: Mapping[str, Callable[[list[Cell]], str]] = {".ipynb": as_ipynb, ".py": as_percent}
"""Ending of a file → how cells are written into it."""


@dataclass(frozen=True)
class _Call:
    """Something with items between brackets: `head`, then each item behind its own label, then `tail`."""

    head: str
    tail: str
    items: list[tuple[str, _Expression]]

    def __str__(self) -> str:
        return f"{self.head}{', '.join(f'{label}{item}' for label, item in self.items)}{self.tail}"


_Expression = str | _Call


def _variable(step: str, taken: Collection[str]) -> str:
    stem = python_name(step)
    number = 1
    while (chosen := stem if number == 1 else f"{stem}_{number}") in taken:
        number += 1
    return chosen


def _step(step: Step, names: Mapping[str, str]) -> _Call:
    cls = type(step.component)
    items: list[tuple[str, _Expression]] = []
    by_position = list(step.inputs) == list(cls.inputs)[: len(step.inputs)]
    for port, refs in step.inputs.items():
        items.append(("" if by_position else f"{port}=", _inputs(refs, names)))
    items += _options(step.component, with_inputs=True)
    items.append(("name=", _quoted(step.name)))
    run = step.run.model_dump(exclude_none=True)
    if run:
        items.append(("run=", _expression(run)))
    return _Call(f"p.{_path(step.component)}(", ")", items)


def _path(component: Component) -> str:
    kind, _, name = component.component_id.partition("/")
    return f"{kind}.{python_name(name)}"


def _inputs(refs: Refs, names: Mapping[str, str]) -> _Expression:
    if isinstance(refs, InputRef):
        return _input(refs, names)
    return _Call("[", "]", [("", _input(ref, names)) for ref in refs])


def _input(ref: InputRef, names: Mapping[str, str]) -> str:
    if ref.part is None:
        return names[ref.step]
    is_attribute = ref.part.isidentifier() and not keyword.iskeyword(ref.part) and not ref.part.startswith("_")
    if is_attribute and ref.part not in HANDLE_NAMES:
        return f"{names[ref.step]}.{ref.part}"
    return f"{names[ref.step]}[{_quoted(ref.part)}]"


def _options(component: Component, *, with_inputs: bool) -> Iterator[tuple[str, _Expression]]:
    cls = type(component)
    for name in cls.model_fields:
        if name in component.model_fields_set:
            spelled = option_name(name, cls, with_inputs=with_inputs)
            yield f"{spelled}=", _expression(getattr(component, name))


def _expression(value: Any) -> _Expression:
    if isinstance(value, Component):
        return _Call(f"wb.{_path(value)}(", ")", list(_options(value, with_inputs=False)))
    if isinstance(value, BaseModel):
        given = [name for name in type(value).model_fields if name in value.model_fields_set]
        return _expression({name: getattr(value, name) for name in given})
    if isinstance(value, Mapping):
        return _Call("{", "}", [(f"{_expression(key)}: ", _expression(item)) for key, item in value.items()])
    if isinstance(value, (set, frozenset)):
        return _expression(sorted(value, key=repr))
    if isinstance(value, (list, tuple)):
        return _Call("[", "]", [("", _expression(item)) for item in value])
    if isinstance(value, Enum):
        return _expression(value.value)
    return repr(value) if value is None or isinstance(value, (bool, int, float)) else _quoted(str(value))


def _quoted(text: str) -> str:
    """Return a literal, in double quotes unless there are some in the text.

    >>> print(_quoted("a"), _quoted("a's"), _quoted('say "a"'))
    "a" "a's" 'say "a"'
    """
    written = repr(text)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in text else written


def _laid_out(label: str, expression: _Expression, depth: int = 0) -> str:
    """Return the expression behind its label, in one line where it fits, else an item to a line."""
    line = f"{INDENT * depth}{label}{expression}"
    if isinstance(expression, str) or not expression.items or len(line) <= WIDTH:
        return line
    items = [f"{_laid_out(inner, item, depth + 1)}," for inner, item in expression.items]
    return "\n".join([f"{INDENT * depth}{label}{expression.head}", *items, f"{INDENT * depth}{expression.tail}"])
