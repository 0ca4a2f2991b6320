"""The lock: what a run depended on, and how another state differs from it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.hookspecs import ENTRY_POINT_GROUP, PROJECT
from workbench.pipeline.fingerprint import SCHEMA, Identity
from workbench.pipeline.graph import Graph
from workbench.pipeline.plan import key_changes


def make_lock(
    graph: Graph, identities: Mapping[str, Identity], results: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what the results of a graph depend on, as JSON.

    Args:
        graph: The pipeline.
        identities: What `identify` returned for it.
        results: Fingerprint → digest of the finished result (of its rows or files), for those that are there.
    """
    digests = results or {}
    return {
        "schema": SCHEMA,
        "name": graph.name,
        "seed": graph.seed,
        "python": platform.python_version(),
        "platform": f"{platform.system().lower()}-{platform.machine()}",
        "distributions": installed_versions(),
        "steps": {
            name: {
                "component": identity.key["component"],
                "version": identity.key["version"],
                "fingerprint": identity.fingerprint,
                "key": identity.key,
                "signals": identity.signals,
                "signals_key": identity.signals_key,
                "result": digests.get(identity.fingerprint),
            }
            for name, identity in identities.items()
        },
    }


def installed_versions() -> dict[str, str]:
    """Return the version of the core, of what it requires, and of every distribution that brings plugins."""
    names = {PROJECT, *_required(PROJECT)}
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        if point.dist is not None:
            names |= {point.dist.name, *_required(point.dist.name)}
    versions = {name: _version(name) for name in names}
    return {name: version for name, version in sorted(versions.items()) if version}


def _required(name: str) -> list[str]:
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if "extra ==" not in line]
    return [found.group() for found in names if found]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def lock_differences(lock: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Return one line for everything in which the present state differs from a lock; empty when nothing does."""
    return list(_differences(lock, current))


def _differences(lock: Mapping[str, Any], current: Mapping[str, Any]) -> Iterator[str]:
    for name in ("schema", "python", "platform"):
        if lock.get(name) != current.get(name):
            yield f"{name} {lock.get(name)} -> {current.get(name)}"
    yield from _versions(lock.get("distributions", {}), current.get("distributions", {}))
    before, after = lock.get("steps", {}), current.get("steps", {})
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield f"step {name} is gone"
        elif name not in before:
            yield f"step {name} is new"
        elif before[name]["fingerprint"] != after[name]["fingerprint"]:
            yield from (f"step {name}: {change}" for change in key_changes(before[name]["key"], after[name]["key"]))


def _versions(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"package {name} {before.get(name, 'not installed')} -> {after.get(name, 'not installed')}"
