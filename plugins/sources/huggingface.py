"""Data sets in the forms that `datasets` keeps, on disk or on the Hub.

Special here: the files are read by the workbench's own readers, not by `datasets`: with page checksums and end marks,
bad records in quarantine, bounded memory, no cache of a second copy, and no code that comes with the data.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from pydantic import ValidationInfo, field_validator, model_validator
from workbench_plugins.sources.column_types import Columns, Misfit
from workbench_plugins.sources.datasets_folder import Located, folder_files, single_file
from workbench_plugins.sources.datasets_layout import MAX_README_BYTES, README, lay_out
from workbench_plugins.sources.datasets_records import Reader, Record
from workbench_plugins.sources.json_records import MISSING, NotARecord, name_of_type, take
from workbench_plugins.sources.parquet_table import Undecoded, dump, plain
from workbench_plugins.sources.row_frames import Row, framed_rows, new_names

from workbench.api import (
    HUB_NAME,
    BadRecord,
    Context,
    EnvironmentProblem,
    Field,
    FileSource,
    HubFolder,
    StepError,
    commit_of,
    document_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

Place = tuple[str, str]  # what a document's source says behind the file, and what a bad record's place says


class HuggingFace(FileSource):
    """Read data sets: folders of `save_to_disk`, folders of Parquet, Arrow, JSON or CSV files, data sets of the Hub.

    Splits follow README.md, then file and folder names, as `datasets` has it; meta has `split`. Class labels become
    their names, a missing label (-1) null. A null text is rejected as empty; one that is no text is a bad record, and a
    column that holds none fails the step. Nothing that comes with the data is ever run.

    With `hub`, files are fetched into the library's cache (`HF_HOME`), at one commit: a branch or tag in `revision` is
    looked up when the pipeline is planned, a commit needs no network then.
    """

    version: ClassVar[int] = 1
    paths: tuple[str, ...] = Field((), description="folders or files, or patterns of them")
    hub: str | None = Field(
        None, pattern=f"^{HUB_NAME}$", description="a data set of the Hub (`owner/name`) in place of paths"
    )
    revision: str = Field("main", pattern=r"^[\w][\w./-]{0,120}$", description="branch, tag or commit on the Hub")
    config: str | None = Field(None, description="configuration, where README.md names several")
    splits: tuple[str, ...] = Field((), description="splits to read; default: all")
    text: str = Field("text", min_length=1, description="column of the text; `a.b` is field b of struct a")
    columns: tuple[str, ...] = Field((), description="columns kept as columns (`label`, `messages`)")
    keep_meta: bool = Field(True, description="keep all other columns, as meta")
    label_names: bool = Field(True, description="give class labels by name, else by number")
    exported: bool = Field(False, description="written by exporter/datasets: take ids, sources and meta from it")

    @field_validator("columns")
    @classmethod
    def _new_names(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return new_names(columns, info.data.get("text"))

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.paths) == (self.hub is not None):
            raise ValueError("give either paths, for what lies on this machine, or hub, for a data set of the Hub")
        if ".." in f"{self.hub} {self.revision}":
            raise ValueError("'..' stands in no name or revision of the Hub")
        return self

    def files(self, base: Path) -> list[tuple[str, Path]]:
        """Return (name, path) of every file of the chosen splits, split by split."""
        return [(file.name, file.path) for file in self.located(base)]

    def located(self, base: Path) -> list[Located]:
        """Return the files to read. Raises `EnvironmentProblem` or `StepError` when there are none."""
        found = self._of_hub() if self.hub is not None else [file for files, _ in self._local(base) for file in files]
        known = list(dict.fromkeys(file.split for file in found))
        for split in self.splits:
            if split not in known:
                raise StepError(
                    f"there is no split {split!r}", where=self.component_id, expected=f"one of: {', '.join(known)}"
                )
        chosen = [file for file in found if not self.splits or file.split in self.splits]
        return list(dict.fromkeys(chosen))  # one that several paths name is read once

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the name and digest of every file, or the commit of the Hub."""
        if self.hub is not None:
            return {self.hub: commit_of(self.hub, self.revision, self.component_id)}
        about = {name: digest(path) for _, about in self._local(base) for name, path in about}
        return {**about, **super().digests(base, digest)}

    def _local(self, base: Path) -> Iterator[tuple[list[Located], list[tuple[str, Path]]]]:
        """Yield, for each folder or file, the files of records and those that describe them."""
        for given in self.paths:
            absolute = Path(given).expanduser().is_absolute()
            pattern = str(Path(given).expanduser()) if absolute else str(base / given)
            matches = [Path(match) for match in sorted(glob(pattern, recursive=True))]  # noqa: PTH207  # absolute ones too
            if not matches:
                raise EnvironmentProblem(
                    f"nothing at {given!r}",
                    where=self.component_id,
                    expected=f"a folder or file below {base}; a data set of the Hub is named by `hub`",
                )
            for path in matches:
                name = path.as_posix() if absolute else path.relative_to(base).as_posix()
                if path.is_dir():
                    yield folder_files(path, name, self.config, self.component_id)
                else:
                    yield [single_file(path, name, self.component_id)], []

    def _of_hub(self) -> list[Located]:
        assert self.hub is not None
        folder = HubFolder(self.hub, commit_of(self.hub, self.revision, self.component_id), self.component_id)
        names = folder.names()
        files, _ = lay_out(names, _readme(folder, names), self.config, self.component_id)
        if not files:
            raise StepError(
                f"{self.hub} holds no data files",
                where=self.component_id,
                expected="Parquet, Arrow, JSON or CSV; loading scripts are never run",
                advice="try revision: refs/convert/parquet, which the Hub makes of many data sets",
            )
        chosen = [file for file in files if not self.splits or file.split in self.splits] or files[:1]
        return [Located(f"{self.hub}/{file.name}", folder.fetch(file.name), file.split, file.format) for file in chosen]

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the documents of every file, split by split.

        Raises `StepError` when a file has no column of the text, or one that holds no text.
        """
        columns = Columns(self.columns)
        counts: Counter[str] = Counter()
        yield from framed_rows(self._rows(ctx, columns, counts), columns)
        if counts:
            ctx.log(f"{ctx.step} read {', '.join(f'{number} of {split}' for split, number in counts.items())}")

    def _rows(self, ctx: Context, columns: Columns, counts: Counter[str]) -> Iterator[Row | BadRecord]:
        paths = (self.text, *self.columns)
        identified = self.identified_files(ctx.base)  # README.md may put a file into two splits: names do not tell it
        for file, (name, path, identity) in zip(self.located(ctx.base), identified, strict=True):
            reader = Reader(paths, keep_all=self.keep_meta or self.exported, where=self.component_id)
            for item in reader.records(path, name, file.format):
                counts[file.split] += 1
                if isinstance(item, BadRecord):
                    yield item
                    continue
                try:
                    yield self._row(item, reader, file, identity, columns)
                except (Misfit, UnicodeDecodeError, NotARecord) as fault:
                    yield item.as_bad(name, fault)

    def _row(self, item: Record, reader: Reader, file: Located, identity: str, columns: Columns) -> Row:
        """Return the document of a record. Raises what makes it a bad one."""
        record = item.values
        text = self._text(record)
        if self.label_names:
            reader.name_labels(record)
        values = [None if (value := take(record, column)) is MISSING else plain(value) for column in self.columns]
        columns.fit(values)
        if self.exported:
            own = [_own(record, key) for key in ("id", "source", "meta")]
            return (own[0], text, own[1], own[2], *values)
        meta = dump({**record, "split": file.split}) if self.keep_meta else json.dumps({"split": file.split})
        return (document_id(identity, item.number), text, f"{file.name}:{item.number}", meta, *values)

    def _text(self, record: dict[str, Any]) -> str | None:
        text = take(record, self.text)
        if text is MISSING:
            raise NotARecord("text-missing", f"no field {self.text!r} among {', '.join(list(record)[:8]) or 'none'}")
        text = text.decode() if isinstance(text, Undecoded) else plain(text)
        if text is not None and not isinstance(text, str):
            raise NotARecord("text-not-string", f"the field {self.text!r} is {name_of_type(text)}")
        return text


def _readme(folder: HubFolder, names: list[str]) -> str:
    """Return the card of the data set, empty when it has none."""
    if README not in names:
        return ""
    with folder.fetch(README).open("rb") as file:
        return file.read(MAX_README_BYTES).decode("utf-8", "replace")


def _own(record: dict[str, Any], key: str) -> str:
    """Return what an exported document says of itself."""
    value = plain(record.get(key))
    if not isinstance(value, str) or not value:
        raise NotARecord("not-exported", f"the field {key!r} is no text; exporter/datasets writes one")
    if key == "meta":
        try:
            is_object = isinstance(json.loads(value), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise NotARecord("not-exported", "the field 'meta' is no JSON object; exporter/datasets writes one")
    return value
