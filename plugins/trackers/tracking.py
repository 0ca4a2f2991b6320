"""The trackers that are asked for, and the runs they follow."""

from __future__ import annotations

import math
import os
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench_plugins.trackers import VARIABLE

from workbench.api import EnvironmentProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench_plugins.trackers.tracker import Tracker

KINDS = {"mlflow": "Mlflow", "trackio": "Trackio", "wandb": "Wandb"}
PACKAGES = {"mlflow": "mlflow-skinny"}  # where the package that brings it is called otherwise
FOLDER = "trackers"  # beside the runs
IDLE = ("time", "event", "step", "number")


class Tracking:
    """Follows one run at a time with every tracker that is asked for."""

    def __init__(self) -> None:
        self._trackers: list[Tracker] = []

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event of a run. What trackers print is left out: standard output belongs to the command."""
        with redirect_stdout(StringIO()):
            self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "run-started":
            self._start(event)
        elif event["event"] == "step-metrics":
            numbers = {name: float(value) for name, value in event.items() if name not in IDLE and _is_number(value)}
            for tracker in self._trackers:
                tracker.log(event["step"], event["number"], numbers)
        elif event["event"] == "run-finished":
            self._finish(event["status"])

    def _start(self, event: Mapping[str, Any]) -> None:
        self._finish("interrupted")
        folder = Path(event["folder"])
        place = folder.parent.parent / FOLDER
        for name in asked_for():
            (place / name).mkdir(parents=True, exist_ok=True)
            self._trackers.append(tracker_class(name)(event["run"], (place / name).absolute(), event["steps"]))

    def _finish(self, status: str) -> None:
        while self._trackers:
            self._trackers.pop().finish(status)


@cache
def shared_tracking() -> Tracking:
    """Return the one of this process."""
    return Tracking()


def asked_for() -> list[str]:
    """Return the trackers that the environment names. Raises `EnvironmentProblem` for one that is not there."""
    names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    for name in names:
        if name not in KINDS:
            raise EnvironmentProblem(
                f"unknown tracker {name!r}", where=VARIABLE, expected=f"some of: {', '.join(sorted(KINDS))}"
            )
        if find_spec(name) is None:
            raise EnvironmentProblem(
                f"{name} is not installed", where=VARIABLE, advice=f"pip install {PACKAGES.get(name, name)}"
            )
    return names


def tracker_class(name: str) -> type[Tracker]:
    """Return the class that speaks to a tracker."""
    found: type[Tracker] = getattr(import_module(f"workbench_plugins.trackers.{name}_tracker"), KINDS[name])
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
