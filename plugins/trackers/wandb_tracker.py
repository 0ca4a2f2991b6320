"""Weights & Biases: offline into a folder, to be sent by `wandb sync`, unless `WANDB_MODE` says otherwise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workbench_plugins.trackers.tracker import PROJECT, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Wandb(Tracker):
    """A run of W&B; a metric is called `<step>/<name>` and drawn over `<step>/number`."""

    def __init__(self, run: str, folder: Path, steps: Sequence[str]) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=run,
            dir=os.environ.get("WANDB_DIR", str(folder)),
            mode=os.environ.get("WANDB_MODE", "offline"),
            config={"steps": list(steps)},
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True),
        )
        for step in steps:
            self._run.define_metric(f"{step}/*", step_metric=f"{step}/number")

    def log(self, step: str, number: int, values: Mapping[str, float]) -> None:
        """Write the numbers of a training step."""
        self._run.log({f"{step}/number": number, **{f"{step}/{name}": value for name, value in values.items()}})

    def finish(self, status: str) -> None:
        """Close the run."""
        self._run.finish(exit_code=0 if status == "done" else 1)
