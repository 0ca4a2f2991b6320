"""The outer shape of a pipeline file: which keys there are and what kind of value each takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import Problem, did_you_mean
from workbench.pipeline.setting_messages import show
from workbench.pipeline.yaml_nodes import Mark, Node

VERSION = 1
TOP_KEYS = ("workbench", "name", "seed", "steps", "sweep")
STEP_KEYS = ("use", "inputs", "with", "run")
NO_STEPS = ("architecture", "objective", "tuning")  # kinds that stand in the settings of a step
PIPELINE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
STEP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
MAX_SEED = 2**63 - 1


@dataclass
class StepNode:
    """One step as written: its place and those of its four values."""

    name: str
    mark: Mark
    node: Node
    use: str | None = None

    def plain(self, key: str) -> Any:
        """Return the value of `inputs`, `with` or `run` as plain Python, None when it is not there."""
        entry = self.node.entries.get(key)
        return entry.node.plain if entry else None

    def locate(self, path: tuple[str | int, ...], *, on_key: bool) -> Mark:
        """Return the place of a value (or key) below this step; what is missing is at the step's name."""
        if not path or str(path[0]) not in self.node.entries:
            return self.mark
        return self.node.locate(path, key=on_key)


@dataclass
class Document:
    """A pipeline file whose outer shape is known."""

    name: str
    seed: int = 0
    steps: dict[str, StepNode] = field(default_factory=dict)
    sweep: dict[str, Node] = field(default_factory=dict)


def read_document(root: Node, default_name: str, problems: list[Problem]) -> Document:
    """Return what the file says, leaving out (and adding to `problems`) what has the wrong shape."""
    document = Document(default_name)
    if not root.is_mapping:
        problems.append(
            root.mark.problem("a pipeline file is a mapping with 'workbench: 1', 'name', 'seed' and 'steps'")
        )
        return document
    _unknown_keys(root, TOP_KEYS, "a pipeline", problems)
    _check_version(root, problems)
    document.name = _name(root, default_name, problems)
    document.seed = _seed(root, problems)
    document.steps = _steps(root, problems)
    document.sweep = _sweep(root, problems)
    return document


def _unknown_keys(node: Node, known: tuple[str, ...], owner: str, problems: list[Problem]) -> None:
    for key, entry in node.entries.items():
        if key not in known:
            hint = did_you_mean(key, known) or f" (known: {', '.join(known)})"
            problems.append(entry.mark.problem(f"unknown key {key!r} of {owner}{hint}"))


def _check_version(root: Node, problems: list[Problem]) -> None:
    entry = root.entries.get("workbench")
    if entry is None:
        problems.append(root.mark.problem("the file must say 'workbench: 1', the version of its format"))
    elif entry.node.value != VERSION or isinstance(entry.node.value, bool):
        message = f"workbench must be {VERSION}, the version of this format, got {show(entry.node.plain)}"
        problems.append(entry.node.mark.problem(message))


def _name(root: Node, default: str, problems: list[Problem]) -> str:
    entry = root.entries.get("name")
    if entry is None:
        return default
    value = entry.node.value
    if isinstance(value, str) and PIPELINE_NAME.match(value):
        return value
    message = (
        f"name must be letters, digits, '.', '_' or '-', at most 64 and not '.' first, got {show(entry.node.plain)}"
    )
    problems.append(entry.node.mark.problem(message))
    return default


def _seed(root: Node, problems: list[Problem]) -> int:
    entry = root.entries.get("seed")
    if entry is None:
        return 0
    value = entry.node.value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED:
        return value
    problems.append(entry.node.mark.problem(f"seed must be a whole number from 0, got {show(entry.node.plain)}"))
    return 0


def _steps(root: Node, problems: list[Problem]) -> dict[str, StepNode]:
    entry = root.entries.get("steps")
    if entry is None:
        problems.append(root.mark.problem("the file has no 'steps'"))
        return {}
    if not entry.node.entries:
        what = "steps is empty" if not entry.node.value else "steps must be a mapping of names to steps"
        mark = entry.node.mark if entry.node.value else entry.mark
        problems.append(mark.problem(f"{what}; expected at least one, such as 'raw: {{use: source/text, …}}'"))
        return {}
    steps = {}
    for name, step in entry.node.entries.items():
        if not STEP_NAME.match(name):
            message = (
                "a step's name is a letter from a to z or A to Z, then such letters, digits, '_' or '-', "
                f"at most 64, got {show(name)}"
            )
            problems.append(step.mark.problem(message))
        steps[name] = _step(StepNode(name, step.mark, step.node), problems)
    return steps


def _step(step: StepNode, problems: list[Problem]) -> StepNode:
    if not step.node.is_mapping:
        problems.append(step.node.mark.problem(f"a step is a mapping with 'use', got {show(step.node.plain)}"))
        return step
    _unknown_keys(step.node, STEP_KEYS, f"step {step.name!r}", problems)
    use = step.node.entries.get("use")
    if use is None:
        problems.append(step.mark.problem(f"step {step.name!r} has no 'use'; expected 'use: kind/name'"))
    elif not isinstance(use.node.value, str) or not use.node.value:
        problems.append(use.node.mark.problem(f"use must be a component, kind/name, got {show(use.node.plain)}"))
    else:
        step.use = use.node.value
    for key in ("with", "run"):
        entry = step.node.entries.get(key)
        if entry and not entry.node.is_mapping and entry.node.value is not None:
            problems.append(entry.node.mark.problem(f"{key!r} must be a mapping, got {show(entry.node.plain)}"))
    return step


def _sweep(root: Node, problems: list[Problem]) -> dict[str, Node]:
    entry = root.entries.get("sweep")
    if entry is None or entry.node.value is None:
        return {}
    if not entry.node.is_mapping:
        problems.append(entry.node.mark.problem("sweep must be a mapping of paths to lists of values"))
        return {}
    sweep = {}
    for path, values in entry.node.entries.items():
        if not isinstance(values.node.value, tuple) or not values.node.value:
            message = f"{path} must be a list of at least one value to try, got {show(values.node.plain)}"
            problems.append(values.node.mark.problem(message))
        else:
            sweep[path] = values.node
    return sweep
