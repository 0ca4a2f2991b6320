"""Curves go to the trackers that are asked for, and nowhere else; the real ones where they are installed."""

import math
import subprocess
import sys
from importlib.util import find_spec
from typing import ClassVar

import pytest
from workbench_plugins import trackers
from workbench_plugins.trackers import tracking
from workbench_plugins.trackers.tracker import Tracker

from workbench.errors import EnvironmentProblem


class Notes(Tracker):
    """Notes what it is told."""

    told: ClassVar[list] = []

    def __init__(self, run, folder, steps):
        print("a banner")  # noqa: T201  # what is tested
        self.told.append(("start", run, folder.name, tuple(steps)))

    def log(self, step, number, values):
        self.told.append((step, number, dict(values)))

    def finish(self, status):
        self.told.append(("end", status))


@pytest.fixture
def follow(monkeypatch, tmp_path):
    """Return a function that tells a run of two training steps to the trackers of the environment."""
    tracking.shared_tracking.cache_clear()

    def run(names):
        monkeypatch.setenv(trackers.VARIABLE, names)
        folder = tmp_path / "runs" / "r1"
        folder.mkdir(parents=True)
        tell = trackers.workbench_event
        tell({"event": "run-started", "time": "t", "run": "r1", "folder": str(folder), "steps": ["base", "tuned"]})
        tell({"event": "step-started", "time": "t", "step": "base", "component": "train/pretrain"})
        for number, loss in ((1, 3.5), (2, 2.5)):
            values = {"loss": loss, "valid_loss": math.nan}
            tell({"event": "step-metrics", "time": "t", "step": "base", "number": number, **values})
        tell({"event": "run-finished", "time": "t", "status": "done", "seconds": 1.0})
        return tmp_path / "trackers"

    yield run
    tracking.shared_tracking.cache_clear()


def test_a_run_is_told_from_start_to_end(follow, monkeypatch, capsys):
    """What is no number is left out; what a tracker prints does not reach standard output."""
    monkeypatch.setattr(tracking, "asked_for", lambda: ["notes"])
    monkeypatch.setattr(tracking, "tracker_class", lambda name: Notes)
    Notes.told.clear()
    follow("notes")
    assert Notes.told == [
        ("start", "r1", "notes", ("base", "tuned")),
        ("base", 1, {"loss": 3.5}),
        ("base", 2, {"loss": 2.5}),
        ("end", "done"),
    ]
    assert capsys.readouterr().out == ""


def test_a_run_that_never_ended_is_closed_by_the_next(follow, monkeypatch, tmp_path):
    monkeypatch.setattr(tracking, "asked_for", lambda: ["notes"])
    monkeypatch.setattr(tracking, "tracker_class", lambda name: Notes)
    Notes.told.clear()
    one = tracking.Tracking()
    for name in ("a", "b"):
        one.take({"event": "run-started", "run": name, "folder": str(tmp_path / "runs" / name), "steps": []})
    assert [told[:2] for told in Notes.told] == [("start", "a"), ("end", "interrupted"), ("start", "b")]


def test_nobody_asked_nothing_is_imported():
    code = (
        "import sys; from workbench_plugins import trackers; trackers.workbench_event({'event': 'run-started'});"
        "print([name for name in sys.modules if name.startswith('workbench_plugins.trackers.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_that_are_not_there_are_said(monkeypatch):
    monkeypatch.setenv(trackers.VARIABLE, "mlflow, aim")
    monkeypatch.setattr(tracking, "find_spec", lambda name: object())
    with pytest.raises(EnvironmentProblem, match=r"unknown tracker 'aim'[^$]*some of: mlflow, trackio, wandb"):
        tracking.asked_for()
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match=r"mlflow is not installed[^$]*pip install mlflow-skinny"):
        tracking.asked_for()


@pytest.mark.skipif(find_spec("mlflow") is None, reason="the extra mlflow is not installed")
def test_mlflow_has_the_curve(follow, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (metric,) = follow("mlflow").rglob("metrics/base/loss")
    assert [line.split()[1:] for line in metric.read_text().splitlines()] == [["3.5", "1"], ["2.5", "2"]]


@pytest.mark.skipif(find_spec("trackio") is None, reason="the extra trackio is not installed")
def test_trackio_has_the_curve(follow, monkeypatch):
    monkeypatch.delenv("TRACKIO_DIR", raising=False)
    (database,) = follow("trackio").rglob("*.db")
    content = database.read_bytes()
    assert b"base/loss" in content


@pytest.mark.skipif(find_spec("wandb") is None, reason="the extra wandb is not installed")
def test_wandb_has_the_curve_offline(follow, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    (file,) = follow("wandb").rglob("run-*.wandb")
    assert file.parent.name.startswith("offline-run-")
