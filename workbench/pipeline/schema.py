"""One JSON Schema (draft 2020-12) for pipeline files over all installed components, for completion in editors.

Special here: a component that stands in the settings of another is described by its kind, so that a new plugin is
completed everywhere at once. Grouped digits (`16_000`), a text for other YAML readers, are allowed for whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import CoreSchema

from workbench.contracts.component import Component, nested_kinds
from workbench.contracts.ports import Port
from workbench.contracts.references import KINDS, ComponentRef
from workbench.errors import WorkbenchError
from workbench.pipeline.document import NO_STEPS, PIPELINE_NAME, STEP_NAME, VERSION
from workbench.pipeline.graph import RunOptions
from workbench.registry import Registry

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GROUPED = {"type": "string", "pattern": "^[-+]?[0-9]+(_[0-9]+)+$"}
REFERENCE = {"type": "string", "pattern": r"^[A-Za-z][\w-]*(\.[\w-]+)?$", "description": "a step, or step.part"}


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema of a pipeline file. Components that cannot be loaded are listed without their options."""
    definitions: dict[str, Any] = {"run": _model_schema(RunOptions, "run", {})}
    loaded = {ref.id: _load(registry, ref) for ref in registry.refs()}
    for ref in registry.refs():
        definitions[f"with.{_key(ref.id)}"] = _settings_schema(loaded[ref.id], ref, definitions)
    for kind in KINDS:
        refs = registry.refs(kind)
        definitions[f"nested.{kind}"] = _choice(refs, loaded, ("use", "with"))
    steps = [ref for ref in registry.refs() if ref.kind not in NO_STEPS]
    definitions["step"] = _choice(steps, loaded, ("use", "inputs", "with", "run"))
    return {
        "$schema": DRAFT,
        "title": "workbench pipeline",
        "type": "object",
        "required": ["workbench", "steps"],
        "additionalProperties": False,
        "properties": _top_level(),
        "$defs": definitions,
    }


def _top_level() -> dict[str, Any]:
    return {
        "workbench": {"const": VERSION, "description": "the version of this format"},
        "name": {"type": "string", "pattern": _pattern(PIPELINE_NAME.pattern), "description": "the pipeline's name"},
        "seed": {"type": "integer", "minimum": 0, "default": 0, "description": "the one seed"},
        "steps": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": _pattern(STEP_NAME.pattern)},
            "additionalProperties": {"$ref": "#/$defs/step"},
        },
        "sweep": {
            "type": "object",
            "description": "path of a setting -> values to try, one run for each combination",
            "additionalProperties": {"type": "array", "minItems": 1},
        },
    }


def _pattern(expression: str) -> str:
    return "^" + expression.replace(r"\Z", "$")


def _key(use: str) -> str:
    return use.replace("/", ".")


def _load(registry: Registry, ref: ComponentRef) -> type[Component] | None:
    try:
        return registry.load(ref.id)
    except WorkbenchError:  # `workbench plugins doctor` reports it; the schema stays useful for the rest
        return None


def _choice(
    refs: list[ComponentRef], loaded: Mapping[str, type[Component] | None], keys: tuple[str, ...]
) -> dict[str, Any]:
    """Return the schema of `{use, with, …}` over some components: what `with` takes follows from `use`."""
    names = {name: ref for ref in refs for name in (ref.id, *(f"{ref.kind}/{alias}" for alias in ref.aliases))}
    properties: dict[str, Any] = {
        "use": {"enum": sorted(names), "markdownEnumDescriptions": [names[name].summary for name in sorted(names)]},
        "inputs": {},
        "with": {"type": ["object", "null"]},
        "run": {"$ref": "#/$defs/run"},
    }
    return {
        "type": "object",
        "required": ["use"],
        "additionalProperties": False,
        "properties": {key: properties[key] for key in keys},
        "allOf": [_condition(name, names[name], loaded[names[name].id], keys) for name in sorted(names)],
    }


def _condition(name: str, ref: ComponentRef, cls: type[Component] | None, keys: tuple[str, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = {"$ref": f"#/$defs/with.{_key(ref.id)}"}
    needs_settings = cls is not None and any(field.is_required() for field in cls.model_fields.values())
    then: dict[str, Any] = {
        "properties": {"with": settings if needs_settings else {"anyOf": [settings, {"type": "null"}]}}
    }
    required = ["with"] if needs_settings else []
    if "inputs" in keys and cls is not None:
        then["properties"]["inputs"] = _inputs_schema(cls.inputs)
        required += ["inputs"] if any(not port.optional for port in cls.inputs.values()) else []
    if required:
        then["required"] = required
    return {"if": {"properties": {"use": {"const": name}}, "required": ["use"]}, "then": then}


def _inputs_schema(ports: Mapping[str, Port]) -> dict[str, Any]:
    if not ports:
        return {"type": "null", "description": "takes no inputs"}
    named = {
        name: {**_port_schema(port), "description": port.about or f"a {port.type}"} for name, port in ports.items()
    }
    required = [name for name, port in ports.items() if not port.optional]
    full = {"type": "object", "additionalProperties": False, "properties": named, "required": required}
    first = next(iter(ports))
    return {"anyOf": [_port_schema(ports[first]), full]} if required in ([], [first]) else full


def _port_schema(port: Port) -> dict[str, Any]:
    return (
        {"anyOf": [REFERENCE, {"type": "array", "items": REFERENCE, "minItems": 1}]} if port.many else dict(REFERENCE)
    )


def _settings_schema(cls: type[Component] | None, ref: ComponentRef, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls is None:
        return {"type": "object", "description": f"{ref.summary} (cannot be loaded: workbench plugins doctor)"}
    return {**_model_schema(cls, _key(ref.id), definitions), "description": ref.summary}


def _model_schema(cls: type[Any], prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a model's fields; schemas of models inside go to `definitions` under the prefix."""
    template = f"#/$defs/{prefix}.{{model}}"
    schema = cls.model_json_schema(ref_template=template, schema_generator=_Generator)
    own = schema.pop("$defs", {})
    kinds = nested_kinds(cls)
    for field, kind in kinds.items():
        schema["properties"][field].pop("default", None)
        for name in _component_names(cls.model_fields[field].annotation):
            own[name] = {"anyOf": [{"$ref": f"#/$defs/nested.{one}"} for one in kind.split("|")]}
    definitions.update({f"{prefix}.{name}": _with_groups(value) for name, value in own.items()})
    schema.pop("title", None)
    result: dict[str, Any] = _with_groups(schema)
    return result


def _component_names(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return [annotation.__name__]
    return [name for item in getattr(annotation, "__args__", ()) for name in _component_names(item)]


def _with_groups(schema: Any) -> Any:
    """Return the schema with grouped digits allowed wherever a whole number is."""
    if isinstance(schema, list):
        return [_with_groups(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "integer":
        about = {name: schema[name] for name in ("title", "description", "default") if name in schema}
        number = {name: value for name, value in schema.items() if name not in about}
        return {**about, "anyOf": [number, GROUPED]}
    return {name: value if name == "default" else _with_groups(value) for name, value in schema.items()}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, which describes what JSON Schema cannot say as anything."""

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:
        del schema, error_info
        return {}

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        del kind, detail
