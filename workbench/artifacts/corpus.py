"""Corpus: Parquet shards of documents, what was rejected, what was quarantined, and the ledger.

    corpus.json                 {"parts": [...], "columns": {...}, "shards": [{"name", "part", "rows", "digest"}]}
    ledger.json                 read = kept + rejected + quarantined
    shards/00000.parquet        or shards/train-00000.parquet for a corpus with parts
    rejects/…, quarantine/…     same shard names, only where there is something to say
    cuts/…                      what a filter that compares documents cut out of them, likewise
    clusters/…                  which documents such a filter dropped in favour of which

Shards are zstd Parquet with page checksums, written and read with them on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.artifacts.base import Artifact
from workbench.artifacts.ledger import Ledger
from workbench.errors import DamagedObject
from workbench.files.atomic import disk_errors

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


@dataclass(frozen=True)
class Shard:
    """One Parquet file of a corpus; `digest` is over its rows, see `engine.rows`, empty where nobody took it."""

    name: str
    part: str | None
    rows: int
    path: Path
    digest: str = ""


@dataclass(frozen=True)
class Corpus(Artifact):
    """Documents on disk. With a chosen part, documents and shards are those of that part only.

    `ledger`, `rejects` and what else lies beside the documents speak of the whole step.
    """

    type: ClassVar[str] = "corpus"

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts; empty for a corpus in one piece."""
        return tuple(self.read_json("corpus.json")["parts"])

    @property
    def shards(self) -> list[Shard]:
        """The shards, in order."""
        listed = self.read_json("corpus.json")["shards"]
        return [
            Shard(item["name"], item["part"], item["rows"], self.path / "shards" / item["name"], item.get("digest", ""))
            for item in listed
            if self.part is None or item["part"] == self.part
        ]

    @property
    def num_rows(self) -> int:
        """How many documents were kept."""
        return sum(shard.rows for shard in self.shards)

    @property
    def columns(self) -> dict[str, str]:
        """Column name → polars type name."""
        return dict(self.read_json("corpus.json")["columns"])

    @property
    def ledger(self) -> Ledger:
        """The ledger of the step that made this corpus."""
        return Ledger.from_json(self.read_json("ledger.json"))

    def batches(self, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the documents shard by shard, checksums verified."""
        for shard in self.shards:
            yield read_shard(shard.path, columns)

    def scan(self) -> pl.LazyFrame:
        """Return a lazy frame over all documents."""
        return scan_folder(self.path / "shards", [shard.name for shard in self.shards], self.columns)

    def rejects(self) -> pl.LazyFrame:
        """Return the rejected documents: `id, filter, reason, reasons, signals, duplicate_of, text, source, meta`."""
        return scan_folder(self.path / "rejects", None, REJECT)

    def cuts(self) -> pl.LazyFrame:
        """Return the spans that were cut out of documents: `id, reason, duplicate_of, start, end`, see `CUT`."""
        return scan_folder(self.path / "cuts", None, CUT)

    def clusters(self) -> pl.LazyFrame:
        """Return the groups of alike documents of which one was kept: `cluster, id, kept, similarity`, see `CLUSTERS`.

        Group by group, the document that stays first. The texts of those that went stand in `rejects()`.
        """
        return scan_folder(self.path / "clusters", None, CLUSTERS)

    def cluster_sizes(self) -> pl.DataFrame:
        """Return `cluster, documents, least_similarity` of every group in `clusters()`, the largest first."""
        import polars as pl

        sizes = (
            self.clusters().group_by("cluster").agg(pl.len().alias("documents"), least_similarity=pl.min("similarity"))
        )
        return sizes.sort("documents", "cluster", descending=[True, False]).collect(engine="streaming")

    def beginnings(self, ids: list[str], characters: int) -> pl.DataFrame:
        """Return `id` and the first characters of the text, white space as one space, of these documents."""
        import polars as pl

        text = pl.col("text").str.slice(0, characters).str.replace_all(r"\s+", " ")
        return self.scan().filter(pl.col("id").is_in(ids)).select("id", text).collect(engine="streaming")

    def quarantine(self) -> pl.LazyFrame:
        """Return the bad records: `file, place, reason, detail, head, digest`."""
        return scan_folder(self.path / "quarantine", None, QUARANTINE)


REJECT = {
    "id": "String",
    "filter": "String",  # the first filter that rejects it
    "reason": "String",  # that filter's first reason
    "reasons": "String",  # JSON list of every "filter: reason" that holds
    "signals": "String",  # JSON object of every signal, "filter.signal" -> value
    "duplicate_of": "String",  # the id that was kept instead, or null
    "text": "String",
    "source": "String",
    "meta": "String",
}

CUT = {
    "id": "String",
    "reason": "String",
    "duplicate_of": "String",  # the id where the span stays, or null
    "start": "Int64",  # bytes of the UTF-8 text as it came in
    "end": "Int64",
}

CLUSTERS = {
    "cluster": "String",  # the id of the document that stays
    "id": "String",
    "kept": "Boolean",
    "similarity": "Float64",  # to the one that stays, 0 to 1, where the filter measures it
}

QUARANTINE = {
    "file": "String",
    "place": "String",
    "reason": "String",
    "detail": "String",
    "head": "String",  # the first bytes, escaped
    "digest": "String",
}


def read_shard(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Return one Parquet shard with its page checksums verified. Raises `DamagedObject` when they do not match."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:  # by `ParquetFile`: `read_table` imports pyarrow.dataset and with it pandas, 0.2 CPU-s in every process
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read(columns)
        return pl.DataFrame(table if columns is None else table.select(columns))
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise DamagedObject(
            f"cannot be read: {error}".splitlines()[0], where=str(path), advice="workbench store verify"
        ) from error


def write_shard(path: Path, frame: pl.DataFrame) -> None:
    """Write one Parquet shard: zstd, page checksums, the same bytes for the same rows."""
    import pyarrow.parquet as pq

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            _as_arrow(frame),
            path,
            compression="zstd",
            write_page_checksum=True,
            row_group_size=8192,
            store_schema=False,
        )


def write_scratch(path: Path, frame: pl.DataFrame) -> None:
    """Write a Parquet file that is read within the step and then deleted: quick to write, with page checksums."""
    import pyarrow.parquet as pq

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            _as_arrow(frame),
            path,
            compression="lz4",
            use_dictionary=False,  # what is sketched is mostly unique
            write_page_checksum=True,
            store_schema=False,
        )


def _as_arrow(frame: pl.DataFrame) -> pa.Table:
    """Return the frame in one chunk (pages end where chunks end, so chunks would show in the bytes).

    Texts stay as polars holds them: the bytes of the file are the same, and no copy is made. pyarrow 26 cannot write such
    texts inside structs, or categories of them.
    """
    import polars as pl

    is_plain = not any(dtype.is_nested() or dtype in (pl.Categorical, pl.Enum) for dtype in frame.dtypes)
    return frame.rechunk().to_arrow(compat_level=pl.CompatLevel.newest() if is_plain else pl.CompatLevel.oldest())


def scan_folder(folder: Path, names: list[str] | None, schema: dict[str, str]) -> pl.LazyFrame:
    """Return a lazy frame over Parquet files of a folder; empty, with `schema`, when there are none."""
    import polars as pl

    files = sorted(folder.glob("*.parquet")) if names is None else [folder / name for name in names]
    if files:
        return pl.scan_parquet(files)
    return pl.LazyFrame(schema={name: getattr(pl, kind.partition("(")[0], pl.String) for name, kind in schema.items()})
