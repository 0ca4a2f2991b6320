"""The records of one file of a data set, whatever its format, each with its place; and the names of class labels."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench_plugins.sources.arrow_records import arrow_records
from workbench_plugins.sources.csv_table import MAX_FIELD_CHARACTERS, Records
from workbench_plugins.sources.json_array import is_array, read_items
from workbench_plugins.sources.json_records import NotARecord, key_of, parse_object
from workbench_plugins.sources.parquet_table import is_text, parquet_records, type_at, why_bad
from workbench_plugins.sources.row_frames import check_once

from workbench.api import BadRecord, Line, StepError, read_lines

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        number: Row, line or item, from 1.
        place: The same in words.
        values: Column → value; text of Parquet and Arrow as bytes.
        content: Its bytes, where it has any of its own.
    """

    number: int
    place: str
    values: dict[str, Any]
    content: bytes = b""

    def as_bad(self, name: str, fault: Exception) -> BadRecord:
        """Return the bad record that it turned out to be."""
        reason, detail = why_bad(fault)
        if self.content:
            return BadRecord.of(self.content, file=name, place=self.place, reason=reason, detail=detail)
        return BadRecord(name, self.place, reason, detail)


class Reader:
    """Reads one file.

    Args:
        paths: The columns that must be there: the text first.
        keep_all: Whether the other columns are wanted too.
        where: The component, for messages.
    """

    def __init__(self, paths: tuple[str, ...], *, keep_all: bool, where: str) -> None:
        self._paths = paths
        self._keep_all = keep_all
        self._where = where
        self._labels: dict[str, list[str]] = {}

    def records(self, path: Path, name: str, file_format: str) -> Iterator[Record | BadRecord]:
        """Yield the records in order. Raises `StepError` when a file with a schema lacks a column."""
        if file_format == "json":
            yield from self._json(path, name)
        elif file_format == "csv":
            yield from self._csv(path, name)
        else:
            read = parquet_records if file_format == "parquet" else arrow_records
            for item in read(path, name, self._where, self._wanted):
                yield item if isinstance(item, BadRecord) else Record(item[0], f"row {item[0]}", item[1])

    def name_labels(self, record: dict[str, Any]) -> None:
        """Put names in the place of the numbers of class labels. Raises `NotARecord` for a number without a name."""
        for column, names in self._labels.items():
            if column in record:
                record[column] = _named(record[column], names, column)

    def _json(self, path: Path, name: str) -> Iterator[Record | BadRecord]:
        keys = tuple(key_of(path) for path in self._paths)
        of_array = is_array(path)
        for line in read_items(path, name) if of_array else read_lines(path, name):
            if isinstance(line, BadRecord):
                yield line
            elif line.content.strip() == b"{" and line.number == 1:
                raise StepError(
                    f"{name} is one JSON object over many lines",
                    where=self._where,
                    expected="a line for each record, or one array of objects",
                    advice="write the list of records that it holds into a file of its own",
                )
            elif line.content and not line.content.isspace():
                yield _parsed(line, name, keys, "item" if of_array else "line")

    def _csv(self, path: Path, name: str) -> Iterator[Record | BadRecord]:
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        records = Records(name, read_lines(path, name), "utf-8", None, 0)
        header: list[str] = []
        for item in records:
            if isinstance(item, BadRecord):
                yield item
            elif not header:
                header = item[1]
                records.num_fields = len(header)
                self._check_names(header, name)
            else:
                yield Record(item[0], f"line {item[0]}", dict(zip(header, item[1], strict=True)))

    def _wanted(self, schema: pa.Schema, name: str) -> list[str] | None:
        """Take in a schema: check the columns, note the class labels, say what to read."""
        check_once(schema.names, name, self._where)
        for path in self._paths:
            if type_at(schema, path) is None:
                raise self._missing(path, schema.names, name)
        dtype = type_at(schema, self._paths[0])
        if dtype is not None and not is_text(dtype):
            message = f"the column {self._paths[0]!r} of {name} is {dtype}"
            raise StepError(message, where=self._where, expected="a column of text")
        self._labels = class_labels(schema)
        if self._keep_all:
            return None
        return [path if path in schema.names else path.partition(".")[0] for path in self._paths]

    def _check_names(self, header: list[str], name: str) -> None:
        check_once(header, name, self._where)
        for path in self._paths:
            if path not in header:
                raise self._missing(path, header, name)

    def _missing(self, path: str, names: list[str], name: str) -> StepError:
        expected = f"one of: {', '.join(repr(column) for column in names[:12])}"
        return StepError(f"{name} has no column {path!r}", where=self._where, expected=expected)


def _parsed(line: Line, name: str, keys: tuple[bytes, ...], unit: str) -> Record | BadRecord:
    place = f"line {line.number}" if unit == "line" else f"item {line.number} (byte {line.offset})"
    try:
        return Record(line.number, place, parse_object(line.content, keys), line.content)
    except NotARecord as fault:
        return BadRecord.of(line.content, file=name, place=place, reason=fault.reason, detail=fault.detail)


def class_labels(schema: pa.Schema) -> dict[str, list[str]]:
    """Return column → names of class labels, as `datasets` notes them in the metadata of a schema."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = noted["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        inner = feature
        while isinstance(inner, dict) and isinstance(inner.get("feature"), dict):
            inner = inner["feature"]
        names = inner.get("names") if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            found[column] = names
    return found


def _named(value: Any, names: list[str], column: str) -> Any:
    if isinstance(value, list):
        return [_named(item, names, column) for item in value]
    if type(value) is not int or value == -1:
        return None if value == -1 else value
    if not 0 <= value < len(names):
        raise NotARecord("unknown-label", f"{column}: {value}, and there are {len(names)} names")
    return names[value]
