"""The code behind a component: its module and every module of the same package that this one imports.

Special here: the closure is found from source alone, without importing or running anything. Beside import statements
it follows strings that name a module of the package (tasks for worker processes are handed over as
`"package.module:function"`) and strings that name a file beside the module (word lists). A package's `__init__` is
part of it, because importing runs it, unless it is a plugin's entry module, which only lists components: adding a
component must not rerun the others.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from workbench.contracts.component import Component
from workbench.errors import PluginError
from workbench.pipeline.module_source import Import, ModuleSource, digest_code, read_module

CORE = "workbench"
DATA_SUFFIXES = (".txt", ".json", ".csv", ".tsv", ".yaml", ".bin", ".html", ".tmpl")


def code_token(module_name: str, within: str) -> str:
    """Return one digest over `code_files`."""
    listing = "\n".join(f"{name} {digest}" for name, digest in code_files(module_name, within).items())
    return hashlib.sha256(listing.encode()).hexdigest()


def code_files(module_name: str, within: str) -> dict[str, str]:
    """Return file → digest for a module and all that it imports within the package `within`.

    Names of files start with that of the top-level package: `workbench_plugins/filters/unicode.py`. Raises
    `PluginError` when the module has no source.
    """
    return CodeReader().files(module_name, within)


class CodeReader:
    """Reads the code behind components, each module once: for one look at many steps."""

    def __init__(self) -> None:
        self._closures: dict[tuple[str, str], dict[str, str]] = {}
        self._paths: dict[str, Path | None] = {}

    def component(self, cls: type[Component]) -> dict[str, str]:
        """Return file → digest for the class of a component and for those it inherits from outside the core.

        A class made in a notebook cell counts by its own source.
        """
        found: dict[str, str] = {}
        for part in cls.__mro__:
            top = part.__module__.partition(".")[0]
            if not issubclass(part, Component) or (top == CORE and part is not cls):
                continue
            if part.__module__ == "__main__" or self._file(part.__module__) is None:
                found[f"cell:{part.__qualname__}"] = _cell_digest(part)
            else:
                found.update(self.files(part.__module__, _package_of(part.__module__)))
        return found

    def files(self, module_name: str, within: str) -> dict[str, str]:
        """Return what `code_files` does."""
        known = self._closures.get((module_name, within))
        if known is None:
            known = self._closures[module_name, within] = dict(sorted(self._closure(module_name, within).items()))
        return known

    def _closure(self, module_name: str, within: str) -> dict[str, str]:
        if self._file(module_name) is None:
            raise PluginError("its source cannot be found, so its results could not be told apart", where=module_name)
        seen: dict[str, str] = {}
        done: set[str] = set()
        waiting = [module_name]
        while waiting:
            name = waiting.pop()
            path = self._file(name)
            if name in done or path is None:
                continue
            done.add(name)
            source = read_module(path)
            seen[_label(name, path)] = source.digest
            seen.update(_data_files(name, path, source))
            waiting += self._needed(name, path, source, within)
        return seen

    def _needed(self, name: str, path: Path, source: ModuleSource, within: str) -> Iterator[str]:
        """Yield the modules of `within` that importing this one runs, and those its strings name."""
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        for entry in source.imports:
            module = _absolute(entry, package)
            if _is_within(module, within) or _is_within(within, module):
                yield from (found for found in self._modules(module, entry.name) if _is_within(found, within))
        for text in source.texts:
            module = text.partition(":")[0]
            if _is_within(module, within) and self._file(module) is not None:
                yield from self._running(module, within)
        yield from (found for found in self._running(package, within) if found != name)

    def _modules(self, module: str, name: str) -> Iterator[str]:
        """Yield what `from module import name` (or `import module`, without a name) runs and takes names from."""
        yield from self._running(module.rpartition(".")[0], "")
        if not name:  # `import a.b` gives the name a: anything of it may be used
            yield from _prefixes(module)
            return
        below = f"{module}.{name}"
        is_module = self._file(below) is not None
        if is_module:
            yield below
        path = self._file(module)
        if path is None:
            return
        source = read_module(path)
        if not is_module or name in source.binds or not source.is_entry:
            yield module

    def _running(self, module: str, within: str) -> Iterator[str]:
        """Yield a module and the packages around it that run when it is imported, entry modules left out."""
        for name in _prefixes(module):
            if not _is_within(name, within):
                continue
            path = self._file(name)
            if path is not None and not (path.suffix == ".py" and read_module(path).is_entry):
                yield name

    def _file(self, module: str) -> Path | None:
        if module not in self._paths:
            self._paths[module] = _file_of(module)
        return self._paths[module]


def _package_of(module_name: str) -> str:
    """Return what the closure stays within: the top-level package, for the core the folder of the module."""
    top = module_name.partition(".")[0]
    return module_name.rpartition(".")[0] if top == CORE else top


def _cell_digest(cls: type) -> str:
    try:
        return digest_code(inspect.cleandoc(f"\n{inspect.getsource(cls)}"))
    except (OSError, TypeError, SyntaxError) as error:
        raise PluginError(
            "its source cannot be found, so its results could not be told apart",
            where=cls.__qualname__,
            advice="put the class into a module",
        ) from error


def _label(name: str, path: Path) -> str:
    parts = name.split(".")
    return "/".join([*parts, path.name] if path.stem == "__init__" else [*parts[:-1], path.name])


def _data_files(name: str, path: Path, source: ModuleSource) -> Iterator[tuple[str, str]]:
    folder = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for text in source.texts:
        if text.endswith(DATA_SUFFIXES) and ".." not in text and not text.startswith("/"):
            data = path.parent / text
            if data.is_file():
                yield "/".join([*folder, text]), read_module(data).digest


def _absolute(entry: Import, package: str) -> str:
    if not entry.level:
        return entry.module
    parts = package.split(".")
    above = parts[: len(parts) - entry.level + 1]
    return ".".join([*above, entry.module] if entry.module else above)


def _prefixes(module: str) -> Iterator[str]:
    parts = module.split(".") if module else []
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _is_within(module: str, within: str) -> bool:
    return not within or module == within or module.startswith(f"{within}.")


def _file_of(module: str) -> Path | None:
    """Return the file of a module without importing it; None for a namespace, a built-in or no module at all."""
    top, *rest = module.split(".")
    if not all(part.isidentifier() for part in (top, *rest)):
        return None
    origin, folders = _top_level(top)
    if not rest:
        return origin
    for index, part in enumerate(rest):
        last = index == len(rest) - 1
        found = next((path for folder in folders if (path := _in_folder(folder, part)) is not None), None)
        if last:
            return found
        folders = [folder / part for folder in folders if (folder / part).is_dir()]
    return None


def _in_folder(folder: Path, name: str) -> Path | None:
    candidates = [folder / name / "__init__.py", folder / f"{name}.py"]
    candidates += [folder / f"{name}{suffix}" for suffix in EXTENSION_SUFFIXES]
    return next((path for path in candidates if path.is_file()), None)


def _top_level(name: str) -> tuple[Path | None, list[Path]]:
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if spec is not None:
        return _located(spec.origin, spec.submodule_search_locations)
    return _found_top_level(name, tuple(sys.path))


@lru_cache(maxsize=1024)
def _found_top_level(name: str, search: tuple[str, ...]) -> tuple[Path | None, list[Path]]:
    del search  # part of what is remembered: another path may give another package
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    return _located(spec.origin, spec.submodule_search_locations) if spec else (None, [])


def _located(origin: str | None, locations: Iterable[str] | None) -> tuple[Path | None, list[Path]]:
    path = Path(origin) if origin and Path(origin).is_file() else None
    return path, [Path(folder) for folder in locations or ()]
