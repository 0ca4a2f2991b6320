"""What is installed, described for a person: components, their settings, and what is wrong with them."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from workbench.contracts.component import Component, Runtime, Threshold, is_marked, settings_of
from workbench.contracts.references import ComponentRef
from workbench.errors import WorkbenchError
from workbench.registry import Registry, missing_packages

PLAIN_TYPES = {int: "integer", float: "number", str: "text", bool: "true | false", type(None): "null"}
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}


@dataclass(frozen=True)
class Setting:
    """One setting of a component.

    Attributes:
        name: Its name in a pipeline file; `optimizer.lr` for one inside a group.
        type: What it takes, in words, with its bounds.
        default: The default as it would stand in a pipeline file; None with `required`.
        required: Whether a pipeline must give it.
        meaning: What it is for.
        mark: `threshold` (only decides), `runtime` (how fast, never what) or empty.
    """

    name: str
    type: str
    default: Any
    required: bool
    meaning: str
    mark: str


@dataclass(frozen=True)
class ComponentCard:
    """A component as `workbench plugins show` presents it.

    Attributes:
        ref: Its reference.
        about: Its documentation.
        version: Its version.
        inputs: Port → the artifact it takes, in words.
        output: The artifact it gives; empty for parts of a step.
        settings: Every setting, in the order of the class.
    """

    ref: ComponentRef
    about: str
    version: int
    inputs: dict[str, str]
    output: str
    settings: list[Setting]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            **reference_json(self.ref),
            "about": self.about,
            "version": self.version,
            "inputs": self.inputs,
            "output": self.output,
            "settings": [vars(setting) for setting in self.settings],
        }


@dataclass(frozen=True)
class Health:
    """What `workbench plugins doctor` found.

    Attributes:
        plugins: Name, package, version, number of components and error of each plugin.
        problems: One line for each thing that is wrong; empty when all is well.
        missing: Component → pip names of packages it needs that are not installed.
    """

    plugins: list[dict[str, Any]]
    problems: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)


def reference_json(ref: ComponentRef) -> dict[str, Any]:
    """Return a reference as JSON values."""
    return {
        "id": ref.id,
        "kind": ref.kind,
        "name": ref.name,
        "summary": ref.summary,
        "aliases": list(ref.aliases),
        "deprecated": ref.deprecated,
        "module": ref.target.partition(":")[0],
    }


def describe_component(registry: Registry, use: str) -> ComponentCard:
    """Return the card of `kind/name`. Raises `UnknownName`, `MissingPackage` or `PluginError`."""
    cls = registry.load(use)
    return ComponentCard(
        ref=registry.get(use),
        about=inspect.cleandoc(cls.__doc__ or ""),
        version=cls.version,
        inputs={name: _port_words(port) for name, port in cls.inputs.items()},
        output=cls.output,
        settings=list(describe_settings(cls)),
    )


def describe_settings(cls: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Yield every setting of a class; a group of settings is followed by those inside it."""
    for name, info in cls.model_fields.items():
        required = info.is_required()
        default = None if required else _plain_default(info.get_default(call_default_factory=True))
        group = _group(info.annotation)
        yield Setting(
            name=prefix + name,
            type=", ".join([_type_words(info.annotation), *_bounds(info.metadata)]),
            default=None if group else default,
            required=required,
            meaning=info.description or "",
            mark=_mark(cls, name),
        )
        if group:
            yield from describe_settings(group, f"{prefix}{name}.")


def examine(registry: Registry) -> Health:
    """Load every component and say what is wrong with any of them."""
    health = Health(
        plugins=[
            {
                "name": plugin.name,
                "package": plugin.package,
                "version": plugin.version,
                "components": len(plugin.components),
                "error": plugin.error,
            }
            for plugin in registry.plugins
        ],
        problems=list(registry.problems),
    )
    for ref in registry.refs():
        missing = missing_packages(ref)
        if missing:
            health.missing[ref.id] = missing
            continue
        try:
            registry.load(ref.id)
        except WorkbenchError as error:
            health.problems.append(error.message.splitlines()[0])
    return health


def _port_words(port: Any) -> str:
    words = f"one or more: {port.type}" if port.many else port.type
    return f"{words} (optional)" if port.optional else str(words)


def _mark(cls: type[BaseModel], name: str) -> str:
    if is_marked(cls, name, Threshold):
        return "threshold"
    return "runtime" if is_marked(cls, name, Runtime) else ""


def _plain_default(value: Any) -> Any:
    if value is PydanticUndefined:
        return None
    if isinstance(value, Component):
        return {"use": value.component_id or type(value).__name__, "with": settings_of(value)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [_plain_default(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str, dict)) else str(value)


def _group(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not issubclass(annotation, Component):
        return annotation
    return None


def _type_words(annotation: Any) -> str:
    origin = get_origin(annotation)
    arguments = [_type_words(argument) for argument in get_args(annotation) if argument is not Ellipsis]
    if origin in (Literal, Union, types.UnionType):
        return " | ".join(arguments)
    if origin in (list, tuple, set, frozenset):
        return f"list of {arguments[0]}"
    if origin is dict:
        return f"map of {arguments[1]}"
    if origin is not None:  # Annotated
        return arguments[0]
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return annotation.kind or "component"
    return "group" if _group(annotation) else PLAIN_TYPES.get(annotation, str(annotation))


def _bounds(metadata: list[Any]) -> list[str]:
    return [
        f"{sign} {getattr(item, name)}"
        for item in metadata
        for name, sign in BOUNDS.items()
        if getattr(item, name, None) is not None
    ]
