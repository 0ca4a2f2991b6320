"""Parquet: row groups read a few thousand rows at a time, page checksums verified where the file has them.

Text is taken as bytes and decoded row by row, because a writer may have put anything into a column that it calls text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import polars as pl
from pydantic import ValidationInfo, field_validator
from workbench_plugins.sources.column_types import Columns, Misfit
from workbench_plugins.sources.json_records import MISSING, NotARecord, take
from workbench_plugins.sources.row_frames import BATCH_DOCUMENTS, Row, check_once, framed_rows, new_names

from workbench.api import BadRecord, Context, EnvironmentProblem, Field, FileSource, StepError, document_id

if TYPE_CHECKING:
    import pyarrow as pa

Numbered = tuple[int, dict[str, Any]]
Wanted = Callable[["pa.Schema", str], "list[str] | None"]
# What a value raises that Python cannot have; an unknown time zone is a `LookupError`.
UNREADABLE = (ValueError, OverflowError, LookupError)


class ParquetTable(FileSource):
    """Read Parquet. What is not taken as text or column becomes meta: dates as ISO 8601, bytes as base64.

    A null text is a document that is rejected as empty. A damaged page or footer is damage to the container: the rows
    of its row group and of those after it may be lost.
    """

    text: str = Field("text", min_length=1, description="column of the text; `a.b` is field b of struct a")
    columns: tuple[str, ...] = Field((), description="columns kept as columns (`label`, `messages`)")
    keep_meta: bool = Field(True, description="keep all other columns, as meta")

    @field_validator("columns")
    @classmethod
    def _new_names(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return new_names(columns, info.data.get("text"))

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents of every file, in the order of names and rows.

        Raises `StepError` when a file has no column of the text, or one that holds no text.
        """
        columns = Columns(self.columns)
        yield from framed_rows(self._rows(ctx, columns), columns)

    def _rows(self, ctx: Context, columns: Columns) -> Iterator[Row | BadRecord]:
        for name, path, identity in self.identified_files(ctx.base):
            for item in parquet_records(path, name, self.component_id, self._wanted):
                if isinstance(item, BadRecord):
                    yield item
                    continue
                number, record = item
                try:
                    yield (
                        document_id(identity, number),
                        self._text(record),
                        f"{name}:{number}",
                        *self._further(record, columns),
                    )
                except (Misfit, UnicodeDecodeError, NotARecord) as fault:
                    reason, detail = why_bad(fault)
                    yield BadRecord(name, f"row {number}", reason, detail)

    def _wanted(self, schema: pa.Schema, name: str) -> list[str] | None:
        """Return the columns to read: all, where the others become meta. Raises `StepError` for a missing one."""
        self._check(schema, name)
        if self.keep_meta:
            return None
        paths = (self.text, *self.columns)
        return [path if path in schema.names else path.partition(".")[0] for path in paths]

    def _check(self, schema: pa.Schema, name: str) -> None:
        check_once(schema.names, name, self.component_id)
        for path in (self.text, *self.columns):
            dtype = type_at(schema, path)
            if dtype is None:
                raise StepError(
                    f"{name} has no column {path!r}",
                    where=self.component_id,
                    expected=f"one of: {', '.join(repr(column) for column in schema.names[:12])}",
                )
            if path == self.text and not is_text(dtype):
                raise StepError(
                    f"the column {path!r} of {name} is {dtype}", where=self.component_id, expected="a column of text"
                )

    def _text(self, record: dict[str, Any]) -> str | None:
        text = take(record, self.text)
        if text is MISSING or text is None:
            return None
        return text.decode() if isinstance(text, bytes) else str(text)

    def _further(self, record: dict[str, Any], columns: Columns) -> tuple[Any, ...]:
        taken = [take(record, column) for column in self.columns]
        values = [None if value is MISSING else plain(value) for value in taken]
        columns.fit(values)
        return (dump(record) if self.keep_meta else "{}", *values)


