"""The hooks a plugin may implement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pluggy

from workbench.contracts.references import ComponentRef

PROJECT = "workbench"
ENTRY_POINT_GROUP = "workbench.plugins"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def workbench_components() -> list[ComponentRef]:  # type: ignore[empty-body]
    """Return references to the components this plugin brings. Must be light: import nothing heavy."""


@hookspec
def workbench_event(event: Mapping[str, Any]) -> None:
    """Observe one event of a run (`run-started`, `step-progress`, `step-metrics`, …). Must return quickly."""
