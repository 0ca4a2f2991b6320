"""YAML 1.2 core values: what a plain scalar means.

Special here: `no`, `on` and `yes` are strings, `012` is twelve, `0o14` is octal and `3e-4` is a number, as YAML 1.2
(section 10.3.2) says and PyYAML's own rules do not. One addition: digits may be grouped, `16_000`.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
INT = re.compile(r"(?:[-+]?[0-9]+(?:_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
MAX_DIGITS = 400  # beyond the range of a double; Python itself refuses decimal integers above 4300 digits


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted) scalar. Raises `ValueError` for a number that is too long.

    >>> [resolve(text) for text in ("3e-4", "16_000", "no", "012", "0o14", "~", "true", "1.2.3")]
    [0.0003, 16000, 'no', 12, 12, None, True, '1.2.3']
    """
    if NULL.match(text):
        return None
    if BOOL.match(text):
        return text[0] in "tT"
    if INT.match(text):
        return _integer(text)
    if FLOAT.match(text):
        return _float(text)
    return text


def is_ambiguous(text: str) -> bool:
    """Return whether `text` has to be quoted to stay a string.

    >>> is_ambiguous("1e3"), is_ambiguous("no")
    (True, False)
    """
    return any(pattern.match(text) for pattern in (NULL, BOOL, INT, FLOAT))


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits is too long")
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text.replace("_", ""))


def _float(text: str) -> float:
    sign, name = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    if name.lower() in (".inf", ".nan"):
        return float(sign + name[1:])
    return float(text.replace("_", ""))
