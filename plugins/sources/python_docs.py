"""Take the documentation out of the files of one package; runs in worker processes.

Docstrings are parsed, never imported: a file that is no Python, or not what its RECORD says, is a bad record.
"""

from __future__ import annotations

import ast
import email
import gc
import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from workbench.api import BadRecord, document_id

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Found = tuple[int, str, str]  # line (0 for a whole file), qualified name, text
TRIPLE_QUOTE = re.compile(rb"""(?<!\\)(?:\"{3}|'{3})""")


class _Unreadable(ValueError):
    """Why a file gives nothing: reason and detail."""


def harvest(task: dict[str, Any]) -> dict[str, Any]:
    """Write the documents of some files of a package to a Parquet file.

    Args:
        task: `package`, `version`, `root`, `files` (path, kind, digest), `min_characters`, `limit` (documents, or
            None) and `output`, the Parquet file.

    Returns:
        `{"documents": n, "bad": [...]}`; a bad record's head is written in hexadecimal.
    """
    with _no_garbage_collection():
        rows, bad = _harvest(task)
    columns = dict.fromkeys(("id", "text", "source", "meta"), pl.String)
    pl.DataFrame(rows, schema=columns).write_parquet(task["output"])
    return {"documents": len(rows), "bad": bad}


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Spare the collector the million nodes of a syntax tree, none of them in a cycle: 1.7 times the speed."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _harvest(task: dict[str, Any]) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    rows: list[dict[str, str]] = []
    bad: list[dict[str, Any]] = []
    for path, kind, digest in task["files"]:
        if task["limit"] is not None and len(rows) >= task["limit"]:
            break
        content = b""
        try:
            content = _read(Path(task["root"]) / path)
            rows += list(_documents(task, path, kind, _checked(content, digest)))
        except _Unreadable as fault:
            reason, detail = fault.args
            record = BadRecord.of(content, file=path, place="byte 0", reason=reason, detail=detail)
            bad.append({**asdict(record), "head": record.head.hex()})
    return rows[: task["limit"]], bad


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:  # small images of systems leave files out that RECORD names
        raise _Unreadable("unreadable", f"{error.strerror}") from error


def _checked(content: bytes, digest: str) -> tuple[bytes, str]:
    actual = hashlib.sha256(content).hexdigest()
    if digest and actual != digest:
        raise _Unreadable("differs-from-record", "the file was changed after it was installed")
    return content, actual


def _documents(task: dict[str, Any], path: str, kind: str, checked: tuple[bytes, str]) -> Iterator[dict[str, str]]:
    content, digest = checked
    about = {"package": task["package"], "version": task["version"], "kind": kind}
    if kind == "docstring" and not _may_hold_docstring(content, task["min_characters"]):
        return
    for line, name, text in _TAKE[kind](content, path):
        if len(text) < task["min_characters"]:
            continue
        yield {
            "id": document_id(digest, f"{path}:{line}:{name}"),
            "text": text,
            "source": f"{path}:{line}" if line else path,
            "meta": json.dumps({**about, "name": name}, ensure_ascii=False, sort_keys=True),
        }


def _readme(content: bytes, path: str) -> Iterator[Found]:
    message = email.message_from_string(_decoded(content))
    text = str(message.get_payload()).strip() or str(message["Description"] or "").strip()
    del path
    yield 0, str(message["Name"]), text


def _whole(content: bytes, path: str) -> Iterator[Found]:
    yield 0, path.rpartition("/")[2], _decoded(content).strip()


def _may_hold_docstring(content: bytes, min_characters: int) -> bool:
    """Return whether something between two triple quotes is long enough; parsing costs 0.2 s for each MB.

    A long docstring in single quotes is missed where it is the only one of its file.
    """
    between = TRIPLE_QUOTE.split(content)[1:-1]
    return any(len(text.expandtabs()) >= min_characters for text in between)


def _docstrings(content: bytes, path: str) -> Iterator[Found]:
    """Yield the docstrings of a module, its classes and its functions."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's code
            tree = ast.parse(content)
        for name, node in [(module, tree), *_definitions(tree.body, f"{module}.")]:
            text = ast.get_docstring(node)
            if text:
                text.encode()
                yield getattr(node, "lineno", 1), name, text
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _Unreadable("invalid-python", f"{type(error).__name__}: {error}") from error


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _definitions([*node.body, *node.orelse], prefix)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unreadable("invalid-utf8", f"byte {error.start}: {error.reason}") from error


_TAKE = {"readme": _readme, "docstring": _docstrings, "document": _whole, "license": _whole}
