"""Validation errors in plain words: what a setting must be, and what was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from workbench.errors import did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]
MAX_SHOWN = 60
MAX_OPTIONS = 12  # listed in a message

WANTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "iterable": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "model_attributes": "a mapping",
    "path": "a path",
    "finite_number": "a finite number",
    "none_required": "null",
}
COMPARISONS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}


@dataclass(frozen=True)
class SettingProblem:
    """One mistake in settings.

    Attributes:
        path: Where, from the `path` that was handed in.
        message: What is wrong, one line.
        on_key: Whether it is the key at `path`, not its value, that is wrong.
    """

    path: Path
    message: str
    on_key: bool = False


def explain(error: ValidationError, cls: type[BaseModel], owner: str, raw: Any, path: Path) -> list[SettingProblem]:
    """Return one problem for each place that validation of `raw` as `cls` found fault with.

    `owner` is what the settings belong to, for messages. The branches of a union at one place become one message.
    """
    wanted: dict[Path, list[str]] = {}
    found: list[SettingProblem] = []
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] == "missing")
    for detail in details:
        place = _inside(detail["loc"], raw)
        if detail["type"] == "extra_forbidden":
            found.append(_unknown(place, cls, owner, path))
        elif detail["type"] == "missing":
            missing = str(detail["loc"][-1])
            if not any(problem.on_key and problem.message.endswith(f"{missing!r}?") for problem in found):
                name = ".".join(map(str, (*place, missing)))
                found.append(SettingProblem(path + place, f"{owner} needs the option {name!r}"))
        else:
            wanted.setdefault(place, []).append(_expectation(detail))
    for place, phrases in wanted.items():
        found.append(SettingProblem(path + place, _sentence(place, phrases, owner, raw)))
    return found


def show(value: Any) -> str:
    """Return a short form of a value for a message.

    >>> show(True), show("a" * 100)[:6], show([1, 2])
    ('true', "'aaaaa", 'a list')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _inside(location: Iterable[str | int], raw: Any) -> Path:
    """Return the part of pydantic's location that can be followed in `raw`: names of union branches are cut."""
    place: list[str | int] = []
    for step in location:
        is_key = isinstance(raw, Mapping) and step in raw
        is_index = isinstance(raw, (list, tuple)) and isinstance(step, int) and step < len(raw)
        if is_key or is_index:
            raw = raw[step]
            place.append(step)
    return tuple(place)


def _unknown(place: Path, cls: type[BaseModel], owner: str, path: Path) -> SettingProblem:
    *above, name = place
    known = _fields_at(cls, above)
    inside = f" in {'.'.join(map(str, above))!r}" if above else ""
    below = [f"{option}.{name}" for option in known if name in _fields_at(cls, [*above, option])]
    meant = f"; did you mean {' or '.join(map(repr, below))}?" if below else did_you_mean(str(name), known)
    message = f"unknown option {str(name)!r}{inside} of {owner}{meant or _listed(known)}"
    return SettingProblem(path + place, message, on_key=True)


def _listed(options: list[str]) -> str:
    more = [f"and {len(options) - MAX_OPTIONS} more"] if len(options) > MAX_OPTIONS else []
    return f" (options: {', '.join([*options[:MAX_OPTIONS], *more])})" if options else " (it has none)"


def _fields_at(cls: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    current: Any = cls
    for step in place:
        if not (isinstance(current, type) and issubclass(current, BaseModel)) or step not in current.model_fields:
            return []
        current = _model_in(current.model_fields[str(step)].annotation)
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for item in getattr(annotation, "__args__", ()) if (found := _model_in(item))), None)


def _expectation(detail: ErrorDetails) -> str:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind in COMPARISONS:
        bounds = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return COMPARISONS[kind].format(**bounds)
    if kind in ("value_error", "assertion_error"):
        return f"!{context.get('error', detail['msg'])}"
    for name in (kind, kind.rpartition("_")[0], kind.partition("_")[0]):
        if name in WANTED:
            return WANTED[name]
    return f"!{detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _sentence(place: Path, phrases: list[str], owner: str, raw: Any) -> str:
    name = ".".join(map(str, place))
    plain = list(dict.fromkeys(phrase for phrase in phrases if not phrase.startswith("!")))
    if not plain:
        own = phrases[0][1:]
        return f"{name}: {own}" if name else f"{owner}: {own}"
    for step in place:
        raw = raw[step]
    return f"{name or owner} must be {' or '.join(plain)}, got {show(raw)}"
