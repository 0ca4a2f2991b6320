"""CSV: one record a line or more, quoted as RFC 4180 says, read so that one bad record costs one record.

Records are found by their quotes: one goes on while a quote is open. Where that gives something that is no record (a
quote that nobody closes, too many fields), the first line alone is bad, and reading goes on with the line after it: a
stray quote takes nothing else with it.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, Literal

import polars as pl
from pydantic import ValidationInfo, field_validator
from workbench_plugins.sources.column_types import Columns
from workbench_plugins.sources.json_records import dump_sorted
from workbench_plugins.sources.row_frames import Row, check_once, framed_rows, new_names

from workbench.api import BadRecord, Context, Field, FileSource, Line, StepError, document_id, read_lines

DELIMITERS = ",\t;|"
MAX_RECORD_LINES = 2000
MAX_RECORD_BYTES = 1 << 20  # beyond one line: how far an open quote is believed
MAX_FIELD_CHARACTERS = 16 << 20  # the longest line there is
# Encodings in which no byte of a longer character is a quote or a line end.
Encoding = Literal[
    "utf-8", "latin-1", "cp1252", "iso8859-15", "gb18030", "big5", "euc-jp", "euc-kr", "koi8-r", "cp1251"
]


class NotARow(ValueError):
    """Raise for lines that are no record; `reason` is the slug that counts are made over."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


class CsvTable(FileSource):
    """Read CSV and TSV with a header line, or with `names` for the columns. Every value is text.

    An empty text is rejected as empty. A record has as many fields as the header; blank lines are no records.
    """

    text: str = Field("text", min_length=1, description="column of the text")
    columns: tuple[str, ...] = Field((), description="columns kept as columns (`label`)")
    keep_meta: bool = Field(True, description="keep all other columns, as meta")
    delimiter: Literal[",", "\t", ";", "|"] | None = Field(None, description="default: the one the first line has most")
    names: tuple[str, ...] = Field((), description="names of the columns of files without a header line")
    encoding: Encoding = Field("utf-8", description="how the text is encoded")

    @field_validator("columns")
    @classmethod
    def _new_names(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return new_names(columns, info.data.get("text"))

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents of every file, in the order of names and lines.

        Raises `StepError` when a file has no column of the text, or two of one name.
        """
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        columns = Columns(self.columns)
        yield from framed_rows(self._rows(ctx, columns), columns)

    def _rows(self, ctx: Context, columns: Columns) -> Iterator[Row | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            records = Records(name, read_lines(path, name), self.encoding, self.delimiter, len(self.names))
            header: list[str] = list(self.names)
            if header:
                self._check(header, name)
            for item in records:
                if isinstance(item, BadRecord):
                    yield item
                    continue
                line, fields = item
                if not header:
                    header = fields
                    self._check(header, name)
                    records.num_fields = len(header)
                    continue
                record = dict(zip(header, fields, strict=True))
                text = record.pop(self.text)
                values: list[Any] = [record.pop(column) for column in self.columns]
                columns.fit(values)
                meta = dump_sorted(record) if self.keep_meta else "{}"
                yield (document_id(identity, line), text, f"{name}:{line}", meta, *values)

    def _check(self, header: list[str], name: str) -> None:
        check_once(header, name, self.component_id)
        for column in (self.text, *self.columns):
            if column not in header:
                shown = ", ".join(repr(name) for name in header[:12])
                raise StepError(
                    f"{name} has no column {column!r}",
                    where=self.component_id,
                    expected=f"one of: {shown}",
                    advice="set `text` and `columns` to names of the header, or `names` where there is no header",
                )


class Records:
    """The records of one file: iterate for `(line, fields)` and bad records.

    Attributes:
        num_fields: How many fields a record has; 0 as long as nobody knows.
    """

    def __init__(
        self, name: str, lines: Iterator[Line | BadRecord], encoding: str, delimiter: str | None, num_fields: int
    ) -> None:
        self.num_fields = num_fields
        self._name = name
        self._lines = lines
        self._again: deque[Line | BadRecord] = deque()
        self._encoding = encoding
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[tuple[int, list[str]] | BadRecord]:
        while (first := self._next()) is not None:
            if isinstance(first, BadRecord):
                yield first
            elif first.content and not first.content.isspace():
                yield self._record(first)

    def _next(self) -> Line | BadRecord | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def _record(self, first: Line) -> tuple[int, list[str]] | BadRecord:
        """Return the record that begins at this line; lines that turn out not to be of it are read again."""
        taken = [first]
        try:
            content = self._closed(taken)
            fields = self._fields(content)
        except NotARow as fault:
            self._again.extendleft(reversed(taken[1:]))
            place = f"line {first.number}"
            return BadRecord.of(first.content, file=self._name, place=place, reason=fault.reason, detail=fault.detail)
        return first.number, fields

    def _closed(self, taken: list[Line]) -> bytes:
        """Return the bytes of a record whose quotes are all closed, taking further lines where they are not."""
        num_quotes, num_bytes = taken[0].content.count(b'"'), 0
        while num_quotes % 2:
            following = self._next()
            if not isinstance(following, Line) or len(taken) >= MAX_RECORD_LINES or num_bytes > MAX_RECORD_BYTES:
                if following is not None:
                    self._again.appendleft(following)
                raise NotARow("unclosed-quote", f"a quote is open and not closed in {len(taken):,} lines")
            taken.append(following)
            num_quotes += following.content.count(b'"')
            num_bytes += len(following.content)
        return b"\n".join(line.content for line in taken)

    def _fields(self, content: bytes) -> list[str]:
        try:
            text = content.decode(self._encoding)
        except UnicodeDecodeError as error:
            reason = "invalid-utf8" if self._encoding == "utf-8" else "invalid-encoding"
            raise NotARow(reason, f"byte {error.start} of the record: {error.reason}") from error
        if self._delimiter is None:
            self._delimiter = most_frequent_delimiter(text)
        try:
            (fields,) = csv.reader([text], delimiter=self._delimiter, strict=True)
        except (csv.Error, ValueError) as error:
            raise NotARow("invalid-csv", f"{error}") from error
        if self.num_fields and len(fields) != self.num_fields:
            raise NotARow("wrong-number-of-fields", f"{len(fields)} fields, the header has {self.num_fields}")
        return fields


def most_frequent_delimiter(line: str) -> str:
    r"""Return the delimiter that stands most often outside quotes in a line, a comma when none does.

    >>> most_frequent_delimiter('"a, b";c;d'), most_frequent_delimiter("a\tb"), most_frequent_delimiter("text")
    (';', '\t', ',')
    """
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (bare.count(delimiter), delimiter == ","))
