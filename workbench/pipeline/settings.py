"""From `{use, with}` to a component: recursion into nested components, every mistake with its path.

Special here: pydantic's conversions between texts, numbers and truth values are refused (`"50"` is not 50, `no` is
not false), so that a value means what YAML says it means; everything else that pydantic does is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.contracts.component import Component, nested_kinds
from workbench.errors import PluginError, UsageError, WorkbenchError, did_you_mean
from workbench.pipeline.setting_messages import Path, SettingProblem, explain, show
from workbench.registry import Registry

NESTED_KEYS = ("use", "with")
WANTED_SCALAR = {"bool": "true or false", "number": "a number", "text": "a text (in quotes)"}


def build_component(
    registry: Registry, use: str, raw: Mapping[str, Any], path: Path
) -> tuple[Component | None, list[SettingProblem]]:
    """Return the component with its settings, or None and every mistake.

    Args:
        registry: Where components are found.
        use: `kind/name`.
        raw: The settings as read: JSON values, nested components as `{use, with}` (or as finished components).
        path: Where `raw` stands; mistakes are placed below it.

    Raises `UnknownName`, `MissingPackage` and `PluginError` for `use` itself.
    """
    return build_settings(registry, registry.load(use), registry.get(use).id, raw, path)


def build_settings(
    registry: Registry, cls: type[Component], use: str, raw: Mapping[str, Any], path: Path
) -> tuple[Component | None, list[SettingProblem]]:
    """Return an instance of `cls`, the class behind `use`, see `build_component`."""
    kinds = nested_kinds(cls)
    problems: list[SettingProblem] = []
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in kinds or value is None:
            values[name] = value
            continue
        values[name], found = _nested_value(registry, kinds[name].split("|"), value, (*path, name))
        problems += found
    broken = {problem.path[: len(path) + 1] for problem in problems}
    component, found = _validate(cls, use, values, path)
    problems += [problem for problem in found if problem.path[: len(path) + 1] not in broken]
    return (None if problems else component), problems


def component_from_json(registry: Registry, value: Mapping[str, Any]) -> Component:
    """Return the component that `{"use": …, "with": …}` stands for. Raises `UsageError` with every mistake."""
    component, problems = build_component(registry, value["use"], value.get("with") or {}, ())
    if component is None:
        raise UsageError("; ".join(problem.message for problem in problems), where=value["use"])
    return component


def _validate(
    cls: type[Component], use: str, values: dict[str, Any], path: Path
) -> tuple[Component | None, list[SettingProblem]]:
    try:
        component = cls.model_validate(values)
    except ValidationError as error:
        return None, explain(error, cls, use, values, path)
    except WorkbenchError:
        raise
    except Exception as error:  # a plugin's class may do anything; say whose fault it is
        raise PluginError(f"its class cannot be used: {type(error).__name__}: {error}", where=use) from error
    return component, [
        SettingProblem(path + place, f"{'.'.join(map(str, place))} must be {wanted}, got {show(given)}")
        for place, wanted, given in _converted(cls, values, component)
    ]


def _nested_value(registry: Registry, kinds: list[str], value: Any, path: Path) -> tuple[Any, list[SettingProblem]]:
    if isinstance(value, (list, tuple)):
        items = [_nested(registry, kinds, item, (*path, index)) for index, item in enumerate(value)]
        return [item for item, _ in items], [problem for _, found in items for problem in found]
    return _nested(registry, kinds, value, path)


def _nested(registry: Registry, kinds: list[str], value: Any, path: Path) -> tuple[Any, list[SettingProblem]]:
    if isinstance(value, Component):
        return value, []
    if not isinstance(value, Mapping) or not isinstance(value.get("use"), str):
        wanted = f"{{use: {kinds[0]}/…, with: {{…}}}}"
        name = f"{path[-2]}.{path[-1]}" if isinstance(path[-1], int) else path[-1]
        return None, [SettingProblem(path, f"{name} must be {wanted}, got {show(value)}")]
    problems = [
        SettingProblem((*path, key), f"unknown key {str(key)!r}{did_you_mean(str(key), NESTED_KEYS)}", on_key=True)
        for key in value
        if key not in NESTED_KEYS
    ]
    given = value.get("with")
    if given is not None and not isinstance(given, Mapping):
        problems.append(SettingProblem((*path, "with"), f"'with' must be a mapping of options, got {show(given)}"))
        given = None
    try:
        ref = registry.get(value["use"])
        if ref.kind not in kinds:
            choice = " or ".join(kinds)
            raise UsageError(f"expected a component of the kind {choice}, got {ref.id}")
        component, found = build_component(registry, value["use"], given or {}, (*path, "with"))
    except WorkbenchError as error:
        return None, [*problems, SettingProblem((*path, "use"), one_line(error))]
    return component, problems + found


def one_line(error: WorkbenchError) -> str:
    """Return an error as one line: what is wrong, and the command that helps in brackets."""
    return f"{error.what} ({error.advice})" if error.advice else error.what


def _converted(cls: type[BaseModel], raw: Any, value: Any) -> Iterator[tuple[Path, str, Any]]:
    """Yield (place, what was wanted, what was given) where a text, number or truth value changed into another."""
    for name, given in raw.items():
        field = cls.model_fields.get(name)
        if field is not None and not _has_own_conversion(cls, name):
            yield from _changes((name,), given, getattr(value, name))


def _has_own_conversion(cls: type[BaseModel], name: str) -> bool:
    decorators = cls.__pydantic_decorators__.field_validators.values()
    return any(item.info.mode != "after" and name in item.info.fields for item in decorators) or any(
        type(item).__name__ in ("BeforeValidator", "PlainValidator", "WrapValidator")
        for item in cls.model_fields[name].metadata
    )


def _changes(place: Path, given: Any, value: Any) -> Iterator[tuple[Path, str, Any]]:
    if isinstance(value, Component) or given is value:
        return
    if isinstance(value, BaseModel) and isinstance(given, Mapping):
        for place_inside, wanted, inner in _converted(type(value), given, value):
            yield (*place, *place_inside), wanted, inner
    elif isinstance(value, Mapping) and isinstance(given, Mapping):
        for key in given:
            if key in value:
                yield from _changes((*place, key), given[key], value[key])
    elif isinstance(value, (list, tuple)) and isinstance(given, (list, tuple)):
        for index, (before, after) in enumerate(zip(given, value, strict=False)):
            yield from _changes((*place, index), before, after)
    elif (wanted := _scalar_kind(value)) and (was := _scalar_kind(given)) and wanted != was:
        yield place, WANTED_SCALAR[wanted], given


def _scalar_kind(value: Any) -> str:
    """Return `bool`, `number` or `text`; empty for what is no scalar. 1e7 may become 10000000, "50" not 50."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else ""
