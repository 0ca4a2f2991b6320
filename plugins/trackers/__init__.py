"""Trackers of experiments: the curves of a run, sent where a person keeps those of all runs.

They are asked for by the environment, `WORKBENCH_TRACKERS=mlflow,wandb`, for they change nothing in a result; each needs
its own package. Everything goes to files beside the store, unless the tracker's own variables name a server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from workbench.api import ComponentRef, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "WORKBENCH_TRACKERS"


@hookimpl
def workbench_components() -> list[ComponentRef]:
    """List the components of this family: none, it only observes."""
    return []


@hookimpl
def workbench_event(event: Mapping[str, Any]) -> None:
    """Pass an event on to the trackers that are asked for; nothing is imported when there are none."""
    if os.environ.get(VARIABLE):
        from workbench_plugins.trackers.tracking import shared_tracking

        shared_tracking().take(event)
