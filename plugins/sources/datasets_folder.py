"""A folder that `datasets` saved or would load, as a list of files with their splits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from workbench_plugins.sources.datasets_layout import MAX_README_BYTES, README, format_of, lay_out

from workbench.api import EnvironmentProblem, StepError

DICT, STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"
MAX_JSON_BYTES = 64 << 20  # class labels and descriptions; more is no description


@dataclass(frozen=True)
class Located:
    """One file to read.

    Attributes:
        name: As the pipeline would name it.
        path: Where it lies.
        split: The split it belongs to.
        format: `parquet`, `arrow`, `json` or `csv`.
    """

    name: str
    path: Path
    split: str
    format: str


def folder_files(
    folder: Path, name: str, config: str | None, where: str
) -> tuple[list[Located], list[tuple[str, Path]]]:
    """Return the files of records in a folder, and those that say how to read it.

    Args:
        folder: Saved by `save_to_disk`, one or a dict of splits, or holding files that `load_dataset` reads.
        name: As the pipeline names it.
        config: The configuration of README.md, where there are several.
        where: The component, for messages.
    """
    if (folder / DICT).is_file():
        splits = _json(folder / DICT, f"{name}/{DICT}", where).get("splits")
        if not isinstance(splits, list) or not all(_is_plain(split) for split in splits):
            raise StepError(f"{name}/{DICT} names no splits", where=where, expected='{"splits": ["train"]}')
        files, about = [], [(f"{name}/{DICT}", folder / DICT)]
        for split in splits:
            more, said = _saved(folder / split, f"{name}/{split}", split, where)
            files += more
            about += said
        return files, about
    if (folder / STATE).is_file():
        return _saved(folder, name, None, where)
    return _loose(folder, name, config, where)


def _saved(folder: Path, name: str, split: str | None, where: str) -> tuple[list[Located], list[tuple[str, Path]]]:
    """Return the files that `state.json` lists, in its order."""
    state = _json(folder / STATE, f"{name}/{STATE}", where)
    listed = state.get("_data_files")
    found = [item.get("filename") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    names = [str(file) for file in found if _is_plain(file)]
    if len(names) < len(found) or (not found and listed != []):
        raise StepError(f"{name}/{STATE} lists no data files", where=where, expected="what save_to_disk writes")
    own = state.get("_split")
    split = split or (own if isinstance(own, str) and own else "train")
    for file in names:
        if not (folder / file).is_file():
            raise EnvironmentProblem(
                f"{name} has no file {file!r}, which its {STATE} lists", where=where, advice="get the folder again"
            )
    files = [Located(f"{name}/{file}", folder / file, split, "arrow") for file in names]
    return files, [(f"{name}/{STATE}", folder / STATE)]


def _loose(folder: Path, name: str, config: str | None, where: str) -> tuple[list[Located], list[tuple[str, Path]]]:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    readme = ""
    if README in names:
        with (folder / README).open("rb") as file:
            readme = file.read(MAX_README_BYTES).decode("utf-8", "replace")
    files, _ = lay_out(names, readme, config, where)
    if not files:
        raise StepError(
            f"{name} holds no data files",
            where=where,
            expected=".parquet, .arrow, .jsonl, .json or .csv; loading scripts are never run",
        )
    about = [(f"{name}/{README}", folder / README)] if readme else []
    return [Located(f"{name}/{file.name}", folder / file.name, file.split, file.format) for file in files], about


def single_file(path: Path, name: str, where: str) -> Located:
    """Return one file that was named by itself."""
    kind = format_of(path.name)
    if kind is None:
        raise StepError(
            f"{name} is no file of records", where=where, expected=".parquet, .arrow, .jsonl, .json or .csv"
        )
    (file,), _ = lay_out([path.name], "", None, where)
    return Located(name, path, file.split, kind)


def _json(path: Path, name: str, where: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_JSON_BYTES))
    except OSError as error:
        raise EnvironmentProblem(f"{name} cannot be read: {error.strerror}", where=where) from error
    except (ValueError, RecursionError) as error:
        raise StepError(f"{name} is no JSON", where=where, advice="get the folder again") from error
    if not isinstance(content, dict):
        raise StepError(f"{name} is no JSON object", where=where, advice="get the folder again")
    return content


def _is_plain(name: object) -> bool:
    """Return whether a name from data stays in its folder."""
    return isinstance(name, str) and name not in ("", ".", "..") and PurePosixPath(name).name == name
