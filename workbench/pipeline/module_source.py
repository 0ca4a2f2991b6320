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
from collections.abc import Iterator
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
        tree = ast.parse(text)
        digest = digest_code(text)
    except (SyntaxError, UnicodeDecodeError, tokenize.TokenError, ValueError):  # it cannot be imported either
        return ModuleSource(hashlib.sha256(content).hexdigest())
    binds = frozenset(_bound(tree))
    return ModuleSource(digest, tuple(_imports(tree)), binds, tuple(_texts(tree)), ENTRY_FUNCTION in binds)


def digest_code(text: str) -> str:
    """Return the SHA-256 of the code in `text` without comments, docstrings and layout.

    >>> digest_code("x = 1  # one") == digest_code("x   =  1") != digest_code("x = 2")
    True
    """
    lines = text.splitlines(keepends=True)
    docstrings = set(_docstrings(ast.parse(text)))
    digest = hashlib.sha256()
    string_start: Position | None = None
    nesting = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == F_START:
            string_start = string_start or token.start
            nesting += 1
        elif token.type == F_END:
            nesting -= 1
            if not nesting and string_start:
                digest.update(f"{_between(lines, string_start, token.end)}\x00".encode("utf-8", "surrogatepass"))
                string_start = None
        elif not nesting and token.type not in LAYOUT and token.start not in docstrings:
            digest.update(f"{BLOCKS.get(token.type, token.string)}\x00".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _between(lines: list[str], start: Position, end: Position) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = "".join(lines[start[0] : end[0] - 1])
    return lines[start[0] - 1][start[1] :] + middle + lines[end[0] - 1][: end[1]]


def _docstrings(tree: ast.AST) -> Iterator[Position]:
    """Yield where each docstring begins, as the tokenizer counts (columns in characters)."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.lineno, first.col_offset  # only white space stands before it: bytes and characters agree


def _imports(tree: ast.AST) -> Iterator[Import]:
    for node in _executed(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.module or "", node.level, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, 0)


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those below `if TYPE_CHECKING:`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in _executed(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in _executed(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME_LIKE.match(node.value):
            yield node.value
