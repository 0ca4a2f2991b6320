"""One line of JSON, taken apart with care: every way to be no record has a name."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

MISSING = object()  # null is a value; a field that is not there is this

# A lone surrogate is half of a pair; orjson refuses it, others turn it into NUL or "?".
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_TOO_DEEP = 1000  # orjson stops at 1,024


class NotARecord(ValueError):
    """Raise for a line that is no record.

    Attributes:
        reason: A slug that counts are made over.
        detail: One sentence.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


def parse_object(content: bytes, keys: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """Return the object on a line; raises `NotARecord` also when one of `keys`, see `key_of`, stands in it twice."""
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _why(content, error) from error
    if not isinstance(record, dict):
        raise NotARecord("not-an-object", f"a record is an object, this is {name_of_type(record)}")
    # A key can only stand twice where its bytes do: the costly look is for few lines.
    for key in keys:
        if content.count(key) > 1:
            _refuse_repeated(content, {key[1:-1].decode() for key in keys})
    return record


def key_of(path: str) -> bytes:
    """Return the last field of a path as its bytes stand in JSON.

    >>> key_of("body.text")
    b'"text"'
    """
    return f'"{path.rpartition(".")[2]}"'.encode()


def take(record: dict[str, Any], path: str) -> Any:
    """Remove the field `path` from the record and return it, `MISSING` when there is none.

    A dot leads into an object, unless a field has the whole path as its name.

    >>> take({"a": {"b": 1}}, "a.b"), take({"a.b": 2}, "a.b")
    (1, 2)
    """
    if path in record:
        return record.pop(path)
    *outer, last = path.split(".")
    inner: Any = record
    for name in outer:
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner.pop(last, MISSING) if isinstance(inner, dict) else MISSING


def dump_sorted(value: dict[str, Any]) -> str:
    """Return JSON with sorted keys. Raises `NotARecord` when it is nested too deeply to be written."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError as error:
        raise NotARecord("nested-too-deep", "more than 250 brackets inside each other") from error


def name_of_type(value: Any) -> str:
    """Return what JSON calls a value of this type."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _why(content: bytes, error: ValueError) -> NotARecord:
    """Say what kind of fault it is, from the bytes and not from the words of a library."""
    try:
        text = content.decode()
    except UnicodeDecodeError as fault:
        return NotARecord("invalid-utf8", f"byte {fault.start} of the record: {fault.reason}")
    if _depth(text) > _TOO_DEEP:
        return NotARecord("nested-too-deep", f"more than {_TOO_DEEP} brackets inside each other")
    if _SURROGATE.search(content) and _is_json_without_surrogates(content):
        return NotARecord("lone-surrogate", "an escape is half of a surrogate pair and stands for no character")
    return NotARecord("invalid-json", str(error))


def _depth(text: str) -> int:
    deepest = depth = 0
    for bracket in re.findall(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', text):
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


def _is_json_without_surrogates(content: bytes) -> bool:
    try:
        orjson.loads(_SURROGATE.sub(b"?", content))
    except orjson.JSONDecodeError:
        return False
    return True


def _refuse_repeated(content: bytes, fields: set[str]) -> None:
    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs if name in fields]
        if len(names) > len(set(names)):
            raise NotARecord("duplicate-key", f"the field {max(names, key=names.count)!r} stands twice")
        return dict(pairs)

    try:
        json.loads(content, object_pairs_hook=check)
    except RecursionError as error:
        raise NotARecord("nested-too-deep", "too many brackets inside each other") from error
