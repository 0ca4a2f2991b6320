"""MLflow: into a folder of files, or where `MLFLOW_TRACKING_URI` says."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from workbench_plugins.trackers.tracker import PROJECT, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ENDINGS = {"done": "FINISHED", "failed": "FAILED"}  # else killed


class Mlflow(Tracker):
    """A run of MLflow; a metric is called `<step>/<name>`."""

    def __init__(self, run: str, folder: Path, steps: Sequence[str]) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # its database needs packages that the light one lacks
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or folder.as_uri())
        known = self._client.get_experiment_by_name(PROJECT)
        experiment = known.experiment_id if known else self._client.create_experiment(PROJECT)
        tags = {"steps": ", ".join(steps)}
        self._run = self._client.create_run(experiment, run_name=run, tags=tags).info.run_id

    def log(self, step: str, number: int, values: Mapping[str, float]) -> None:
        """Write the numbers of a training step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(f"{step}/{name}", value, now, number) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def finish(self, status: str) -> None:
        """Close the run."""
        self._client.set_terminated(self._run, ENDINGS.get(status, "KILLED"))
