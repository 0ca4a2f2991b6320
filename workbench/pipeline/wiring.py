"""How steps fit together: ports, artifacts, parts, cycles, and which model suits which objective.

Special here: a mistake in one step hides nothing in another, and is not repeated by the steps after it: what is not
known (a step whose component is wrong) is simply not judged.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.contracts.component import Component
from workbench.contracts.evaluation import Evaluator
from workbench.contracts.filters import LearningFilter
from workbench.contracts.model import Mismatch
from workbench.contracts.ports import Port, with_article
from workbench.contracts.step import CoreStep
from workbench.errors import WorkbenchError, did_you_mean
from workbench.pipeline.graph import InputRef, Refs
from workbench.pipeline.setting_messages import Path, SettingProblem, show
from workbench.registry import Registry

HAS_PARTS = ("corpus", "tokens")


@dataclass
class Wire:
    """One step as far as it is known.

    Attributes:
        use: Its component as written.
        cls: The component's class, None when there is no such component.
        component: The component with its settings, None when they are wrong.
        inputs: Port → references, as written.
        is_unclear: Whether some of its inputs could not be read.
    """

    use: str
    cls: type[Component] | None = None
    component: Component | None = None
    inputs: dict[str, Refs] = field(default_factory=dict)
    is_unclear: bool = False

    def refs(self) -> list[tuple[Path, InputRef]]:
        """Return (place within the step, reference) of every input."""
        found: list[tuple[Path, InputRef]] = []
        for port, refs in self.inputs.items():
            if isinstance(refs, tuple):
                found += [(("inputs", port, index), ref) for index, ref in enumerate(refs)]
            else:
                found.append((("inputs", port), refs))
        return found


@dataclass(frozen=True)
class Outcome:
    """What is known of a step's result before it runs."""

    type: str
    parts: tuple[str, ...] | None
    facts: Mapping[str, str]


def read_inputs(raw: Any, wire: Wire) -> list[SettingProblem]:
    """Fill `wire.inputs` from the value of `inputs`: a name, a list of names, or port → name or names."""
    if raw is None:
        return []
    if not isinstance(raw, Mapping):
        ports = list(wire.cls.inputs) if wire.cls else []
        if not ports:
            return [SettingProblem(("inputs",), f"{wire.use} takes no inputs")] if wire.cls else []
        raw = {ports[0]: raw}
    problems = []
    for port, value in raw.items():
        if isinstance(value, str) and value:
            wire.inputs[port] = InputRef.parse(value)
        elif isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            wire.inputs[port] = tuple(InputRef.parse(item) for item in value)
        else:
            message = f"an input is the name of a step, such as 'raw' or 'split.train', got {show(value)}"
            problems.append(SettingProblem(("inputs", port), message))
    wire.is_unclear = bool(problems)
    return problems


def order_steps(wires: Mapping[str, Wire]) -> tuple[list[str], list[str]]:
    """Return the steps, each after those it needs and otherwise as given, and the steps of a cycle, if any."""
    names = list(wires)
    needs = {name: {ref.step for _, ref in wires[name].refs() if ref.step in wires} for name in names}
    ready = [index for index, name in enumerate(names) if not needs[name]]
    waiting = {name: len(needs[name]) for name in names}
    ordered = []
    while ready:
        name = names[heapq.heappop(ready)]
        ordered.append(name)
        for index, other in enumerate(names):
            if name in needs[other]:
                waiting[other] -= 1
                if not waiting[other]:
                    heapq.heappush(ready, index)
    left = [name for name in names if name not in set(ordered)]
    return ordered, _cycle(left, needs) if left else []


def _cycle(left: list[str], needs: Mapping[str, set[str]]) -> list[str]:
    walked = [left[0]]
    while True:
        following = min(name for name in needs[walked[-1]] if name in left)
        if following in walked:
            return [*walked[walked.index(following) :], following]
        walked.append(following)


