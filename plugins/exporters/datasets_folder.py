"""A corpus as a data set that plain `datasets` reads: a saved folder, or Parquet files with a card.

Special here: one shard of the corpus is in memory at a time, whatever its size, and the same corpus gives the same
bytes: `save_to_disk` puts a fingerprint of the day's session into a folder, this one follows from the corpus.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from workbench_plugins.exporters.datasets_card import card
from workbench_plugins.exporters.datasets_schema import features_of, plain_table

from workbench.api import Exporter, Field, Port, StepError, write_text

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from workbench.api import Context, Corpus

BATCH_ROWS = 1000  # what `datasets` writes, and so what its readers expect in memory
SHARD_BYTES = 500_000_000  # as `save_to_disk` has it
_SPLIT = re.compile(r"\w+(\.\w+)*")


@dataclass
class Split:
    """What was written of one part.

    Attributes:
        name: The name of the split.
        rows: How many documents it has.
        files: The names of its files, relative to the export.
    """

    name: str
    rows: int
    files: list[str]


class DatasetsFolder(Exporter):
    """Write a corpus as a data set, its parts as splits, every column with it (`meta` as JSON).

    `form: arrow` gives what `datasets.load_from_disk` reads; `form: parquet` gives what `datasets.load_dataset` and the
    Hub read, with page checksums. Both have a README.md. `source/huggingface` with `exported: true` reads the corpus
    back, ids and all. A `-` in the name of a part becomes `_`, since splits have none.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True, about="its parts become splits")}

    form: Literal["arrow", "parquet"] = Field("arrow", description="a folder for load_from_disk, or Parquet files")
    split: str = Field("train", pattern=r"^\w+(\.\w+)*$", description="name of the split of a corpus in one piece")
    title: str | None = Field(None, min_length=1, description="heading of README.md; default: the step's name")
    licence: str | None = Field(None, min_length=1, description="licence that README.md states (`cc-by-sa-4.0`)")
    max_shard_bytes: int = Field(SHARD_BYTES, ge=1 << 20, description="bytes in memory of a file, about")

    def export(self, artifact: Corpus, path: Path, ctx: Context) -> None:
        """Write the folder. Raises `StepError` when two parts would be one split."""
        chosen = (artifact.part,) if artifact.part is not None else artifact.parts
        parts: dict[str, str | None] = {self._split_name(part): part for part in chosen} or {self.split: None}
        if len(parts) < len(chosen):
            raise StepError("two parts would be one split", where=ctx.step, expected="names that differ by more than -")
        self_standing = artifact.part is not None or not artifact.parts
        splits = []
        for number, (name, part) in enumerate(parts.items(), 1):
            folder = path / "data" if self.form == "parquet" else path if self_standing else path / name
            splits.append(self._write_split(_of_part(artifact, part), path, folder, name))
            ctx.progress(number, len(parts), "splits")
        if self.form == "arrow" and not self_standing:
            write_text(path / "dataset_dict.json", json.dumps({"splits": [split.name for split in splits]}))
        title = self.title or artifact.step or "corpus"
        write_text(path / "README.md", card(artifact, title, self.licence, splits, self.form))

    def _split_name(self, part: str) -> str:
        name = part.replace("-", "_")
        if not _SPLIT.fullmatch(name):
            raise StepError(f"{part!r} is no name of a split", where=self.component_id, expected="letters, digits, _")
        return name

    def _write_split(self, corpus: Corpus, path: Path, folder: Path, name: str) -> Split:
        folder.mkdir(parents=True, exist_ok=True)
        empty = plain_table(corpus.scan().head(0).collect())
        features = features_of(empty.schema)
        schema = empty.schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        writer = _Files(folder, self.form, self.max_shard_bytes, schema)
        for frame in corpus.batches():
            if frame.height:
                writer.add(plain_table(frame))
        files = writer.finish(name if self.form == "parquet" else "data")
        if self.form == "arrow":
            _describe(folder, files, features, _fingerprint(corpus, name), name)
        return Split(name, writer.rows, [(folder / file).relative_to(path).as_posix() for file in files])


def _of_part(corpus: Corpus, part: str | None) -> Corpus:
    """Return the corpus with one part chosen."""
    return corpus if part in (None, corpus.part) else replace(corpus, part=part)


def _describe(folder: Path, files: list[str], features: dict[str, Any], fingerprint: str, split: str) -> None:
    state: dict[str, Any] = {
        "_data_files": [{"filename": file} for file in files],
        "_fingerprint": fingerprint,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    write_text(folder / "state.json", json.dumps(state, indent=2, sort_keys=True))
    write_text(folder / "dataset_info.json", json.dumps(info, indent=2, sort_keys=True, ensure_ascii=False))


def _fingerprint(corpus: Corpus, split: str) -> str:
    return hashlib.sha256(f"{corpus.fingerprint}/{split}".encode()).hexdigest()[:16]


class _Files:
    """Writes tables into files of a bounded size; their number stands in their names, which they get at the end."""

    def __init__(self, folder: Path, form: str, max_bytes: int, schema: pa.Schema) -> None:
        self.rows = 0
        self._folder = folder
        self._form = form
        self._max_bytes = max_bytes
        self._written: list[Path] = []
        self._bytes = 0
        self._schema = schema
        self._writer: Any = None
        self._open()

    def add(self, table: pa.Table) -> None:
        if self._bytes and self._bytes + table.nbytes > self._max_bytes:
            self._writer.close()
            self._open()
        self._bytes += table.nbytes
        self.rows += table.num_rows
        table = table.replace_schema_metadata(self._schema.metadata)
        if self._form == "parquet":
            self._writer.write_table(table, row_group_size=BATCH_ROWS)
        else:
            self._writer.write_table(table, max_chunksize=BATCH_ROWS)

    def finish(self, prefix: str) -> list[str]:
        self._writer.close()
        names = []
        suffix = "parquet" if self._form == "parquet" else "arrow"
        for number, path in enumerate(self._written):
            name = f"{prefix}-{number:05}-of-{len(self._written):05}.{suffix}"
            path.rename(self._folder / name)
            names.append(name)
        return names

    def _open(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._folder / f"{len(self._written):05}.part"
        self._written.append(path)
        self._bytes = 0
        if self._form == "parquet":
            self._writer = pq.ParquetWriter(
                path, self._schema, compression="zstd", write_page_checksum=True, store_schema=True
            )
        else:
            self._writer = pa.ipc.new_stream(str(path), self._schema)
