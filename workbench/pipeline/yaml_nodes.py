"""Read YAML into a tree in which every key and value knows its line and column.

Special here: the tree is built from the parser's events with an explicit stack, so that depth, size, duplicate keys
and alias bombs are refused with a position before anything recurses. Values follow YAML 1.2 (`yaml_scalars`).
No tag is understood, so a file cannot name a type, let alone code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from workbench.errors import PipelineError, Problem
from workbench.pipeline.yaml_scalars import Scalar, resolve

MAX_BYTES = 1 << 20
MAX_DEPTH = 100
MAX_NODES = 100_000  # aliases counted as often as they stand: a bomb of nine lines is worth 10^9
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file (or in an override); line and column count from 1."""

    file: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        """Return a mistake at this place."""
        return Problem(self.file, self.line, self.column, message)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping."""

    mark: Mark
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place: a scalar, a tuple of nodes, or a dict of entries."""

    mark: Mark
    value: Scalar | tuple[Node, ...] | dict[str, Entry]

    @property
    def entries(self) -> dict[str, Entry]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.value, dict)

    @property
    def plain(self) -> Any:
        """The value as plain Python: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {name: entry.node.plain for name, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [item.plain for item in self.value]
        return self.value

    def child(self, step: str | int) -> Entry | None:
        """Return the entry or item under one key or index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, tuple) and isinstance(step, int) and -1 < step < len(self.value):
            return Entry(self.value[step].mark, self.value[step])
        return None

    def locate(self, path: Sequence[str | int], *, key: bool = False) -> Mark:
        """Return the place of the value at `path` (or of its key), or of the nearest thing above that exists.

        Steps that a short form leaves out (`inputs: raw` for `inputs: {corpus: raw}`) are passed over.
        """
        node, mark = self, self.mark
        for step in path:
            entry = node.child(step)
            if entry is None and not node.is_mapping:
                continue
            if entry is None:
                return mark
            node, mark = entry.node, entry.mark
        return mark if key else node.mark


def parse_yaml(text: str, file: str) -> Node:
    """Return the tree of a YAML document. Raises `PipelineError` with every mistake found.

    >>> parse_yaml("a: {b: 3e-4}", "x.yaml").locate(("a", "b"))
    Mark(file='x.yaml', line=1, column=8)
    """
    text = text.removeprefix("\ufeff")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PipelineError([Problem(file, 1, 1, f"the file is larger than {MAX_BYTES >> 20} MiB")])
    bad = FORBIDDEN.search(text)
    if bad:
        raise PipelineError([_place(text, bad.start(), file).problem(_unprintable(bad.group()))])
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        builder.stop(_syntax(text, file, error))
    except RecursionError:
        builder.stop(Problem(file, 1, 1, "the file is nested too deeply"))
    if builder.root is None:
        builder.problems.append(Problem(file, 1, 1, "the file is empty; expected 'workbench: 1' and 'steps'"))
    if builder.problems or builder.root is None:
        raise PipelineError(builder.problems)
    return builder.root


def _place(text: str, offset: int, file: str) -> Mark:
    before = text[:offset]
    return Mark(file, before.count("\n") + 1, offset - before.rfind("\n"))


def _unprintable(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed in YAML; in a quoted string write it as an escape"


def _syntax(text: str, file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(file, 1, 1, f"not YAML: {error.problem or error}")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        message = "a tab cannot indent in YAML; use spaces"
    else:
        message = "not YAML: " + ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(file, mark.line + 1, mark.column + 1, message)


@dataclass
class _Open:
    """A list or mapping whose end has not been seen."""

    mark: Mark
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Mark] | None = None
    size: int = 1
    height: int = 1


class _Builder:
    """Turn parser events into nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        self.num_nodes = 0

    def take(self, event: yaml.Event) -> None:
        start = event.start_mark
        mark = Mark(self.file, start.line + 1, start.column + 1) if start else Mark(self.file, 1, 1)
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self.stop(mark.problem("a second document; a pipeline file holds one"))
        if isinstance(event, yaml.AliasEvent):
            self._alias(str(event.anchor), mark)
        elif isinstance(event, yaml.ScalarEvent):
            self._tag(event.tag, mark)
            node = Node(mark, self._value(event, mark))
            self._anchor(event.anchor, node, 1, 0)
            self._add(node, 1, 0)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._tag(event.tag, mark)
            if len(self.stack) >= MAX_DEPTH:
                self.stop(mark.problem(f"nested deeper than {MAX_DEPTH} levels"))
            self.stack.append(_Open(mark, event.anchor, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            done = self.stack.pop()
            node = Node(done.mark, done.entries if done.is_mapping else tuple(done.items))
            self._anchor(done.anchor, node, done.size, done.height)
            self._add(node, done.size, done.height)

    def stop(self, problem: Problem) -> NoReturn:
        raise PipelineError([*self.problems, problem])

    def _value(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        text: str = event.value
        if UNSTORABLE.search(text):
            self.problems.append(mark.problem("NUL and lone surrogates are not allowed in a string"))
            return ""
        if event.style or self._expects_key():
            return text
        try:
            return resolve(text)
        except ValueError as error:
            self.problems.append(mark.problem(str(error)))
            return 0

    def _tag(self, tag: str | None, mark: Mark) -> None:
        if tag is not None and tag != "!":
            self.problems.append(mark.problem(f"the tag {tag} has no meaning here; write the plain value"))

    def _anchor(self, anchor: str | None, node: Node, size: int, height: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = (node, size, height)

    def _alias(self, anchor: str, mark: Mark) -> None:
        if anchor not in self.anchors:
            self.stop(mark.problem(f"the alias *{anchor} stands before or inside what it names"))
        node, size, height = self.anchors[anchor]
        if len(self.stack) + height > MAX_DEPTH:
            self.stop(mark.problem(f"nested deeper than {MAX_DEPTH} levels"))
        self.num_nodes += size
        self._add(node, size, height, at=mark)

    def _add(self, node: Node, size: int, height: int, at: Mark | None = None) -> None:
        mark = at or node.mark
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES:
            self.stop(mark.problem(f"more than {MAX_NODES:,} values, aliases counted as often as they stand"))
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            top.key = self._key(node, mark)
        else:
            name, place = top.key
            top.key = None
            if name in top.entries:
                first = top.entries[name].mark.line
                self.problems.append(place.problem(f"the key {name!r} stands twice; first in line {first}"))
            else:
                top.entries[name] = Entry(place, node)

    def _expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_mapping and self.stack[-1].key is None

    def _key(self, node: Node, mark: Mark) -> tuple[str, Mark]:
        if isinstance(node.value, (dict, tuple)):
            self.problems.append(mark.problem("a key must be a single word, not a list or mapping"))
            return "", mark
        return str(node.value), mark
