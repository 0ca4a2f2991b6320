"""The registry: finds plugins through their entry points and hands out components by name.

Special here: discovery is light (a plugin's entry module only says what there is; a component's module is imported
when it is first used), and nothing a plugin does can stop the rest: an import error, `sys.exit`, a wrong list or a
name clash becomes a line in `problems`, shown by `workbench plugins doctor`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

import pluggy

from workbench import hookspecs
from workbench.contracts.component import Component
from workbench.contracts.references import KINDS, ComponentRef
from workbench.core_components import CORE
from workbench.errors import MissingPackage, PluginError, UnknownName, WorkbenchError, did_you_mean

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
NOTEBOOK = "notebook"
ComponentClass = TypeVar("ComponentClass", bound=type[Component])


@dataclass(frozen=True)
class PluginInfo:
    """One plugin as it was found.

    Attributes:
        name: The entry point's name.
        package: The distribution it comes from.
        version: That distribution's version.
        module: The entry module.
        error: Why it could not be used; empty when it works.
        components: What it brings.
        printed: What it printed while it was imported (a plugin should not).
    """

    name: str
    package: str
    version: str
    module: str
    error: str = ""
    components: tuple[ComponentRef, ...] = ()
    printed: str = ""


@dataclass
class Registry:
    """Every component that is installed, by `kind/name`.

    Attributes:
        plugins: The plugins in the order they were found.
        problems: One line for everything that is wrong with them.
    """

    plugins: list[PluginInfo] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _refs: dict[str, ComponentRef] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _classes: dict[str, type[Component]] = field(default_factory=dict)
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(hookspecs.PROJECT))

    @classmethod
    def discover(cls, core: Iterable[ComponentRef] = CORE) -> Registry:
        """Return a registry with the core's own components and those of every installed plugin."""
        registry = cls()
        registry._manager.add_hookspecs(hookspecs)
        for ref in core:
            registry._add(ref, "workbench")
        points = importlib.metadata.entry_points(group=hookspecs.ENTRY_POINT_GROUP)
        for point in sorted(points, key=_bundled_first):
            registry._add_plugin(point)
        return registry

    @classmethod
    def of(cls, refs: Iterable[ComponentRef]) -> Registry:
        """Return a registry of these components alone; no plugin is looked for."""
        registry = cls()
        registry._manager.add_hookspecs(hookspecs)
        added = tuple(ref for ref in refs if registry._add(ref, hookspecs.PROJECT))
        registry.plugins.append(PluginInfo("given", hookspecs.PROJECT, "", "", components=added))
        return registry

    @property
    def hook(self) -> Any:
        """The hooks of all plugins, to be called by the engine."""
        return self._manager.hook

    def refs(self, kind: str | None = None) -> list[ComponentRef]:
        """Return all references, or those of one kind, sorted by id."""
        return [self._refs[name] for name in sorted(self._refs) if kind is None or self._refs[name].kind == kind]

    def get(self, use: str) -> ComponentRef:
        """Return the reference for `kind/name` or an alias. Raises `UnknownName` with the nearest name."""
        if use in self._names:
            return self._refs[self._names[use]]
        kind, slash, name = use.partition("/")
        if slash and kind in KINDS:
            known = [known.partition("/")[2] for known in self._names if known.startswith(f"{kind}/")]
            raise UnknownName.among(kind, name, known, advice=f"workbench plugins list {kind}")
        raise self._not_named(use)

    def _not_named(self, use: str) -> UnknownName:
        """Return the error for what is no KIND/NAME: who has that name, else what a kind offers or how to list all."""
        kind = use.lower()
        if kind in KINDS:
            known = [ref.id for ref in self.refs(kind)]
            such = f", such as {known[0]!r}" if known else ""
            what = f"unknown component {use!r}: that is a kind; a component is KIND/NAME{such}"
            return UnknownName(what, advice=f"workbench plugins list {kind}")
        meant = did_you_mean(use, self._names) if "/" in use else ""
        if not meant:
            name = use.rpartition("/")[2]
            tails = {known.partition("/")[2] for known in self._names}
            near = [name] if name in tails else get_close_matches(name, sorted(tails), n=1)
            full = sorted(known for known in self._names if known.partition("/")[2] in near)
            meant = f"; did you mean {' or '.join(map(repr, full))}?" if full else ""
        meant = meant or f": a component is KIND/NAME; the kinds: {', '.join(KINDS)}"
        return UnknownName(f"unknown component {use!r}{meant}", advice="workbench plugins list")

    def load(self, use: str) -> type[Component]:
        """Return the class behind `kind/name`, importing it on first use.

        Raises `UnknownName`, `MissingPackage` when it needs a package that is not there, and `PluginError` when
        its module does not give what the plugin said.
        """
        ref = self.get(use)
        if ref.id not in self._classes:
            self._classes[ref.id] = _import(ref)
        return self._classes[ref.id]

    def name_of(self, cls: type[Component]) -> str:
        """Return the `kind/name` a class is registered under. Raises `PluginError` when it is under none."""
        if not cls.component_id:
            target = f"{cls.__module__}:{cls.__qualname__}"
            ref = next((ref for ref in self._refs.values() if ref.target == target), None)
            if ref is None:
                raise PluginError(
                    f"{cls.__qualname__} is not registered",
                    expected="a ComponentRef in a plugin's workbench_components(), or @wb.register(kind, name)",
                )
            self.load(ref.id)
        return cls.component_id

    def register(self, kind: str, name: str) -> Callable[[ComponentClass], ComponentClass]:
        """Return a decorator that registers a class of this session as `kind/name`; it replaces an earlier one."""

        def decorate(cls: ComponentClass) -> ComponentClass:
            summary = (cls.__doc__ or "").strip().partition("\n")[0]
            ref = ComponentRef(kind, name, f"{cls.__module__}:{cls.__qualname__}", summary)
            problem = _fault(ref) or _not_of_kind(cls, ref)
            if problem:
                raise PluginError(problem, where=ref.id)
            self._refs[ref.id] = ref
            self._names[ref.id] = ref.id
            cls.component_id = ref.id
            self._classes[ref.id] = cls
            return cls

        return decorate

    def observe(self, observer: object) -> None:
        """Call the hooks of `observer` (an object or module with `@hookimpl` functions) for every event."""
        self._manager.register(observer)

    def _add_plugin(self, point: importlib.metadata.EntryPoint) -> None:
        package = point.dist.name if point.dist else "?"
        version = point.dist.version if point.dist else "?"
        printed = io.StringIO()
        refs: list[ComponentRef] = []
        error = ""
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                module = point.load()
                self._manager.register(module, name=f"{package}:{point.name}")
                hooks = self._manager.subset_hook_caller("workbench_components", self._others(module))
                refs = [ref for group in hooks() for ref in group]
        except (Exception, SystemExit) as problem:  # noqa: BLE001  # whatever a plugin does must not stop the rest
            error = f"{type(problem).__name__}: {problem}".splitlines()[0]
            self.problems.append(f"plugin {point.name} ({package} {version}) could not be loaded: {error}")
            self._forget(f"{package}:{point.name}")
        if printed.getvalue():
            self.problems.append(f"plugin {point.name} ({package}) prints while it is imported")
        added = tuple(ref for ref in refs if not error and self._add(ref, f"{package}:{point.name}"))
        self.plugins.append(PluginInfo(point.name, package, version, point.value, error, added, printed.getvalue()))

    def _others(self, module: object) -> list[object]:
        return [plugin for plugin in self._manager.get_plugins() if plugin is not module]

    def _forget(self, name: str) -> None:
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)

    def _add(self, ref: object, plugin: str) -> bool:
        if not isinstance(ref, ComponentRef):
            self.problems.append(f"plugin {plugin}: {type(ref).__name__} {ref!r:.60} is not a ComponentRef")
            return False
        problem = _fault(ref)
        if problem:
            self.problems.append(f"plugin {plugin}: {problem}")
            return False
        if ref.id in self._refs:
            self.problems.append(
                f"plugin {plugin}: {ref.id} is already there (from {self._refs[ref.id].target}); this one is left out"
            )
            return False
        self._refs[ref.id] = ref
        for name in (ref.id, *(f"{ref.kind}/{alias}" for alias in ref.aliases)):
            taken = self._names.setdefault(name, ref.id)
            if taken != ref.id:
                self.problems.append(f"plugin {plugin}: the alias {name} of {ref.id} already means {taken}")
        return True


