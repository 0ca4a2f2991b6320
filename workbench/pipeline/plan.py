"""The plan: for every step whether its result is there, and if not, why it will run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.pipeline.fingerprint import Identity
from workbench.pipeline.graph import Graph, Step
from workbench.pipeline.setting_messages import show

BUNDLED = "workbench_plugins/"


@dataclass(frozen=True)
class PlannedStep:
    """What will become of one step."""

    name: str
    component: str
    fingerprint: str
    status: Literal["cached", "run"]
    reasons: tuple[str, ...] = ()
    signals: str | None = None


@dataclass(frozen=True)
class Plan:
    """Every step in the order it would run."""

    steps: tuple[PlannedStep, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what `workbench plan --json` prints."""
        return {
            "steps": [
                {
                    "name": step.name,
                    "component": step.component,
                    "fingerprint": step.fingerprint,
                    "status": step.status,
                    "reasons": list(step.reasons),
                }
                for step in self.steps
            ]
        }


def make_plan(
    graph: Graph,
    identities: Mapping[str, Identity],
    is_cached: Callable[[str], bool],
    previous: Mapping[str, dict[str, Any]],
) -> Plan:
    """Return the plan for a graph.

    Args:
        graph: The pipeline.
        identities: What `identify` returned for it.
        is_cached: Says whether the store holds a fingerprint.
        previous: Step → its key in the last run of this pipeline; reasons are found by comparing with it.
    """
    return Plan(
        tuple(_planned(step, identities[name], is_cached, previous.get(name)) for name, step in graph.steps.items())
    )


def _planned(
    step: Step, identity: Identity, is_cached: Callable[[str], bool], before: Mapping[str, Any] | None
) -> PlannedStep:
    component = str(identity.key["component"])
    is_there = is_cached(identity.fingerprint)
    if is_there and (identity.signals is None or is_cached(identity.signals)):
        return PlannedStep(step.name, component, identity.fingerprint, "cached", (), identity.signals)
    if is_there:
        reasons: tuple[str, ...] = ("signals missing from the store",)
    elif before is None:
        reasons = ("not run before",)
    else:
        reasons = tuple(key_changes(before, identity.key, step)) or ("result missing from the store",)
    return PlannedStep(step.name, component, identity.fingerprint, "run", reasons, identity.signals)


def key_changes(before: Mapping[str, Any], after: Mapping[str, Any], step: Step | None = None) -> Iterator[str]:
    """Yield in plain words every way in which a key differs from an earlier one of the same step."""
    if before.get("component") != after["component"]:
        yield f"component {before.get('component')} -> {after['component']}"
        return
    for name in ("schema", "version"):
        if before.get(name) != after[name]:
            yield f"{'fingerprint schema' if name == 'schema' else 'version'} {before.get(name)} -> {after[name]}"
    yield from _setting_changes(before.get("settings", {}), after["settings"])
    yield from _code_changes(_all_code(before), _all_code(after))
    yield from _input_changes(before.get("inputs", {}), after["inputs"], step)
    if before.get("seed") != after.get("seed"):
        yield f"seed {_value(before.get('seed'))} -> {_value(after.get('seed'))}"
    yield from _file_changes(before.get("digests", {}), after["digests"])


def _setting_changes(before: Any, after: Any, path: str = "", owner: str = "") -> Iterator[str]:
    if before == after:
        return
    of = f" of {owner}" if owner else ""
    if _is_component(before) and _is_component(after) and before["use"] == after["use"]:
        if before["version"] != after["version"]:
            yield f"version {before['version']} -> {after['version']} of {after['use']}"
        yield from _setting_changes(before["with"], after["with"], "", after["use"])
    elif (
        isinstance(before, dict) and isinstance(after, dict) and not _is_component(before) and not _is_component(after)
    ):
        for name in sorted({*before, *after}):
            inner = f"{path}.{name}" if path else name
            yield from _setting_changes(before.get(name), after.get(name), inner, owner)
    elif _are_same_components(before, after):
        for old, new in zip(before, after, strict=True):
            yield from _setting_changes(old, new, path, owner)
    else:
        yield f"config {path} {_value(before)} -> {_value(after)}{of}"


def _is_component(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"use", "version", "code", "with"}


def _are_same_components(before: Any, after: Any) -> bool:
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return False
    return all(
        _is_component(old) and _is_component(new) and old["use"] == new["use"]
        for old, new in zip(before, after, strict=True)
    )


def _value(value: Any) -> str:
    if _is_component(value):
        return str(value["use"])
    if isinstance(value, list):
        inner = ", ".join(_value(item) for item in value)
        return f"[{inner}]" if len(inner) <= 100 else f"[{inner[:100]}…]"  # noqa: PLR2004  # one line of a terminal
    return str(value) if isinstance(value, str) and len(value) <= 60 else show(value)  # noqa: PLR2004  # as show() does


def _all_code(key: Any) -> dict[str, str]:
    """Return file → digest for the step and for every component in its settings."""
    found: dict[str, str] = {}
    waiting = [key]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found.update(
                value.get("code") or {} if "code" in value and ("use" in value or "component" in value) else {}
            )
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _code_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"code of {name.removeprefix(BUNDLED)} changed"


def _input_changes(before: Mapping[str, Any], after: Mapping[str, Any], step: Step | None) -> Iterator[str]:
    named = set()
    for port in sorted({*before, *after}):
        olds, news = _listed(before.get(port)), _listed(after.get(port))
        refs = step.inputs.get(port, ()) if step else ()
        names = [ref.step for ref in refs] if isinstance(refs, tuple) else [refs.step]
        if len(olds) != len(news):
            named.add(port)
        for index, (old, new) in enumerate(zip(olds, news, strict=False)):
            if old != new:
                named.add(names[index] if index < len(names) else port)
    yield from (f"input {name} changed" for name in sorted(named))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _file_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"file {name} added"
        elif name not in after:
            yield f"file {name} removed"
        elif before[name] != after[name]:
            yield f"file {name} changed"