def check_wiring(wires: Mapping[str, Wire], registry: Registry) -> list[tuple[str, SettingProblem]]:
    """Return (step, mistake) for everything that does not fit together."""
    _, cycle = order_steps(wires)
    message = f"the steps wait for each other in a circle: {' <- '.join(cycle)}"
    found = [(cycle[0], SettingProblem(("inputs",), message))] if cycle else []
    for name, problems, _ in _walk(wires, registry):
        found += [(name, problem) for problem in problems]
    return found


def outcomes_of(wires: Mapping[str, Wire], registry: Registry) -> dict[str, Outcome | None]:
    """Return what is known of every step's result before it runs."""
    return {name: outcome for name, _, outcome in _walk(wires, registry)}


def _walk(wires: Mapping[str, Wire], registry: Registry) -> Iterator[tuple[str, list[SettingProblem], Outcome | None]]:
    ordered, _ = order_steps(wires)
    outcomes: dict[str, Outcome | None] = dict.fromkeys(wires)
    for name in [*ordered, *(name for name in wires if name not in ordered)]:
        problems, outcomes[name] = check_step(wires[name], outcomes, registry)
        yield name, problems, outcomes[name]


def check_step(
    wire: Wire, outcomes: Mapping[str, Outcome | None], registry: Registry
) -> tuple[list[SettingProblem], Outcome | None]:
    """Return what is wrong with a step's inputs, and what its result will be where that is known."""
    problems = [problem for place, ref in wire.refs() for problem in _check_ref(place, ref, outcomes)]
    if wire.cls is None:
        return problems, None
    problems += _check_ports(wire)
    bad = {problem.path[:2] for problem in problems}
    sound = [(place, ref) for place, ref in wire.refs() if place[:2] not in bad and outcomes.get(ref.step)]
    for place, ref in sound:
        problems += _check_type(wire, place, ref, outcomes)
    if wire.component is None:
        parts = None if wire.cls.inputs else ()  # what has no inputs has no parts to pass on
        return problems, Outcome(wire.cls.output, parts, {}) if wire.cls.output else None
    if problems:
        return problems, Outcome(wire.cls.output, None, {})
    try:
        found, outcome = _ask(wire, wire.component, outcomes, registry)
    except WorkbenchError as error:
        return [SettingProblem(("use",), error.what)], None
    except Exception as error:  # noqa: BLE001  # a plugin's own method may fail; the rest is still checked
        return [SettingProblem(("use",), f"{wire.use} failed while it was checked: {error}")], None
    return found, outcome


def _check_ref(place: Path, ref: InputRef, outcomes: Mapping[str, Outcome | None]) -> list[SettingProblem]:
    if ref.step not in outcomes:
        message = f"unknown step {ref.step!r}{did_you_mean(ref.step, outcomes)}"
        return [SettingProblem(place, message)]
    outcome = outcomes[ref.step]
    if outcome is None or outcome.parts is None or ref.part is None or ref.part in outcome.parts:
        return []
    if not outcome.parts:
        return [SettingProblem(place, f"{ref.step} has no parts; write {ref.step!r}")]
    message = f"unknown part {str(ref)!r}{did_you_mean(ref.part, outcome.parts)} (parts: {', '.join(outcome.parts)})"
    return [SettingProblem(place, message)]


def _check_ports(wire: Wire) -> list[SettingProblem]:
    ports: Mapping[str, Port] = wire.cls.inputs if wire.cls else {}
    problems = []
    meant = {
        name
        for name in ports
        for other in wire.inputs
        if other not in ports and repr(name) in did_you_mean(other, ports)
    }
    for name, refs in wire.inputs.items():
        if name not in ports:
            has = f" (inputs: {', '.join(ports)})" if ports else " (it takes none)"
            message = f"unknown input {name!r} of {wire.use}{did_you_mean(name, ports)}{has}"
            problems.append(SettingProblem(("inputs", name), message, on_key=True))
        elif isinstance(refs, tuple) and not ports[name].many:
            message = f"the input {name!r} of {wire.use} takes one step, got a list"
            problems.append(SettingProblem(("inputs", name), message))
    for name, port in ports.items():
        if name not in {*wire.inputs, *meant} and not port.optional and not wire.is_unclear:
            message = f"{wire.use} needs the input {name!r} ({with_article(port.type)})"
            problems.append(SettingProblem(("inputs",), message, on_key=True))
    return problems


