"""Quarantine: the records that could not be read, kept where a person can look at them, and how many are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import DataError
from workbench.files.bad_record import BadRecord
from workbench.files.text import escape_bytes, safe_line

RECORDS_PER_FILE = 4096
DETAIL_CHARACTERS = 300
NOT_AS_ENCODED = ("invalid-utf8", "invalid-encoding")  # reasons of records whose bytes are of another encoding


@dataclass(frozen=True)
class Limits:
    """How much a step puts up with; the names are those of the settings of a source that reads files.

    Attributes:
        max_bad: Bad records.
        max_bad_share: Their share of all records.
        allow_damaged: Whether a damaged container is one bad record like any other.
        has_encoding: Whether the setting `encoding` says how the files are encoded.
    """

    max_bad: int | None = None
    max_bad_share: float | None = None
    allow_damaged: bool = True
    has_encoding: bool = False


class Quarantine:
    """Collects bad records into `folder/00000.parquet` and so on.

    Args:
        folder: Where the files go; made when the first record comes.
        columns: The columns of the files, all text: `file, place, reason, detail, head, digest`.
        limits: What is put up with; none by default.
        where: The step, for messages.
    """

    def __init__(self, folder: Path, columns: Mapping[str, str], limits: Limits | None = None, where: str = "") -> None:
        self._folder = folder
        self._columns = tuple(columns)
        self._limits = limits or Limits()
        self._where = where
        self._rows: list[dict[str, str]] = []
        self._num_files = 0
        self._first: BadRecord | None = None
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many records are in it."""
        return self.counts.total()

    def add(self, record: BadRecord) -> None:
        """Take in one record. Raises `DataError` for a damaged container, or beyond `max_bad`."""
        self._first = self._first or record
        self.counts[record.reason] += 1
        self._rows.append(_row(record))
        if record.fatal and not self._limits.allow_damaged:
            raise self._refuse_damaged(record)
        if self._limits.max_bad is not None and self.total > self._limits.max_bad:
            raise self._refuse(f"more than max_bad = {self._limits.max_bad} bad records", "max_bad")
        if len(self._rows) >= RECORDS_PER_FILE:
            self._write()

    def finish(self, num_read: int) -> None:
        """Write what is left. Raises `DataError` when the share of `num_read` records is beyond `max_bad_share`."""
        share = self._limits.max_bad_share
        if share is not None and self.total > share * num_read:
            raise self._refuse(
                f"{self.total} of {num_read} records are bad, more than max_bad_share = {share:g}", "max_bad_share"
            )
        if self._rows:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._folder.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(name, pa.large_string()) for name in self._columns])
        path = self._folder / f"{self._num_files:05}.parquet"
        table = pa.Table.from_pylist(self._rows, schema=schema)
        pq.write_table(table, path, compression="zstd", write_page_checksum=True, store_schema=False)
        self._num_files += 1
        self._rows = []

    def _refuse_damaged(self, record: BadRecord) -> DataError:
        return DataError(
            f"damaged file ({record.reason}): {safe_line(record.detail, DETAIL_CHARACTERS)}",
            where=_at(self._where, record),
            advice="get the file again, or set allow_damaged: true to keep what comes before the damage",
        )

    def _refuse(self, what: str, setting: str) -> DataError:
        assert self._first is not None
        counts = ", ".join(f"{reason} {number}" for reason, number in self.counts.most_common(6))
        first = self._first
        detail = f" ({safe_line(first.detail, 120)})" if first.detail else ""
        return DataError(
            f"{what}: {counts}",
            where=_at(self._where, first),
            expected=f"readable records; the first bad one: {first.reason}{detail}, {escape_bytes(first.head[:80])}",
            advice=f"{self._repair(first)}, or raise {setting} in the settings of this step",
        )

    def _repair(self, first: BadRecord) -> str:
        if first.reason not in NOT_AS_ENCODED:
            return "repair the file"
        if self._limits.has_encoding:
            return "set how the file is encoded (such as encoding: gb18030)"
        return "repair the file (its text must be UTF-8)"


def _at(step: str, record: BadRecord) -> str:
    place = f"{safe_line(record.file)} {safe_line(record.place)}"
    return f"{step}: {place}" if step else place


def _row(record: BadRecord) -> dict[str, str]:
    return {
        "file": safe_line(record.file),
        "place": safe_line(record.place),
        "reason": safe_line(record.reason),
        "detail": safe_line(record.detail, DETAIL_CHARACTERS),
        "head": escape_bytes(record.head),
        "digest": record.digest,
    }
