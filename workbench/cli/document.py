"""The one JSON document a command answers with.

Written in ASCII, so that no character of a corpus reaches a terminal raw, and strict: what is not a number (a loss
that became NaN) is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TextIO


def write_document(stream: TextIO, value: Any) -> None:
    """Write one JSON document and a final newline."""
    stream.write(json.dumps(plain(value), indent=1, allow_nan=False) + "\n")
    stream.flush()


def plain(value: Any) -> Any:
    """Return `value` as JSON values.

    >>> plain({"loss": float("nan"), "path": __import__("pathlib").Path("a/b"), "n": (1, 2)})
    {'loss': None, 'path': 'a/b', 'n': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
