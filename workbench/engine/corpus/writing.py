"""Writing corpora: shards, rejects, `corpus.json` and `ledger.json`, always in the same way.

A shard is written by whichever process made it (`write_part_shard`); the process that runs the step writes the
index and the ledger at the end (`CorpusWriter.finish`). Shard names are a function of part and number, and steps
keep the names of their input, an empty shard included: so the bytes do not depend on who worked, or in what order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.artifacts.corpus import REJECT, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.records import DOCUMENT
from workbench.engine.rows import shard_digest
from workbench.errors import PluginError
from workbench.files.atomic import write_json

if TYPE_CHECKING:
    from workbench.contracts.context import Context

SHARD_BYTES = 16 * 2**20  # of text; what one worker holds in memory at a time
SHARD_DOCUMENTS = 8192  # documents; also the row group, so that a shard is one

DOCUMENT_TYPES = {name: str(dtype()) for name, dtype in DOCUMENT.items()}
REJECT_SCHEMA = {name: getattr(pl, kind) for name, kind in REJECT.items()}
Listed = dict[str, Any]


def shard_name(part: str | None, index: int) -> str:
    """Return the file name of a shard.

    >>> shard_name(None, 3), shard_name("train", 3)
    ('00003.parquet', 'train-00003.parquet')
    """
    return f"{part}-{index:05}.parquet" if part else f"{index:05}.parquet"


def part_of(name: str) -> str | None:
    """Return the part that a shard's name stands for.

    >>> part_of("00003.parquet"), part_of("train-00003.parquet")
    (None, 'train')
    """
    return name.rpartition("-")[0] or None


def write_part_shard(folder: Path, name: str, kept: pl.DataFrame, rejected: pl.DataFrame | None = None) -> Listed:
    """Write one shard below the corpus folder `folder`, and what was rejected from it.

    Args:
        folder: The data folder of the corpus.
        name: The shard's file name, see `shard_name`.
        kept: Documents; may be empty.
        rejected: Rows with columns of `artifacts.corpus.REJECT`; those it lacks become null.

    Returns:
        Its entry in `corpus.json`: `{"name", "part", "rows", "digest"}`.

    Raises:
        PluginError: When `kept` is no frame of documents: a column is missing or of another type, an id or text is
            null, or an id stands twice.
    """
    problem = _fault(kept)
    if problem:
        raise PluginError(problem, where=f"shard {name}", expected=f"the columns {', '.join(DOCUMENT)}, ids unique")
    write_shard(folder / "shards" / name, document_columns_first(kept))
    if rejected is not None and not rejected.is_empty():
        write_shard(folder / "rejects" / name, reject_rows(rejected))
    return {"name": name, "part": part_of(name), "rows": kept.height, "digest": shard_digest(kept)}


def _fault(frame: pl.DataFrame) -> str:
    for column, dtype in DOCUMENT.items():
        if column not in frame.columns:
            return f"documents without the column {column!r}"
        if frame.schema[column] != dtype:
            return f"the column {column!r} is {frame.schema[column]}, not {dtype}"
    for column in ("id", "text"):
        if frame[column].null_count():
            return f"{frame[column].null_count()} documents have no {column}"
    repeated = frame.height - frame["id"].n_unique()
    return f"{repeated} ids stand more than once" if repeated else ""


def document_columns_first(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with `id, text, source, meta` first and the others in their order."""
    return frame.select(*DOCUMENT, *(column for column in frame.columns if column not in DOCUMENT))


def reject_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with exactly the columns of a reject, null where it has none."""
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in REJECT_SCHEMA.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in REJECT_SCHEMA.items())


def check_same_columns(folder: Path, names: Sequence[str], where: str) -> dict[str, str]:
    """Return column name → type name of the Parquet files, none when there are no files.

    Raises `PluginError` when a file has other columns, or columns of other types, than the first.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not names:
        return {}
    first = pq.read_schema(folder / names[0])
    for name in names[1:]:
        schema = pq.read_schema(folder / name)
        if not schema.equals(first):
            differing = sorted({str(field) for field in schema} ^ {str(field) for field in first})
            raise PluginError(
                f"shard {name} has other columns than {names[0]}: {', '.join(differing[:6])}",
                where=where,
                advice="give every document the same columns, of the same types",
            )
    empty = pl.DataFrame(pa.Table.from_batches([], first))  # `empty_table` would import pandas
    return {name: str(dtype) for name, dtype in empty.schema.items()}


class CorpusWriter:
    """Fills one data folder with a corpus.

    Args:
        path: The (staging) data folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, part: str | None, index: int, kept: pl.DataFrame, rejected: pl.DataFrame | None = None) -> Listed:
        """Write shard `index` of `part` and return its entry, see `write_part_shard`."""
        return write_part_shard(self.path, shard_name(part, index), kept, rejected)

    def finish(
        self,
        ledger: Ledger,
        shards: Iterable[Listed],
        parts: Sequence[str] = (),
        columns: Mapping[str, str] | None = None,
        where: str = "",
    ) -> None:
        """Write `corpus.json` and `ledger.json`, after everything has been checked.

        Args:
            ledger: What became of every document.
            shards: The entries that `add` or `write_part_shard` returned, in order.
            parts: The parts, in the order they should be named in.
            columns: Column name → type name; None takes those of the first shard.
            where: The step, for messages.

        Raises:
            StepError: When the ledger does not balance.
            PluginError: When it counts another number of documents than the shards hold, or a shard has other
                columns than the first.
        """
        listed = [{name: shard[name] for name in ("name", "part", "rows", "digest")} for shard in shards]
        ledger.check(where)
        rows = sum(shard["rows"] for shard in listed)
        if rows != ledger.kept:
            raise PluginError(f"the ledger counts {ledger.kept} kept, but the shards hold {rows}", where=where)
        found = check_same_columns(self.path / "shards", [shard["name"] for shard in listed], where)
        content = {
            "parts": list(parts),
            "columns": dict(columns) if columns else found or DOCUMENT_TYPES,
            "shards": listed,
        }
        write_json(self.path / "corpus.json", content)
        write_json(self.path / "ledger.json", ledger.to_json())


def finish_corpus(ctx: Context, results: Sequence[Listed], parts: Sequence[str], columns: Mapping[str, str]) -> None:
    """Write the index and the ledger of a step that mapped shards.

    Args:
        ctx: Brings the folder and the step's name.
        results: For each shard its entry and the JSON of its ledger under `ledger`, in order.
        parts: The parts, in the order they should be named in.
        columns: The columns of a corpus without a shard.
    """
    ledger = Ledger()
    for result in results:
        ledger.add(Ledger.from_json(result["ledger"]))
    CorpusWriter(ctx.output).finish(ledger, results, parts, None if results else columns, ctx.step)
