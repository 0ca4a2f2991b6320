"""Rules of the run records."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workbench.errors import EnvironmentProblem, UnknownName, UsageError
from workbench.store.runs import RunRequest, Runs, StepRecord

REQUEST = RunRequest("Tiny EN", "workbench: 1\n", {"steps": {}}, seed=7)


def start(runs: Runs, status: str = "ran", key: int = 1):
    steps = [StepRecord("a", "corpus/x", "ab" * 32, status=status)]
    request = RunRequest("Tiny EN", "workbench: 1\n", {"steps": {"a": {"key": {"k": key}}}})
    return runs.create(request, steps)


def test_a_record_reads_back(tmp_path):
    """What was written is what is read; the id says when, what and is unique."""
    runs = Runs(tmp_path)
    record = runs.create(REQUEST, [StepRecord("a", "corpus/x", "ab" * 32)])
    record.step("a").error = ["what", "why"]
    runs.finish(record, "done")
    assert Runs(tmp_path).find(record.id) == record
    date, clock, name, other, digits = record.id.split("-")
    assert (len(date), len(clock), name, other, len(digits)) == (8, 6, "tiny", "en", 4)
    assert (record.pipeline, record.lock, record.seed) == ("workbench: 1\n", {"steps": {}}, 7)
    assert list((tmp_path / "locks").iterdir()) == []


def test_find(tmp_path):
    """`last` is the newest, also within one second; a prefix must say which; unknown ones are named."""
    runs = Runs(tmp_path)
    ids = [start(runs).id for _ in range(3)]
    assert runs.find("last").id == ids[-1]
    assert [run.id for run in runs.all()] == ids
    with pytest.raises(UsageError, match="is the start of 3 runs"):
        runs.find(ids[0][:10])
    with pytest.raises(UnknownName, match="unknown run 'zzz'"):
        runs.find("zzz")
    with pytest.raises(UnknownName, match="there is no run\n"):
        Runs(tmp_path / "empty").find("last")
    with pytest.raises(UnknownName, match="unknown step 'b'"):
        runs.find("last").step("b")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"steps": [{}]}', '{"id": "x", "steps": [], "further": 1}'])
def test_a_record_that_cannot_be_read_is_named(tmp_path, content):
    """Whoever asks for the runs learns which file it is and what can be done."""
    runs = Runs(tmp_path)
    record = start(runs)
    (record.folder / "run.json").write_text(content)
    with pytest.raises(EnvironmentProblem, match=f"{record.id}/run.json: the record of a run is damaged"):
        runs.all()


def test_a_killed_run_reads_as_interrupted(tmp_path):
    """While its process lives a run is `running`; when that was killed it is `interrupted`."""
    script = (
        "import sys, time; from pathlib import Path; from workbench.store.runs import *\n"
        "runs = Runs(Path(sys.argv[1])); runs.create(RunRequest('x', '', {}), []); print(1, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert Runs(tmp_path).find("last").status == "running"
    os.kill(process.pid, 9)
    process.communicate()
    assert Runs(tmp_path).find("last").status == "interrupted"
    assert Runs(tmp_path).find("last").exit_status == 130


def test_previous_keys_come_from_the_newest_run_with_a_result(tmp_path):
    """A run in which the step failed says nothing about what its result depends on."""
    runs = Runs(tmp_path)
    for status, key in (("ran", 1), ("cached", 2), ("failed", 3), ("skipped", 4)):
        runs.finish(start(runs, status, key), "done")
    assert runs.previous_keys("Tiny EN") == {"a": {"k": 2}}
    assert runs.previous_keys("tiny-en") == {}


def test_a_line_cut_by_a_kill(tmp_path):
    """The events before a line that a kill cut short can be read."""
    record = start(Runs(tmp_path))
    (record.folder / "events.jsonl").write_text('{"event": "run-started"}\n{"event": "st')
    assert list(record.events()) == [{"event": "run-started"}]


def test_exit_status(tmp_path):
    """The first failed step decides; an interrupted run is 130."""
    record = start(Runs(tmp_path), "failed")
    record.steps[0].exit_status = 3
    assert record.exit_status == 3
    record.status = "interrupted"
    assert record.exit_status == 130


def test_a_name_never_leaves_the_folder(tmp_path):
    """A pipeline's name cannot choose where its record lies."""
    record = Runs(tmp_path).create(RunRequest("../../x/é", "", {}), [])
    assert record.folder.parent == tmp_path / "runs"
