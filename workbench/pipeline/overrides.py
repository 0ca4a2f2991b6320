"""Settings changed from the command line: `-s base.with.optimizer.lr=1e-3`.

Special here: the value is put into the tree the file was read into, with the override as its place, so that it goes
through the same checks and a mistake in it is shown where the user made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import PipelineError, Problem, did_you_mean
from workbench.pipeline.yaml_nodes import MAX_DEPTH, Entry, Mark, Node, parse_yaml

TOP_LEVEL = ("workbench", "name", "seed", "steps", "sweep")


def apply_overrides(root: Node, overrides: Sequence[str]) -> tuple[Node, list[Problem]]:
    """Return the tree with every `path=value` set, and what is wrong with the overrides themselves.

    Setting a path that the `sweep` varies takes it out of the sweep.
    """
    problems: list[Problem] = []
    for text in overrides:
        path, equals, value = text.partition("=")
        mark = Mark(f"-s {text}", 1, 1)
        if not equals or not path:
            problems.append(mark.problem("an override is written path=value, such as base.with.optimizer.lr=1e-3"))
            continue
        try:
            node = _value(value, replace(mark, column=len(path) + 2))
            root = set_value(root, path, node, mark)
        except PipelineError as error:
            problems += error.problems
    return root, problems


def set_value(root: Node, path: str, node: Node, mark: Mark) -> Node:
    """Return the tree with `node` at a dotted path. Raises `PipelineError` when the path leads nowhere."""
    steps = full_path(root, path, mark)
    root = _set(root, steps, node, mark)
    sweep = root.entries.get("sweep")
    if sweep is None or not sweep.node.is_mapping:
        return root
    left = {name: entry for name, entry in sweep.node.entries.items() if _same(name, steps)}
    rest = {**root.entries, "sweep": Entry(sweep.mark, Node(sweep.node.mark, left))}
    if not left:
        del rest["sweep"]
    return Node(root.mark, rest)


def full_path(root: Node, path: str, mark: Mark) -> list[str]:
    """Return the keys from the top of the file for a path that may start at a step's name."""
    steps = path.split(".")
    if "" in steps:
        raise PipelineError([mark.problem(f"the path {path!r} has an empty part")])
    if len(steps) > MAX_DEPTH:
        raise PipelineError(
            [mark.problem(f"a path of {len(steps)} parts; a file is nested {MAX_DEPTH} levels at most")]
        )
    entry = root.entries.get("steps")
    known = entry.node.entries if entry else {}
    if steps[0] != "steps":
        if steps[0] in TOP_LEVEL:
            return steps
        steps = ["steps", *steps]
    if len(steps) < 2 or steps[1] not in known:  # noqa: PLR2004  # "steps" and the name of one
        given = steps[1] if len(steps) > 1 else "steps"
        raise PipelineError([mark.problem(f"unknown step {given!r}{did_you_mean(given, [*known, *TOP_LEVEL])}")])
    return steps


def _same(name: str, steps: list[str]) -> bool:
    return name.split(".") not in (steps, steps[1:])


def _value(text: str, mark: Mark) -> Node:
    if not text.strip():
        return Node(mark, None)
    try:
        return _move(parse_yaml(text, mark.file), mark)
    except PipelineError as error:
        first = error.problems[0]
        raise PipelineError([replace(mark, column=mark.column + first.column - 1).problem(first.message)]) from error


def _move(node: Node, mark: Mark) -> Node:
    """Return a tree parsed from the value alone with its columns counted from the start of the override."""

    def moved(place: Mark) -> Mark:
        return replace(place, column=place.column + mark.column - 1) if place.line == 1 else place

    value = node.value
    if isinstance(value, dict):
        value = {name: Entry(moved(entry.mark), _move(entry.node, mark)) for name, entry in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_move(item, mark) for item in value)
    return Node(moved(node.mark), value)


def _set(node: Node, steps: list[str], value: Node, mark: Mark) -> Node:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(node.value, tuple):
        if not step.isdecimal() or int(step) >= len(node.value):
            message = f"expected the number of an item, 0 to {len(node.value) - 1}, got {step!r}"
            raise PipelineError([mark.problem(message)])
        items = list(node.value)
        items[int(step)] = _set(items[int(step)], rest, value, mark)
        return Node(node.mark, tuple(items))
    if node.value is not None and not node.is_mapping:
        raise PipelineError([mark.problem(f"nothing can be set below a single value: {step!r}")])
    old = node.entries.get(step)
    below = _set(old.node if old else Node(mark, None), rest, value, mark)
    place = old.mark if old and rest else mark
    return Node(node.mark, {**node.entries, step: Entry(place, below)})
