"""What a Python module says, apart from how it is laid out: its code without comments and docstrings, its imports.

Special here: nothing is imported or run, and the text is cut by token position, so that an edit of a comment, a
docstring, blank lines or spacing leaves the digest as it was, and every other edit changes it.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
BLOCKS = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\x01", tokenize.DEDENT: "\x02"}
# Since Python 3.12 an f-string is many tokens; taking its text by position gives one digest on every version.
F_START = getattr(tokenize, "FSTRING_START", -1)
F_END = getattr(tokenize, "FSTRING_END", -1)
ENTRY_FUNCTION = "workbench_components"
NAME_LIKE = re.compile(r"[\w/:-]+(\.[\w/:-]+)+\Z")

Position = tuple[int, int]


@dataclass(frozen=True)
class Import:
    """One import statement's part: `from module import name`, or `import module` with an empty name."""

    module: str
    level: int
    name: str = ""


@dataclass(frozen=True)
class ModuleSource:
    """What the digests and the closure of imports need to know of one module.

    Attributes:
        digest: SHA-256 of the code without comments, docstrings and layout.
        imports: Every import, wherever it stands, but for those that only a type checker follows.
        binds: The names the module itself binds at its top level.
        texts: String constants that could name a module or a file.
        is_entry: Whether it is a plugin's entry module, which lists components and runs nothing.
    """

    digest: str
    imports: tuple[Import, ...] = ()
    binds: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    is_entry: bool = False


def read_module(path: Path) -> ModuleSource:
    """Return what the file says; remembered by path, size and time of change."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read(path: Path, changed: int, size: int) -> ModuleSource:
    del changed, size
    content = path.read_bytes()
    if path.suffix != ".py":
        return ModuleSource(hashlib.sha256(content).hexdigest())
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = io.IncrementalNewlineDecoder(None, translate=True).decode(content.decode(encoding))
        nodes = list(_executed(ast.parse(text)))
        digest = _digest(text, set(_docstrings(nodes)))
    except (SyntaxError, UnicodeDecodeError, tokenize.TokenError, ValueError):  # it cannot be imported either
        return ModuleSource(hashlib.sha256(content).hexdigest())
    binds = frozenset(_bound(nodes))
    return ModuleSource(digest, tuple(_imports(nodes)), binds, tuple(_texts(nodes)), ENTRY_FUNCTION in binds)


def digest_code(text: str) -> str:
    """Return the SHA-256 of the code in `text` without comments, docstrings and layout.

    >>> digest_code("x = 1  # one") == digest_code("x   =  1") != digest_code("x = 2")
    True
    """
    return _digest(text, set(_docstrings(ast.walk(ast.parse(text)))))


def _digest(text: str, docstrings: set[Position]) -> str:
    kept = "\x00".join(_kept(text, docstrings))
    return hashlib.sha256(kept.encode("utf-8", "surrogatepass")).hexdigest()


def _kept(text: str, docstrings: set[Position]) -> Iterator[str]:
    """Yield the text of every token that says something, blocks and line ends as marks."""
    lines = text.splitlines(keepends=True)
    string_start: Position | None = None
    nesting = 0
    in_docstring = False
    for kind, string, start, end, _ in tokenize.generate_tokens(io.StringIO(text).readline):
        if kind == F_START:
            string_start = string_start or start
            nesting += 1
        elif kind == F_END:
            nesting -= 1
            if not nesting and string_start:
                yield _between(lines, string_start, end)
                string_start = None
        elif not nesting and kind not in LAYOUT:
            was_docstring, in_docstring = in_docstring, start in docstrings
            if in_docstring or (was_docstring and kind in (tokenize.STRING, tokenize.NEWLINE)):
                in_docstring = kind == tokenize.STRING  # its further pieces and its line end go with it
                continue
            yield BLOCKS.get(kind, string)


def _between(lines: list[str], start: Position, end: Position) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = "".join(lines[start[0] : end[0] - 1])
    return lines[start[0] - 1][start[1] :] + middle + lines[end[0] - 1][: end[1]]


def _docstrings(nodes: Iterable[ast.AST]) -> Iterator[Position]:
    """Yield where each docstring begins, as the tokenizer counts (columns in characters)."""
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.lineno, first.col_offset  # only white space stands before it: bytes and characters agree


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those below `if TYPE_CHECKING:`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _asks_for_type_checker(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _asks_for_type_checker(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _imports(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.module or "", node.level, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, 0)


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME_LIKE.match(node.value):
            yield node.value
