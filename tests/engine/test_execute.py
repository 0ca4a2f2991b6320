"""Rules of a run: every step once, failures contained, results whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from workbench.errors import UnknownName, UsageError
from workbench.hookspecs import hookimpl
from workbench.registry import Registry
from workbench.store.objects import Store
from workbench.store.runs import Runs

CHAIN = "a: {use: corpus/write, with: {text: a}}\nb: {use: corpus/write, with: {text: b}, inputs: {before: [a]}}"


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_results_and_cache(parts, tmp_path, executor):
    """A step runs once; the second run of the same pipeline runs nothing and says where the results lie."""
    first = parts.run(tmp_path, CHAIN, executor=executor)
    second = parts.run(tmp_path, CHAIN, executor=executor)
    assert (first.status, parts.statuses(first)) == ("done", {"a": "ran", "b": "ran"})
    assert (second.status, parts.statuses(second)) == ("done", {"a": "cached", "b": "cached"})
    assert Path(second.step("b").path, "text").read_text() == "ba"
    assert first.step("b").path == second.step("b").path
    assert first.step("a").peak_bytes > 10 << 20


def test_executors_agree(parts, tmp_path):
    """Where a step runs does not change a byte of what is stored, manifest included."""
    steps = f"{CHAIN}\ns: {{use: corpus/spread, run: {{workers: 2}}}}"
    parts.run(tmp_path / "inline", steps, executor="inline")
    parts.run(tmp_path / "local", steps, executor="local")
    assert parts.contents(tmp_path / "inline") == parts.contents(tmp_path / "local")
    assert parts.contents(tmp_path / "local")


def test_nothing_depends_on_time_or_place(parts, tmp_path, monkeypatch):
    """The same pipeline in another folder, time zone and hash seed leaves the same bytes."""
    parts.run(tmp_path / "one", CHAIN)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    parts.run(tmp_path / "other" / "deeper", CHAIN)
    assert parts.contents(tmp_path / "one") == parts.contents(tmp_path / "other" / "deeper")


def test_a_cached_run_starts_no_process(parts, tmp_path, monkeypatch):
    """When everything is there, no worker is started."""
    parts.run(tmp_path, CHAIN, executor="inline")
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert parts.run(tmp_path, CHAIN).status == "done"


def test_a_failed_step_takes_along_only_what_needs_it(parts, tmp_path):
    """Steps that do not need the failed one still run; those that do are skipped, also over several steps."""
    record = parts.run(
        tmp_path,
        """bad: {use: corpus/misbehave, with: {how: fail}}
        next: {use: corpus/write, inputs: {before: [bad]}}
        last: {use: corpus/write, inputs: {before: [next]}, with: {text: y}}
        other: {use: corpus/write, with: {text: z}}""",
        executor="inline",
    )
    assert parts.statuses(record) == {"bad": "failed", "next": "skipped", "last": "skipped", "other": "ran"}
    assert (record.status, record.exit_status) == ("failed", 1)
    assert record.step("bad").error[0] == "step bad: ValueError: no such \\x1b[31m thing"
    assert "in _fail" in record.step("bad").traceback


def test_until(parts, tmp_path):
    """`until` runs the step and what it needs, and nothing else."""
    record = parts.run(tmp_path, f"{CHAIN}\nc: {{use: corpus/write}}", until="a", executor="inline")
    assert parts.statuses(record) == {"a": "ran"}
    with pytest.raises(UnknownName):
        parts.run(tmp_path, CHAIN, until="z")


def test_unknown_executor(parts, tmp_path):
    """An executor that is not there is refused before anything runs."""
    with pytest.raises(UsageError, match="unknown executor 'slurm'"):
        parts.run(tmp_path, CHAIN, executor="slurm")
    assert not (tmp_path / "runs").exists()


def test_a_class_of_this_session_runs_inline(parts, tmp_path):
    """A component that no other process could import runs here, whatever executor is asked for."""
    registry = Registry.of(parts.REFS)

    @registry.register("corpus", "here")
    class Here(parts.Write):
        """Only here."""

    record = parts.run(
        tmp_path, "h: {use: corpus/here, with: {text: '1', count: " + str(tmp_path / "n") + "}}", registry=registry
    )
    assert record.status == "done"
    assert (tmp_path / "n").read_text() == f"h {os.getpid()}\n"


def test_lock_and_previous_keys(parts, tmp_path):
    """A run's lock holds the key of every step and the digest of its result; the next plan compares with the keys."""
    record = parts.run(tmp_path, CHAIN, executor="inline")
    locked = record.lock["steps"]["a"]
    assert locked["key"] == Store(tmp_path).manifest(record.step("a").fingerprint)["key"]
    assert locked["result"].startswith("files:")
    keys = Runs(tmp_path).previous_keys("tried")
    assert {name: key["settings"]["text"] for name, key in keys.items()} == {"a": "a", "b": "b"}
    assert Runs(tmp_path).previous_keys("another") == {}


def test_events(parts, tmp_path):
    """Observers, plugins and the record get the same events in the same order; one that fails is left out once."""
    seen, told, calls = [], [], []

    class Plugin:
        @hookimpl
        def workbench_event(self, event):
            told.append(event["event"])

    def broken(event):
        calls.append(event)
        raise RuntimeError("no")

    registry = Registry.of(parts.REFS)
    registry.observe(Plugin())
    record = parts.run(tmp_path, CHAIN, observers=[broken, seen.append], registry=registry, executor="inline")
    names = [event["event"] for event in seen]
    assert [name for name in names if name != "run-log"] == [
        "run-started",
        *["step-started", "step-finished"] * 2,
        "run-finished",
    ]
    assert sorted(told) == sorted(names)
    assert len(calls) == 1
    assert sorted(event["event"] for event in record.events()) == sorted(names)
    (log,) = (event["message"] for event in seen if event["event"] == "run-log")
    assert log.endswith("broken failed and is left out: RuntimeError: no")


def test_metrics(parts, tmp_path):
    """Live measurements land in `metrics.parquet`, infinite and undefined ones too, and events stay valid JSON."""
    record = parts.run(tmp_path, "m: {use: corpus/misbehave, with: {how: metrics}}")
    frame = record.metrics("m")
    assert frame["number"].to_list() == [0, 1, 2, 3, 4]
    assert frame["loss"].to_list() == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert frame["other"].is_nan().all()

    def refuse(name):
        raise AssertionError(name)

    for line in (record.folder / "events.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)


def test_links_are_not_stored(parts, tmp_path):
    """A step that leaves a link fails: it would lead out of the store."""
    record = parts.run(tmp_path, "l: {use: corpus/misbehave, with: {how: link}}", executor="inline")
    assert record.step("l").error == ["step l: link: the step left something that is not a plain file"]
    assert list(Store(tmp_path).objects()) == []


def test_the_run_record_names_what_was_asked(parts, tmp_path):
    """The record keeps the pipeline as run, the seed, the overrides and times; nothing of it lies in an object."""
    record = parts.run(tmp_path, CHAIN, overrides=["a.with.text=a"], executor="inline")
    again = Runs(tmp_path).find("last")
    assert again == record
    assert (again.seed, again.overrides, again.name) == (1, ["a.with.text=a"], "tried")
    assert "use: corpus/write" in again.pipeline
    assert again.seconds > 0
