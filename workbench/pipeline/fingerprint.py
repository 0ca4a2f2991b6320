"""Fingerprints: the identity of a step's result, known before it runs.

The key is readable JSON: component, version, code, settings, inputs, seed, digests of files. Its SHA-256 is the
fingerprint. Names, labels, host, time, worker counts, device and executor are not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from workbench.contracts.component import Component, DigestFile, Runtime, Threshold, is_marked, nested
from workbench.contracts.filters import Filter
from workbench.errors import WorkbenchError
from workbench.pipeline.code_token import CodeReader
from workbench.pipeline.graph import Graph, InputRef, Refs, Step

SCHEMA = 1
RUNNERS = {
    "source": ("workbench.engine.corpus.reading", "workbench.engine.corpus"),
    "filter": ("workbench.engine.corpus.filtering", "workbench.engine.corpus"),
    "tokenizer": ("workbench.engine.tokens.learn", "workbench.engine.tokens"),
    "evaluator": ("workbench.engine.evaluating", "workbench.engine.evaluating"),
    "exporter": ("workbench.engine.exporting", "workbench.engine.exporting"),
}
"""Kind → the engine module that runs it, and the package within which its imports count."""
EXACT_WHOLE = 2**53  # up to here every whole double is written as an integer, so that 1 and 1.0 are one key


@dataclass(frozen=True)
class Identity:
    """What a step's result is called, and why.

    Attributes:
        fingerprint: SHA-256 of the key, hexadecimal.
        key: Everything the result depends on, as JSON.
        signals: For a filter that measures, the fingerprint of its signals, which ignores `Threshold` settings.
        signals_key: The key of the signals.
    """

    fingerprint: str
    key: dict[str, Any]
    signals: str | None = None
    signals_key: dict[str, Any] | None = None


def identify(graph: Graph, digest: DigestFile) -> dict[str, Identity]:
    """Return the identity of every step. Raises `EnvironmentProblem` when a file of the settings cannot be read."""
    identities: dict[str, Identity] = {}
    code = CodeReader()
    for name, step in graph.steps.items():
        try:
            identities[name] = _identify(step, graph, digest, identities, code)
        except WorkbenchError as error:
            error.place_in(f"step {name}")
            raise
    return identities


def fingerprint_of(key: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a key's canonical JSON.

    >>> fingerprint_of({"a": 1, "b": 2}) == fingerprint_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(key).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no white space, ASCII, whole numbers without a point."""
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _canonical(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_WHOLE:
        return int(value)
    return value


def _identify(
    step: Step, graph: Graph, digest: DigestFile, known: Mapping[str, Identity], code: CodeReader
) -> Identity:
    component = step.component
    key = {
        "schema": SCHEMA,
        "component": component.component_id,
        "version": component.version,
        "code": _code(component, code),
        "settings": key_settings(component, (Runtime,), code),
        "inputs": {port: _input_key(refs, known) for port, refs in step.inputs.items()},
        "digests": dict(component.digests(graph.base, digest)),
    }
    if is_stochastic(component):
        key["seed"] = graph.seed
    key = json.loads(canonical_json(key))
    if not (isinstance(component, Filter) and component.measures):
        return Identity(fingerprint_of(key), key)
    settings = key_settings(component, (Runtime, Threshold), code)
    signals_key = json.loads(canonical_json({**key, "settings": settings, "stage": "signals"}))
    return Identity(fingerprint_of(key), key, fingerprint_of(signals_key), signals_key)


def is_stochastic(component: Component) -> bool:
    """Return whether the seed enters the result, for the component or for one in its settings."""
    return component.stochastic or any(is_stochastic(inner) for inner in nested(component))


def key_settings(value: BaseModel, leave_out: tuple[type, ...], code: CodeReader) -> dict[str, Any]:
    """Return the full settings as JSON, fields with one of the markers left out, nested components with their code."""
    cls = type(value)
    return {
        name: _key_value(getattr(value, name), leave_out, code)
        for name in cls.model_fields
        if not any(is_marked(cls, name, marker) for marker in leave_out)
    }


def _key_value(value: Any, leave_out: tuple[type, ...], code: CodeReader) -> Any:
    if isinstance(value, Component):
        return {
            "use": value.component_id,
            "version": value.version,
            "code": code.component(type(value)),
            "with": key_settings(value, leave_out, code),
        }
    if isinstance(value, BaseModel):
        return key_settings(value, leave_out, code)
    if isinstance(value, Mapping):
        return {str(name): _key_value(item, leave_out, code) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_key_value(item, leave_out, code) for item in value), key=canonical_json)
    if isinstance(value, (list, tuple)):
        return [_key_value(item, leave_out, code) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _code(component: Component, code: CodeReader) -> dict[str, str]:
    runner = RUNNERS.get(component.kind)
    files = code.files(*runner) if runner else {}
    return {**files, **code.component(type(component))}


def _input_key(refs: Refs, known: Mapping[str, Identity]) -> str | list[str]:
    if isinstance(refs, InputRef):
        fingerprint = known[refs.step].fingerprint
        return fingerprint if refs.part is None else f"{fingerprint}#{refs.part}"
    return [str(_input_key(ref, known)) for ref in refs]
