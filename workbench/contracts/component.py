"""A component: a frozen pydantic model whose fields are its settings.

Special here: settings may hold other components (`filters: list[Filter]`), written `{use: kind/name, with: {…}}`
in a pipeline file; and two markers say how a setting counts. `Threshold` settings only enter the key of the
verdicts, so that signals computed once serve every threshold; `Runtime` settings change how fast, never what,
and enter no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from workbench.contracts.ports import Port

__all__ = ["Component", "DigestFile", "Field", "Runtime", "Threshold", "has_threshold", "nested_kinds", "settings_of"]

DigestFile = Callable[[Path], str]


class Threshold:
    """Mark a setting that only decides, and does not change what is measured: `Annotated[int, Threshold]`."""


class Runtime:
    """Mark a setting that changes speed or place and never the result: `Annotated[int, Runtime]`."""


class Component(BaseModel):
    """Base of everything that is registered as `kind/name`.

    Subclasses declare settings as fields with defaults, and class facts as `ClassVar`s:

    - `version`: raise it when the same settings give another result.
    - `stochastic`: whether the pipeline's seed enters the result (and so the fingerprint).
    - `inputs`: the named ports a step of this component takes.
    - `output`: the artifact a step of this component gives.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        protected_namespaces=(),
    )

    kind: ClassVar[str] = ""
    component_id: ClassVar[str] = ""  # "kind/name", set by the registry on first load
    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    inputs: ClassVar[Mapping[str, Port]] = {}
    output: ClassVar[str] = ""

    def parts(self, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return the names of the parts of the result (`train`, `valid`), given those of each input port.

        The default passes on the parts of the first input that has any.
        """
        return next((parts for parts in inputs.values() if parts), ())

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return name → digest of everything outside the store that the result depends on.

        Called when a pipeline is planned, so it must be exact and cheap: `digest(path)` remembers what it read.
        `base` is the folder that relative paths start from. Raises `EnvironmentProblem` when something named in
        the settings cannot be read.
        """
        del base, digest
        return {}


def settings_of(component: Component) -> dict[str, Any]:
    """Return the full settings as JSON values, defaults written out, nested components as `{use, with}`."""
    return {name: _plain(getattr(component, name)) for name in type(component).model_fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return {"use": value.component_id or type(value).__qualname__, "with": settings_of(value)}
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def nested_kinds(cls: type[BaseModel]) -> dict[str, str]:
    """Return setting name → kind for the settings of `cls` that hold components (alone, optional or in a list)."""
    found = {}
    for name, field in cls.model_fields.items():
        kinds = {inner.kind for inner in _walk(field.annotation) if inner.kind}
        if kinds:
            found[name] = "|".join(sorted(kinds))
    return found


def _walk(annotation: Any) -> Iterator[type[Component]]:
    if isinstance(annotation, type) and issubclass(annotation, Component):
        yield annotation
    for argument in get_args(annotation):
        yield from _walk(argument)


def has_threshold(component: Component) -> bool:
    """Return whether the component or one nested in it has a `Threshold` setting."""
    cls = type(component)
    if any(is_marked(cls, name, Threshold) for name in cls.model_fields):
        return True
    return any(has_threshold(inner) for inner in nested(component))


def nested(component: Component) -> Iterator[Component]:
    """Yield the components that stand directly in the settings of `component`, in order."""
    for name in type(component).model_fields:
        value = getattr(component, name)
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, Component):
                yield item


def is_marked(cls: type[BaseModel], name: str, marker: type) -> bool:
    """Return whether setting `name` of `cls` carries `marker` (`Threshold` or `Runtime`) in its annotation."""
    return any(item is marker or isinstance(item, marker) for item in cls.model_fields[name].metadata)
