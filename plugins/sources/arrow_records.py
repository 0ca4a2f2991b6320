"""Arrow files, stream or file format, batch by batch: what `datasets` keeps on disk.

Special here: the bytes of an Arrow file are taken as memory as they are, so nothing is touched before a batch was
validated to its last offset; a file is read, never mapped, since a mapped file that is cut kills the process. Arrow
has no checksums: a cut is seen by the missing end mark, a flipped bit within a text is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench_plugins.sources.parquet_table import Numbered, Wanted, damage, rows_of

from workbench.api import BadRecord

if TYPE_CHECKING:
    import pyarrow as pa

FILE_MAGIC = b"ARROW1"
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class _Truncated(OSError):
    """What is left of a file that was cut."""


def arrow_records(path: Path, name: str, where: str, wanted: Wanted) -> Iterator[Numbered | BadRecord]:
    """Yield row number (from 1) and values, and damage where it lies; see `parquet_records` for the arguments."""
    import dataclasses

    import pyarrow as pa

    number = 0
    place = "schema"
    try:
        for index, batch in _batches(path, name, wanted):
            place = f"batch {index}"
            if batch is None:
                continue
            _validate(batch)
            for row in rows_of(batch):
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, EOFError, ValueError, TypeError) as fault:
        reason = "truncated-arrow" if isinstance(fault, _Truncated) else "damaged-arrow"
        yield dataclasses.replace(damage(fault, name, place, number, where), reason=reason)


def _batches(path: Path, name: str, wanted: Wanted) -> Iterator[tuple[int, pa.RecordBatch | None]]:
    """Yield (number, None) before each batch is read, so that damage can be placed, and then the batch."""
    import pyarrow as pa

    with path.open("rb") as head:
        is_file = head.read(len(FILE_MAGIC)) == FILE_MAGIC
        head.seek(-min(len(END_OF_STREAM), os.fstat(head.fileno()).st_size), os.SEEK_END)
        is_ended = head.read() == END_OF_STREAM
    with pa.OSFile(str(path), "rb") as source:
        if is_file:
            reader = pa.ipc.open_file(source)
            columns = wanted(reader.schema, name)
            for index in range(reader.num_record_batches):
                yield index, None
                yield index, _selected(reader.get_batch(index), columns)
            return
        stream = pa.ipc.open_stream(source)
        columns = wanted(stream.schema, name)
        index = 0
        while True:
            yield index, None
            try:
                batch = stream.read_next_batch()
            except StopIteration:
                break
            yield index, _selected(batch, columns)
            index += 1
        if not is_ended or source.tell() != source.size():
            raise _Truncated("the file does not end where its stream ends" if is_ended else "the end mark is missing")


def _selected(batch: pa.RecordBatch, columns: list[str] | None) -> pa.RecordBatch:
    return batch if columns is None else batch.select(list(dict.fromkeys(columns)))


def _validate(batch: pa.RecordBatch) -> None:
    """Raise `ArrowInvalid` for a batch with a broken offset; text of the first level may be no UTF-8."""
    import pyarrow as pa

    batch.validate()
    for column in batch.columns:
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        binary: Any = pa.binary() if pa.types.is_string(column.type) else pa.large_binary()
        (column.view(binary) if is_text else column).validate(full=True)
