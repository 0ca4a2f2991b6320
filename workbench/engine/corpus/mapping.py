"""Shard-parallel work: one JSON task for each shard, run by whoever is there.

A task holds the component's name and settings, never the object, so that any process on any machine can do it. A
component that only this session knows (a class from a notebook cell) cannot be rebuilt elsewhere; its shards are
worked on here, one after the other, with the same bytes as a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.artifacts.corpus import Corpus
from workbench.contracts.component import Component, nested, settings_of
from workbench.core_components import CORE
from workbench.engine.corpus.writing import shard_name
from workbench.errors import PluginError, WorkbenchError
from workbench.files.atomic import is_disk_full
from workbench.registry import shared_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.contracts.context import Context

Task = dict[str, Any]
Work = Callable[[Component, Task], Task]


def shard_tasks(corpus: Corpus, ctx: Context) -> list[Task]:
    """Return one task for each shard: `name` and `part` in the result, `shard` to read, `output` to fill.

    A chosen part becomes a corpus in one piece, so its shards lose the part from their names.
    """
    return [
        {"name": name, "part": part, "shard": str(shard.path), "output": str(ctx.output)}
        for shard, (name, part) in zip(corpus.shards, result_names(corpus), strict=True)
    ]


def result_names(corpus: Corpus) -> list[tuple[str, str | None]]:
    """Return for each shard its name and part in a result that keeps the shards of `corpus`."""
    if corpus.part is None:
        return [(shard.name, shard.part) for shard in corpus.shards]
    return [(shard_name(None, int(shard.path.stem.rpartition("-")[2])), None) for shard in corpus.shards]


def result_parts(corpus: Corpus) -> tuple[str, ...]:
    """Return the parts of a result that keeps those of `corpus`."""
    return () if corpus.part is not None else corpus.parts


def map_shards(
    ctx: Context, work: Work, component: Component, tasks: Iterable[Task], *, light: bool = False
) -> list[Task]:
    """Run `work(component, task)` for every task and return the results in the order of the tasks.

    Args:
        ctx: Brings the worker processes.
        work: A function of a module, so that it can be found by name in another process.
        component: Rebuilt from its settings in the worker.
        tasks: JSON values.
        light: Whether the work is short and nearly all in native code, which lets other threads go on: as many threads
            as there would be workers then do it, and no process is started, which costs half a second each.
    """
    tasks = [{**task, "light": True} for task in tasks] if light else list(tasks)
    if is_installed(component):
        use = {"use": component.component_id, "with": settings_of(component)}
        function = f"{work.__module__}:{work.__qualname__}"
        return ctx.map(f"{__name__}:run_task", [{**task, "work": function, "component": use} for task in tasks])
    results = []
    for task in tasks:
        results.append(work(component, task))
        ctx.progress(len(results), len(tasks), "shards")
    return results


def run_task(task: Task) -> Task:
    """Rebuild the component that the task names, and do the work on its shard."""
    from workbench.pipeline.settings import component_from_json

    module, _, name = task["work"].partition(":")
    work: Work = getattr(import_module(module), name)
    return work(component_from_json(shared_registry(), task["component"]), task)


def is_installed(component: Component) -> bool:
    """Return whether another process can find this component, and those in its settings, by name."""
    refs = [*CORE, *(ref for plugin in shared_registry().plugins for ref in plugin.components)]
    targets = {ref.id: ref.target for ref in refs}
    cls = type(component)
    here = targets.get(component.component_id) == f"{cls.__module__}:{cls.__qualname__}"
    return here and all(is_installed(inner) for inner in nested(component))


@contextmanager
def blaming(component: Component, shard: str) -> Iterator[None]:
    """Turn what a component raises into a `PluginError` that names it and the shard; a full disk is not its fault."""
    where = f"{component.component_id or type(component).__qualname__}, shard {shard}"
    try:
        yield
    except WorkbenchError as error:
        if not isinstance(error, PluginError) or error.where:
            raise
        raise PluginError(error.what, where=where, expected=error.expected, advice=error.advice) from error
    except Exception as error:
        if isinstance(error, MemoryError) or is_disk_full(error):
            raise
        raise PluginError(f"{type(error).__name__}: {error}".splitlines()[0], where=where) from error