def _check_type(wire: Wire, place: Path, ref: InputRef, outcomes: Mapping[str, Outcome | None]) -> list[SettingProblem]:
    outcome = outcomes[ref.step]
    if wire.cls is None or outcome is None:
        return []
    port = wire.cls.inputs[str(place[1])]
    wanted = port.type.split("|")
    if outcome.type not in wanted:
        what = f"takes {with_article(port.type)}; {ref.step} gives {with_article(outcome.type)}"
        return [SettingProblem(place, f"the input {place[1]!r} of {wire.use} {what}")]
    if outcome.parts and ref.part is None and not port.whole:
        choices = " or ".join(f"{ref.step}.{part}" for part in outcome.parts)
        return [SettingProblem(place, f"{ref.step} has parts and {wire.use} takes one of them: {choices}")]
    return []


def _ask(
    wire: Wire, component: Component, outcomes: Mapping[str, Outcome | None], registry: Registry
) -> tuple[list[SettingProblem], Outcome]:
    """Ask the component itself what comes out, and what does not go together."""
    known: dict[str, Outcome] = {}
    parts: dict[str, tuple[str, ...]] = {}
    complete = True
    for port, refs in wire.inputs.items():
        first = refs[0] if isinstance(refs, tuple) else refs
        outcome = outcomes[first.step]
        if outcome is None or outcome.parts is None:
            complete = False
            continue
        known[port] = outcome
        parts[port] = () if first.part else outcome.parts
    facts = {port: outcome.facts for port, outcome in known.items()}
    problems = _mismatches(component, wire, facts, registry) if complete else []
    after = component.facts(facts) if isinstance(component, CoreStep) and complete and not problems else {}
    own_parts = component.parts(parts) if component.output in HAS_PARTS else ()
    names_its_own = type(component).parts is not Component.parts  # from its settings, whatever its inputs are
    return problems, Outcome(component.output, own_parts if complete or names_its_own else None, after)


def _mismatches(
    component: Component, wire: Wire, facts: Mapping[str, Mapping[str, str]], registry: Registry
) -> list[SettingProblem]:
    found = component.mismatches(facts) if isinstance(component, CoreStep) else []
    if isinstance(component, (Evaluator, LearningFilter)):
        found = _unread(component, wire, facts)
    return [
        SettingProblem(
            item.setting if item.setting[:1] == ("inputs",) else ("with", *item.setting), _fitting(item, registry)
        )
        for item in found
    ]


def _unread(
    component: Evaluator | LearningFilter, wire: Wire, facts: Mapping[str, Mapping[str, str]]
) -> list[Mismatch]:
    """Return the mismatch when the step works with models of other heads than its input has."""
    heads, head = component.heads, facts.get("model", {}).get("head")
    if not heads or head is None or head in heads:
        return []
    kind, model = component.kind, wire.inputs["model"]
    verb = "judges" if isinstance(component, Evaluator) else "works with"
    message = f"{wire.use} {verb} {' or '.join(heads)} models; {model} is a {head} model"

    def suits(cls: type[Component]) -> bool:
        if issubclass(cls, Evaluator):
            return not cls.heads or head in cls.heads
        return issubclass(cls, LearningFilter) and "model" in cls.inputs and (not cls.heads or head in cls.heads)

    return [Mismatch(("inputs", "model"), message, kind, suits)]


def _fitting(mismatch: Mismatch, registry: Registry) -> str:
    """Return the message with the installed components that would fit."""
    if not mismatch.kind:
        return mismatch.message
    names = []
    for ref in registry.refs(mismatch.kind):
        try:
            if mismatch.suits(registry.load(ref.id)):
                names.append(ref.name)
        except WorkbenchError:  # what cannot be loaded cannot be recommended; `plugins doctor` reports it
            continue
    plural = {"tuning": "tuning methods"}.get(mismatch.kind, f"{mismatch.kind}s")
    return f"{mismatch.message}; {plural} that fit: {', '.join(names) if names else 'none is installed'}"
