"""JSON Lines: one object a line, plain or compressed, read so that one bad line costs one record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from pydantic import ValidationInfo, field_validator
from workbench_plugins.sources.column_types import Columns, Misfit
from workbench_plugins.sources.json_records import (
    MISSING,
    NotARecord,
    dump_sorted,
    key_of,
    name_of_type,
    parse_object,
    take,
)
from workbench_plugins.sources.row_frames import Row, framed_rows, new_names

from workbench.api import BadRecord, Context, Field, FileSource, Line, document_id, read_lines


class JsonLines(FileSource):
    """Read JSON Lines. Blank lines are no records; what is not taken as text or column becomes meta.

    A null text is a document that is rejected as empty; a missing one is a bad record. A number in meta that needs
    more than 64 bits becomes a float.
    """

    text: str = Field("text", min_length=1, description="field of the text; `a.b` is field b of object a")
    columns: tuple[str, ...] = Field((), description="fields kept as columns (`label`, `messages`)")
    keep_meta: bool = Field(True, description="keep all other fields, as meta")

    @field_validator("columns")
    @classmethod
    def _new_names(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return new_names(columns, info.data.get("text"))

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents of every file, in the order of names and lines."""
        columns = Columns(self.columns)
        yield from framed_rows(self._rows(ctx, columns), columns)

    def _rows(self, ctx: Context, columns: Columns) -> Iterator[Row | BadRecord]:
        keys = tuple(key_of(path) for path in (self.text, *self.columns))
        for name, path, identity in self.identified_files(ctx.base):
            for line in read_lines(path, name):
                if isinstance(line, BadRecord):
                    yield line
                elif line.content and not line.content.isspace():
                    try:
                        text, meta, values = self._parts(line.content, keys)
                        columns.fit(values)
                    except (NotARecord, Misfit) as fault:
                        yield _bad(line, name, fault)
                    else:
                        yield (document_id(identity, line.number), text, f"{name}:{line.number}", meta, *values)

    def _parts(self, content: bytes, keys: tuple[bytes, ...]) -> tuple[str | None, str, list[Any]]:
        """Return text, meta and further columns of one line. Raises `NotARecord`."""
        record = parse_object(content, keys)
        text = take(record, self.text)
        if text is MISSING:
            raise NotARecord("text-missing", f"no field {self.text!r} among {', '.join(list(record)[:8]) or 'none'}")
        if text is not None and not isinstance(text, str):
            raise NotARecord("text-not-string", f"the field {self.text!r} is {name_of_type(text)}")
        taken = [take(record, column) for column in self.columns]
        values = [None if value is MISSING else value for value in taken]
        return text, dump_sorted(record) if self.keep_meta else "{}", values


def _bad(line: Line, name: str, fault: NotARecord | Misfit) -> BadRecord:
    reason, detail = fault.args if isinstance(fault, NotARecord) else ("column-type", str(fault))
    return BadRecord.of(line.content, file=name, place=f"line {line.number}", reason=reason, detail=detail)
