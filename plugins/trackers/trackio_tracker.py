"""Trackio: into a folder of its databases, or where `TRACKIO_DIR` says; `trackio show` draws them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workbench_plugins.trackers.tracker import PROJECT, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Trackio(Tracker):
    """A run of Trackio; a metric is called `<step>/<name>`."""

    def __init__(self, run: str, folder: Path, steps: Sequence[str]) -> None:
        os.environ.setdefault("TRACKIO_DIR", str(folder))  # read when it is imported
        import trackio

        self._run = trackio.init(
            project=PROJECT,
            name=run,
            config={"steps": list(steps)},
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )

    def log(self, step: str, number: int, values: Mapping[str, float]) -> None:
        """Write the numbers of a training step."""
        self._run.log({f"{step}/{name}": value for name, value in values.items()}, step=number)

    def finish(self, status: str) -> None:
        """Close the run."""
        self._run.finish()
