"""Several processes share one step: one result, the reports of process 0, and one clear error when one fails."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.engine.test_interruptions import is_alive
from workbench.engine.executors import executor_name
from workbench.engine.several import num_devices
from workbench.errors import UsageError


def together(how: str = "well", rank: int = 1, run: str = "{executor: torchrun, processes: 3}") -> str:
    return f"a: {{use: corpus/together, with: {{how: {how}, rank: {rank}}}, run: {run}}}"


def said(root: Path) -> list[str]:
    (log,) = root.glob("runs/*/events.jsonl")
    return [event["message"] for line in log.read_text().splitlines() if "message" in (event := json.loads(line))]


def test_the_result_is_that_of_process_0(parts, tmp_path, monkeypatch):
    """Its log lines alone are shown; processors are divided; how it ran is no part of what it is called."""
    monkeypatch.setattr("workbench.engine.several.num_processors", lambda: 6)
    record = parts.run(tmp_path, together())
    assert parts.statuses(record) == {"a": "ran"}
    assert Path(record.step("a").path, "text").read_text() == "3"
    assert said(tmp_path) == ["process 0 of 3, 2 threads"]
    assert parts.statuses(parts.run(tmp_path, together(run="{}"))) == {"a": "cached"}


@pytest.mark.parametrize(
    "how, rank, message",
    [
        ("die", 1, r"process 1 of 3 died \(signal 9[^)]*\) while it ran corpus/together"),
        ("die", 0, r"process 0 of 3 died \(signal 9[^)]*\) while it ran corpus/together"),
        ("fail", 2, r"ValueError: no such thing"),
    ],
)
def test_one_that_fails_ends_the_step_with_its_error(parts, tmp_path, monkeypatch, how, rank, message):
    """The others, which wait or complain that it is gone, are ended; what is reported is the cause, in five lines."""
    monkeypatch.setattr("workbench.engine.several.GRACE_SECONDS", 0.7)
    monkeypatch.chdir(tmp_path)  # where the processes leave their numbers
    began = time.monotonic()
    record = parts.run(tmp_path, together(how, rank))
    assert parts.statuses(record) == {"a": "failed"}
    error = record.step("a").error
    assert error is not None
    assert re.search(message, "\n".join(error)), error
    assert len(error) <= 5
    assert time.monotonic() - began < 30
    pids = [int(file.read_text()) for file in tmp_path.glob("pid-*")]
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


def test_a_stop_reaches_process_0(parts, tmp_path):
    """The user's stop is told to one; when it leaves, all end."""
    from workbench.engine.several import Torchrun
    from workbench.registry import Registry

    registry = Registry.of(parts.REFS)
    graph, _ = parts.prepare(tmp_path, together("fail", rank=9), registry)
    folders = {name: str(tmp_path / name) for name in ("output", "scratch", "partial")}
    for folder in folders.values():
        Path(folder).mkdir()
    given = {"how": "fail", "rank": 9}
    task = {
        "id": "x",
        "step": "a",
        "use": "corpus/together",
        "settings": given,
        "stage": "all",
        "inputs": {},
        "seed": 1,
        "base": str(tmp_path),
        "workers": 1,
        "threads": 2,
        "device": "cpu",
        "logs": None,
        "isolated": False,
        "processes": 2,
        "log": str(tmp_path / "log"),
        **folders,
    }
    stops_at = time.monotonic() + 2.0
    from workbench.errors import Interrupted

    with pytest.raises(Interrupted):
        Torchrun(registry, lambda: time.monotonic() > stops_at).run(
            graph.steps["a"].component, task, lambda event, fields: None
        )


def test_which_executor_runs_a_step(parts):
    """Several processes alone mean torchrun; steps that cannot be shared run where they always do."""
    shared, alone = parts.Together(), parts.Write()
    assert [executor_name(name, shared, n) for name, n in ((None, None), (None, 2), ("torchrun", None))] == [
        "local",
        "torchrun",
        "torchrun",
    ]
    assert [executor_name("torchrun", alone, 2), executor_name(None, alone, 2)] == ["local", "local"]
    with pytest.raises(UsageError, match="2 processes in the executor 'inline'"):
        executor_name("inline", shared, 2)
    with pytest.raises(UsageError, match=r"unknown executor 'slurm'[^$]*torchrun"):
        executor_name("slurm", shared)


def test_one_process_for_each_device(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,3")
    assert num_devices() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert num_devices() == 1
