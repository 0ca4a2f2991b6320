"""Write plain values as YAML that reads back to the same values."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

from workbench.pipeline import yaml_scalars

CORE = "tag:yaml.org,2002:"
INVISIBLE = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]")


class _Writer(yaml.SafeDumper):
    """PyYAML's writer with the YAML 1.2 rules for what has to be quoted."""

    yaml_implicit_resolvers: ClassVar[dict[str | None, list[tuple[str, re.Pattern[str]]]]] = {  # type: ignore[misc]
        None: [
            (f"{CORE}null", yaml_scalars.NULL),
            (f"{CORE}bool", yaml_scalars.BOOL),
            (f"{CORE}int", yaml_scalars.INT),
            (f"{CORE}float", yaml_scalars.FLOAT),
        ]
    }

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(writer: _Writer, text: str) -> yaml.ScalarNode:
    """Write line ends and what cannot be seen as escapes: PyYAML folds some of them in its other styles."""
    style = '"' if INVISIBLE.search(text) else None
    return writer.represent_scalar(f"{CORE}str", text, style=style)


_Writer.add_representer(str, _text)


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
