"""Components by name in Python: `wb.filter.unicode()`, with completion and help.

Special here: `dir()` lists names from the registry without importing a component; its module is imported when its
signature is asked for or when it is called. Hyphens become underscores, and a Python keyword gets one at its end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from workbench.contracts.component import Component
from workbench.contracts.references import ComponentRef
from workbench.errors import UnknownName, UsageError, WorkbenchError
from workbench.pipeline.graph_python import TAKEN_OPTIONS, option_name, python_name
from workbench.pipeline.setting_messages import SettingProblem
from workbench.pipeline.settings import build_settings, one_line
from workbench.registry import Registry

Made = TypeVar("Made")
MAX_LINES = 4


def component_name(name: str) -> str:
    """Return the component's name behind a Python name.

    >>> component_name("gopher_quality"), component_name("lambda_")
    ('gopher-quality', 'lambda')
    """
    return name.removesuffix("_").replace("_", "-")


class Maker(Generic[Made]):
    """One component, ready to be called; its signature and help are those of its settings."""

    def __init__(self, registry: Registry, ref: ComponentRef, make: Callable[..., Made], *, with_inputs: bool) -> None:
        self._registry = registry
        self._ref = ref
        self._make = make
        self._with_inputs = with_inputs

    def __call__(self, *values: Any, **options: Any) -> Made:
        """Make it: inputs and the first setting by position, the rest by name."""
        return self._make(self._ref, values, options)

    def __repr__(self) -> str:
        return f"<{self._ref.id}: {self._ref.summary}>"

    @property
    def __signature__(self) -> inspect.Signature:
        """What it takes: inputs first, then the settings by name."""
        cls = self._registry.load(self._ref.id)
        parameters = _parameters(cls, with_inputs=self._with_inputs)
        returns = inspect.Signature.empty if self._with_inputs else cls
        return inspect.Signature(parameters, return_annotation=returns)

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        """The component's own documentation, with a line for each setting."""
        try:
            cls = self._registry.load(self._ref.id)
        except WorkbenchError as error:
            return f"{self._ref.summary} ({one_line(error)})"
        return f"{inspect.cleandoc(cls.__doc__ or self._ref.summary)}\n\nSettings:\n{_setting_lines(cls)}"


def _parameters(cls: type[Component], *, with_inputs: bool) -> list[inspect.Parameter]:
    parameters = {}
    if with_inputs:
        for name, port in cls.inputs.items():
            default = None if port.optional else inspect.Parameter.empty
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            parameters[name] = inspect.Parameter(name, kind, default=default, annotation=port.type)
    for name, field in cls.model_fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=False)
        spelled = option_name(name, cls, with_inputs=with_inputs)
        parameters[spelled] = inspect.Parameter(
            spelled, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.annotation
        )
    if with_inputs:
        for name in TAKEN_OPTIONS:
            parameters[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
    return sorted(parameters.values(), key=lambda item: (item.kind, item.default is not item.empty))


def options_by_setting(cls: type[Component], options: Mapping[str, Any], *, with_inputs: bool) -> dict[str, Any]:
    """Return options as given in a call, by the names of the settings they mean."""
    meant = {option_name(name, cls, with_inputs=with_inputs): name for name in cls.model_fields}
    return {meant.get(name, name): value for name, value in options.items()}


def _setting_lines(cls: type[Component]) -> str:
    lines = []
    for name, field in cls.model_fields.items():
        default = "" if field.is_required() else f" = {field.get_default(call_default_factory=False)!r}"
        about = f"  {field.description}" if field.description else ""
        lines.append(f"    {name}: {inspect.formatannotation(field.annotation)}{default}{about}")
    return "\n".join(lines) or "    none"


class Namespace(Generic[Made]):
    """The components of one kind as attributes."""

    def __init__(
        self, kind: str, registry: Callable[[], Registry], make: Callable[..., Made], *, with_inputs: bool = False
    ) -> None:
        self._kind = kind
        self._registry = registry
        self._make = make
        self._with_inputs = with_inputs

    def __dir__(self) -> list[str]:
        return sorted(python_name(ref.name) for ref in self._registry().refs(self._kind))

    def __getattr__(self, name: str) -> Maker[Made]:
        if name.startswith("_"):
            raise AttributeError(name)
        registry = self._registry()
        try:
            ref = registry.get(f"{self._kind}/{component_name(name)}")
        except UnknownName as error:
            raise UnknownComponent(error) from None
        return Maker(registry, ref, self._make, with_inputs=self._with_inputs)

    def __repr__(self) -> str:
        lines = [f"  {python_name(ref.name):24} {ref.summary}" for ref in self._registry().refs(self._kind)]
        return "\n".join([f"{self._kind}:", *lines])


class UnknownComponent(UnknownName, AttributeError):
    """Raise when a namespace has no such component; an `AttributeError` too, as Python's own tools expect."""

    def __init__(self, error: UnknownName) -> None:
        UnknownName.__init__(self, error.what, where=error.where, expected=error.expected, advice=error.advice)


def build_or_raise(
    registry: Registry, cls: type[Component], ref: ComponentRef, options: Mapping[str, Any]
) -> Component:
    """Return the component with these options. Raises `UsageError` that names every mistake."""
    component, problems = build_settings(registry, cls, ref.id, options, ())
    if component is None:
        raise call_error(ref.id, problems)
    return component


def call_error(where: str, problems: list[SettingProblem]) -> UsageError:
    """Return the error for a call with these mistakes, at most five lines."""
    messages = [problem.message for problem in problems]
    more = [f"(and {len(messages) - MAX_LINES} more)"] if len(messages) > MAX_LINES else []
    return UsageError("\n  ".join([*messages[:MAX_LINES], *more]), where=where)


def _make_component(ref: ComponentRef, values: tuple[Any, ...], options: Mapping[str, Any]) -> Component:
    from workbench.registry import shared_registry

    registry = shared_registry()
    cls = registry.load(ref.id)
    given = options_by_setting(cls, options, with_inputs=False)
    return build_or_raise(registry, cls, ref, with_positional(cls, ref.id, values, given))


def with_positional(
    cls: type[Component], use: str, values: tuple[Any, ...] | list[Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options with a value given by position as the first setting. Raises `UsageError` for a second one."""
    if not values:
        return options
    first = next(iter(cls.model_fields), None)
    if first is None or len(values) > 1 or first in options:
        expected = f"by position only {first!r}, its first option; the rest by name" if first else "no options at all"
        raise UsageError("too many values without a name", where=use, expected=expected)
    return {first: values[0], **options}


def kind_namespace(kind: str) -> Namespace[Component]:
    """Return `wb.<kind>`: calls give components, to stand in the settings of a step."""
    from workbench.registry import shared_registry

    return Namespace(kind, shared_registry, _make_component)
