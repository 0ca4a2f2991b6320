"""Write plain values as YAML that reads back to the same values."""

from __future__ import annotations

from typing import Any

import yaml

from workbench.pipeline import yaml_scalars

CORE = "tag:yaml.org,2002:"


class _Writer(yaml.SafeDumper):
    """PyYAML's writer with the YAML 1.2 rules for what has to be quoted."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {  # noqa: RUF012  # PyYAML reads it as a class attribute
        "": [],
    }

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002  # PyYAML's signature
        del indentless
        super().increase_indent(flow, False)  # noqa: FBT003


for _name, _pattern in (
    ("null", yaml_scalars.NULL),
    ("bool", yaml_scalars.BOOL),
    ("int", yaml_scalars.INT),
    ("float", yaml_scalars.FLOAT),
):
    _Writer.yaml_implicit_resolvers.setdefault(None, []).append((f"{CORE}{_name}", _pattern))  # type: ignore[arg-type]


def write_yaml(value: Any) -> str:
    """Return `value` (dicts, lists, scalars) as YAML text, keys in their given order.

    >>> print(write_yaml({"a": [1e-05, "1e3", "no"], "b": {}}), end="")
    a: [1.0e-05, '1e3', no]
    b: {}
    """
    text: str = yaml.dump(
        value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return text