def parquet_records(path: Path, name: str, where: str, wanted: Wanted) -> Iterator[Numbered | BadRecord]:
    """Yield row number (from 1) and values, and damage where it lies.

    Args:
        path: The file.
        name: What messages call it.
        where: The component, for messages.
        wanted: Takes schema and name; says which columns to read, None for all.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    place = "footer"
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            columns = wanted(file.schema_arrow, name)
            for group in range(file.num_row_groups):
                place, before = f"row group {group}", number
                for batch in file.iter_batches(BATCH_DOCUMENTS, [group], columns, use_threads=False):
                    for row in rows_of(batch):
                        number += 1
                        yield number, row
                _expect(file.metadata.row_group(group).num_rows, number - before)
            place = "footer"
            _expect(file.metadata.num_rows, number)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as fault:
        yield damage(fault, name, place, number, where)


def _expect(stated: int, found: int) -> None:
    """Raise `EOFError` where rows are missing: headers have no checksum, and a wrong one can end a row group early."""
    if stated != found:
        raise EOFError(f"{found} rows came out where the footer states {stated}")


def damage(fault: Exception, name: str, place: str, number: int, where: str) -> BadRecord:
    """Return the bad record for what stopped reading behind row `number`; raises where the file cannot be opened."""
    if isinstance(fault, (FileNotFoundError, PermissionError, IsADirectoryError)):
        raise EnvironmentProblem(f"{name} cannot be read: {fault.strerror}", where=where) from fault
    detail = f"{(str(fault) or type(fault).__name__).splitlines()[0][:160]}; rows from {number + 1} on are lost"
    return BadRecord(name, place, "damaged-parquet", detail, fatal=True)


def rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield the rows as dicts; text of the first level comes as bytes, since it may be no UTF-8."""
    import pyarrow as pa

    columns = []
    for column in batch.columns:
        values = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
        if pa.types.is_string_view(values.type):
            values = values.cast(pa.large_string())
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            binary = pa.binary() if pa.types.is_string(values.type) else pa.large_binary()
            columns.append([None if value is None else Undecoded(value) for value in values.cast(binary).to_pylist()])
        else:
            columns.append(nested_values(values))
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def nested_values(values: pa.Array) -> list[Any]:
    """Return the values of a column that is no text; the fault in place of those that Python cannot have.

    Those are text inside that is no UTF-8, times beyond the year 9999, and times in zones that nobody knows.
    """
    try:
        found: list[Any] = values.to_pylist()
    except UNREADABLE:
        found = []
        for value in values:
            try:
                found.append(value.as_py())
            except UNREADABLE as fault:
                found.append(fault)
    return found


class Undecoded(bytes):
    """The bytes of a text, told apart from bytes that are no text."""


def plain(value: Any) -> Any:
    """Return a value of Parquet as one of JSON.

    Raises `UnicodeDecodeError` for text that is no UTF-8, `NotARecord` for another value that cannot be read.
    """
    if isinstance(value, UnicodeDecodeError):
        raise value
    if isinstance(value, UNREADABLE):
        raise NotARecord("unreadable-value", f"{type(value).__name__}: {value}"[:200])
    if isinstance(value, Undecoded):
        return value.decode()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (Decimal, timedelta, UUID)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else value.isoformat()


def dump(record: dict[str, Any]) -> str:
    """Return the values as JSON with sorted keys. Raises what `plain` does, and `NotARecord` when nested too deeply."""
    try:
        return orjson.dumps(record, default=plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:  # how orjson hands on what `plain` raised
        if isinstance(error.__cause__, (UnicodeDecodeError, NotARecord)):
            raise error.__cause__ from error
        raise NotARecord("nested-too-deep", "more than 250 brackets inside each other") from error


def why_bad(fault: Exception) -> tuple[str, str]:
    """Return reason and detail of a row that is no document."""
    if isinstance(fault, NotARecord):
        return fault.reason, fault.detail
    return "column-type" if isinstance(fault, Misfit) else "invalid-utf8", str(fault)[:200]


def type_at(schema: pa.Schema, path: str) -> pa.DataType | None:
    """Return the type at a path like `a.b`, None when there is nothing."""
    import pyarrow as pa

    if path in schema.names:
        return schema.field(path).type
    head, *rest = path.split(".")
    dtype = schema.field(head).type if head in schema.names else None
    for name in rest:
        if dtype is None or not pa.types.is_struct(dtype) or dtype.get_field_index(name) < 0:
            return None
        dtype = dtype.field(name).type
    return dtype


def is_text(dtype: pa.DataType) -> bool:
    """Return whether a column of this type holds text."""
    import pyarrow as pa

    inner = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner))
