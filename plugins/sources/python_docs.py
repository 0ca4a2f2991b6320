"""Take the documentation out of the files of one package; runs in worker processes.

Docstrings are parsed, never imported: a file that is no Python, or not what its RECORD says, is a bad record.
"""

from __future__ import annotations

import ast
import email
import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from workbench.api import BadRecord, document_id

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Found = tuple[int, str, str]  # line (0 for a whole file), qualified name, text
QUOTES = (b'"""', b"'''")


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
    rows: list[dict[str, str]] = []
    bad: list[dict[str, Any]] = []
    for path, kind, digest in task["files"]:
        if task["limit"] is not None and len(rows) >= task["limit"]:
            break
        content = (Path(task["root"]) / path).read_bytes()
        try:
            rows += _documents(task, path, kind, _checked(content, digest))
        except _Unreadable as fault:
            reason, detail = fault.args
            record = BadRecord.of(content, file=path, place="byte 0", reason=reason, detail=detail)
            bad.append({**asdict(record), "head": record.head.hex()})
    columns = dict.fromkeys(("id", "text", "source", "meta"), pl.String)
    pl.DataFrame(rows[: task["limit"]], schema=columns).write_parquet(task["output"])
    return {"documents": min(len(rows), task["limit"] or len(rows)), "bad": bad}


def _checked(content: bytes, digest: str) -> tuple[bytes, str]:
    actual = hashlib.sha256(content).hexdigest()
    if digest and actual != digest:
        raise _Unreadable("differs-from-record", "the file was changed after it was installed")
    return content, actual


def _documents(task: dict[str, Any], path: str, kind: str, checked: tuple[bytes, str]) -> Iterator[dict[str, str]]:
    content, digest = checked
    about = {"package": task["package"], "version": task["version"], "kind": kind}
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


def _docstrings(content: bytes, path: str) -> Iterator[Found]:
    """Yield the docstrings of a module, its classes and its functions.

    Parsing costs 0.2 s for each MB and is spared for files without a triple quote.
    """
    if not any(quote in content for quote in QUOTES):
        return
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
