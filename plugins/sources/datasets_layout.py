"""Which files of a data set belong to which split, as `datasets` sees it, without running any of its code.

In this order: what the front matter of README.md says (`configs`), names like `data/train-00000-of-00002.parquet`, words in
file names, words in folder names; else everything is `train`. Source: the documentation of the Hub, "Data files
configuration" and "Automatic split name from file patterns". Only names that were listed are ever matched, so that
nothing outside the folder can be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from reprlib import repr as short
from typing import Any

from workbench.api import StepError

README = "README.md"
MAX_README_BYTES = 1 << 20
FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
}
_PACKED = (".gz", ".zst", ".bz2", ".xz")
# What `datasets`, version control and loading scripts leave in a folder, and what describes it.
_NO_DATA = frozenset({"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "package.json"})
_NUMBERED = re.compile(r"data/([A-Za-z_][\w.]*?)-\d{5}-of-\d{5}(?![0-9])")
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SPLIT_OF = {word: split for split, words in _WORDS.items() for word in words}
_SEPARATORS = re.compile(r"[^A-Za-z]+")
_FRONT_MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes:
        name: Relative to the folder.
        split: `train`, `validation`, `test` or another.
        format: `parquet`, `arrow`, `json` or `csv`.
    """

    name: str
    split: str
    format: str


def format_of(name: str) -> str | None:
    """Return the format that a file's name stands for, None for a file that holds no records.

    >>> format_of("data/a.jsonl.gz"), format_of("dataset_info.json"), format_of("script.py")
    ('json', None, None)
    """
    path = PurePosixPath(name)
    if path.name in _NO_DATA or any(part.startswith(".") for part in path.parts):
        return None
    suffix = path.suffix.lower()
    if suffix in _PACKED:
        suffix = PurePosixPath(path.stem).suffix.lower()
    return FORMATS.get(suffix)


def lay_out(names: Iterable[str], readme: str, config: str | None, where: str) -> tuple[list[DataFile], str]:
    """Return the files with their splits, sorted by name within each split, and the name of the configuration.

    Raises `StepError` when there are several configurations and none was chosen, or the chosen one is not there.
    """
    listed = sorted(name for name in names if format_of(name))
    chosen = _configuration(_front_matter(readme, where), config, where)
    if chosen is not None:
        splits = _configured(chosen, listed, where)
        name = _word(chosen.get("config_name"), "config_name", where) or "default"
    else:
        splits, name = _by_names(listed), "default"
    files = [DataFile(name, split, str(format_of(name))) for split, names in splits.items() for name in names]
    return files, name


def _front_matter(readme: str, where: str) -> dict[str, Any]:
    import yaml

    matched = _FRONT_MATTER.match(readme)
    if not matched:
        return {}
    try:
        content = yaml.safe_load(matched[1])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise StepError(
            f"the front matter of {README} is no YAML: {str(error).splitlines()[0]}",
            where=where,
            advice="repair it, or name the files in `paths`",
        ) from error
    return content if isinstance(content, dict) else {}


def _configuration(card: dict[str, Any], wanted: str | None, where: str) -> dict[str, Any] | None:
    listed = card.get("configs")
    configs = [item for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict)]
    configs = [item for item in configs if "data_files" in item or "data_dir" in item]
    names = [_word(item.get("config_name"), "config_name", where) or "default" for item in configs]
    if wanted is not None:
        if wanted not in names:
            raise StepError(
                f"there is no configuration {wanted!r}",
                where=where,
                expected=f"one of: {', '.join(names[:12])}" if names else "none: leave out `config`",
            )
        return configs[names.index(wanted)]
    if len(configs) <= 1:
        return configs[0] if configs else None
    marked = [
        item for item, name in zip(configs, names, strict=True) if item.get("default") is True or name == "default"
    ]
    if not marked:
        raise StepError(
            f"there are {len(configs)} configurations", where=where, expected=f"config: one of {', '.join(names[:12])}"
        )
    return marked[0]


def _configured(config: dict[str, Any], listed: Sequence[str], where: str) -> dict[str, list[str]]:
    folder = _word(config.get("data_dir"), "data_dir", where).strip("/")
    below = [name for name in listed if not folder or name.startswith(f"{folder}/")]
    given = config.get("data_files")
    if given is None:
        return _by_names(below)
    if isinstance(given, str) or (isinstance(given, list) and all(isinstance(item, str) for item in given)):
        given = {"train": given}
    if isinstance(given, dict):
        given = [{"split": split, "path": paths} for split, paths in given.items()]
    splits: dict[str, list[str]] = {}
    for item in given if isinstance(given, list) else []:
        if not isinstance(item, dict) or "path" not in item:
            raise StepError(f"`data_files` of {README} cannot be understood: {short(item):.80}", where=where)
        paths = item["path"] if isinstance(item["path"], list) else [item["path"]]
        given_paths = [_word(path, "path", where) for path in paths]
        patterns = [_pattern(f"{folder}/{path}" if folder else path) for path in given_paths]
        found = [name for name in below if any(pattern.fullmatch(name) for pattern in patterns)]
        splits.setdefault(_word(item.get("split"), "split", where) or "train", []).extend(found)
    return splits


def _word(value: Any, key: str, where: str) -> str:
    """Return a value of the card as text, empty for none.

    Raises `StepError` for a list or an object: one that is made of references may be without end when it is written.
    """
    if isinstance(value, (list, dict, set)):
        raise StepError(f"`{key}` of {README} is a {type(value).__name__}", where=where, expected="a word")
    return "" if value is None else str(value)


def _pattern(glob: str) -> re.Pattern[str]:
    r"""Return the expression for a pattern of paths: `*` stays within a folder, `**` does not.

    >>> bool(_pattern("data/**/a-*.csv").fullmatch("data/x/y/a-1.csv")), bool(_pattern("*.csv").fullmatch("x/a.csv"))
    (True, False)
    """
    once = re.sub(r"(?:\*\*/)+", "**/", glob.removeprefix("./"))  # more of them say no more, and cost a power each
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", once)
    signs = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))


def _by_names(listed: Sequence[str]) -> dict[str, list[str]]:
    for rule in (_numbered_split, _split_of_file, _split_of_folder):
        splits: dict[str, list[str]] = {}
        for name in listed:
            split = rule(name)
            if split:
                splits.setdefault(split, []).append(name)
        if splits:
            return _in_order(splits)
    return {"train": list(listed)} if listed else {}


def _in_order(splits: dict[str, list[str]]) -> dict[str, list[str]]:
    known = [split for split in _WORDS if split in splits]
    return {split: splits[split] for split in (*known, *sorted(set(splits) - set(known)))}


def _numbered_split(name: str) -> str | None:
    matched = _NUMBERED.match(name)
    return matched[1] if matched else None


def _split_of_file(name: str) -> str | None:
    return _split_in(PurePosixPath(name).name.partition(".")[0])


def _split_of_folder(name: str) -> str | None:
    return next((split for part in PurePosixPath(name).parts[:-1] if (split := _split_in(part))), None)


def _split_in(text: str) -> str | None:
    words = _SEPARATORS.split(text.lower())
    return next((_SPLIT_OF[word] for word in words if word in _SPLIT_OF), None)