def _bundled_first(point: importlib.metadata.EntryPoint) -> tuple[bool, str, str]:
    package = point.dist.name if point.dist else "?"
    return (package != hookspecs.PROJECT, package, point.name)


def _fault(ref: ComponentRef) -> str:
    if ref.kind not in KINDS:
        return f"{ref.id}: unknown kind {ref.kind!r}, expected one of {', '.join(KINDS)}"
    if not NAME.match(ref.name):
        return f"{ref.id}: a name is lower-case words joined by hyphens"
    if not re.fullmatch(r"[\w.]+:[\w.<>]+", ref.target):
        return f"{ref.id}: the target {ref.target!r} is not 'package.module:Class'"
    return ""


def _not_of_kind(cls: object, ref: ComponentRef) -> str:
    if not (isinstance(cls, type) and issubclass(cls, Component)):
        return f"{ref.target} is not a component class"
    if cls.kind and cls.kind != ref.kind:
        return f"{ref.target} is a {cls.kind}, but is listed as a {ref.kind}"
    return ""


def _import(ref: ComponentRef) -> type[Component]:
    missing = missing_packages(ref)
    if missing:
        raise MissingPackage.for_component(ref.id, missing)
    module_name, _, class_name = ref.target.partition(":")
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except WorkbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{ref.target} cannot be imported: {type(error).__name__}: {error}",
            where=ref.id,
            advice="workbench plugins doctor",
        ) from error
    problem = _not_of_kind(cls, ref)
    if problem:
        raise PluginError(problem, where=ref.id, advice="workbench plugins doctor")
    cls.component_id = ref.id
    return cls  # type: ignore[no-any-return]


def missing_packages(ref: ComponentRef) -> list[str]:
    """Return the pip names of the packages that the component needs and that are not installed."""
    missing = []
    for entry in ref.requires:
        module, _, package = entry.partition(":")
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            missing.append(package or module)
    return missing


_shared: list[Registry] = []


def shared_registry() -> Registry:
    """Return the registry of this process, discovered on first use."""
    if not _shared:
        _shared.append(Registry.discover())
    return _shared[0]


def share_registry(registry: Registry) -> None:
    """Make `registry` the one of this process: a worker knows what its coordinator knows, and nothing else."""
    _shared[:] = [registry]
