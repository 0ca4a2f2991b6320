"""check, plan and run."""

import json

import pytest
from click.testing import CliRunner

from workbench.cli.root import root

STEPS = ["raw", "clean", "unique", "split"]
FIVE = """workbench: 1
seed: no
steps:
  raw: {use: source/jsnl, with: {paths: [data/*.jsonl]}}
  clean:
    use: filter/word-count
    inputs: raww
    with: {min_word: 3}
  split: {use: corpus/split, inputs: clean, with: {valid: 2}}
"""


def test_five_mistakes_at_once(tmp_path):
    """Every mistake is one line with its line and column; the exit status is 2 and there is no traceback."""
    file = tmp_path / "bad.yaml"
    file.write_text(FIVE)
    result = CliRunner().invoke(root, ["check", str(file)])
    places = [line.removeprefix(f"{file}:").partition(": ")[0] for line in result.stderr.splitlines()]
    assert places == ["2:7", "4:14", "7:13", "8:12", "9:59"]
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'min_words'?" in result.stderr


def test_mistakes_as_json(place):
    """`check --json` gives the errors with file, line, column and message."""
    place.file.write_text(FIVE)
    errors = place.json("check", place.file, status=2)["errors"]
    assert [(error["line"], error["column"]) for error in errors] == [(2, 7), (4, 14), (7, 13), (8, 12), (9, 59)]
    assert {error["file"] for error in errors} == {str(place.file)}


def test_right_file_has_no_errors(place):
    """A right file gives an empty list and status 0."""
    assert place.json("check", place.file) == {"errors": []}
    assert not place.store.exists()


def test_missing_file(place):
    """A file that is not there is a wrong command line, and the nearest name is told."""
    result = place.call("check", place.folder / "pipelin.yaml", status=2)
    assert "no such file; did you mean 'pipeline.yaml'?" in result.stderr


def test_plan_then_run_then_plan(place):
    """Plan names every step and why, run does exactly that, and then everything is cached."""
    plan = place.json("plan", place.file)["steps"]
    assert [(step["name"], step["status"], step["reasons"]) for step in plan] == [
        (name, "run", ["not run before"]) for name in STEPS
    ]
    answer = place.run()
    assert answer["status"] == "done"
    assert [(step["name"], step["status"]) for step in answer["steps"]] == [(name, "ran") for name in STEPS]
    assert [step["fingerprint"] for step in answer["steps"]] == [step["fingerprint"] for step in plan]
    assert all({"seconds", "peak_bytes", "path"} <= set(step) for step in answer["steps"])
    assert [step["status"] for step in place.json("plan", place.file)["steps"]] == ["cached"] * 4
    assert [step["status"] for step in place.run()["steps"]] == ["cached"] * 4
    change = ["-s", "clean.with.filters.0.with.min_words=6"]
    changed = place.json("plan", place.file, *change)["steps"]
    assert [step["status"] for step in changed] == ["cached", "run", "run", "run"]
    assert changed[1]["reasons"] == ["config min_words 5 -> 6 of filter/word-count"]
    assert [step["status"] for step in place.run(*change)["steps"]] == ["cached", "ran", "ran", "ran"]


def test_notebook(place):
    """A pipeline file becomes a notebook beside it, once; a second time it is not written over."""
    target = place.file.with_suffix(".ipynb")
    assert place.json("notebook", place.file) == {"path": str(target), "cells": 11}
    assert json.loads(target.read_text("utf-8"))["nbformat"] == 4
    assert "would be overwritten" in place.call("notebook", place.file, status=2).stderr
    shown = place.call("notebook", place.file, "--out", place.folder / "a b" / "n.py").stdout
    assert shown.endswith(f"next: workbench lab '{place.folder / 'a b'}'\n")


def test_until(place):
    """--until runs a step and what it needs."""
    assert [step["name"] for step in place.run("--until", "clean")["steps"]] == ["raw", "clean"]


def test_progress_goes_to_stderr(finished):
    """The result is on stdout, the progress on stderr."""
    result = finished.call("run", finished.file)
    assert "raw: cached" in result.stderr
    assert result.stdout.splitlines()[0].split() == ["step", "status", "time", "memory", "result"]


def test_failed_step(place):
    """A step that fails gives status 1, skips what needs it, and says why."""
    with (place.folder / "data.jsonl").open("a") as file:
        file.write("{broken\n" * 5)
    result = place.call("run", place.file, "--executor", "inline", status=1)
    assert "max_bad_share" in result.stderr
    assert "Traceback" not in result.stderr
    answer = place.run(status=1)
    assert answer["status"] == "failed"
    assert [step["status"] for step in answer["steps"]] == ["failed", "skipped", "skipped", "skipped"]


def test_locked(place):
    """--locked runs what is as in the last finished run, and names every difference otherwise."""
    nothing = place.json("run", place.file, "--locked", status=2)
    assert nothing["error"]["message"] == "there is nothing to hold the run to"
    place.run()
    assert place.run("--locked")["status"] == "done"
    assert place.run("--locked", "--until", "clean")["status"] == "done"
    refused = place.run("--locked", "-s", "clean.with.filters.0.with.min_words=6", "-s", "seed=8", status=2)
    assert "step clean: config min_words 5 -> 6 of filter/word-count" in refused["differences"]
    assert "step split: seed 7 -> 8" in refused["differences"]


def test_sweep(place):
    """A sweep is one run each; what they share runs once; the document holds every result once and each run."""
    place.file.write_text(place.file.read_text() + "sweep: {split.with.valid: [0.25, 0.5]}\n")
    plan = place.json("plan", place.file)
    assert [step["name"] for step in plan["steps"]] == [*STEPS, "split"]
    answer = place.run()
    assert [variant["label"] for variant in answer["variants"]] == ["split.with.valid=0.25", "split.with.valid=0.5"]
    statuses = [[step["status"] for step in variant["steps"]] for variant in answer["variants"]]
    assert statuses == [["ran"] * 4, ["cached", "cached", "cached", "ran"]]
    assert [(step["name"], step["status"]) for step in answer["steps"]] == [(name, "ran") for name in [*STEPS, "split"]]
    assert "split.with.valid=0.5" in place.call("run", place.file).stdout


def test_variants_are_told_apart_later(place):
    """The record of each run of a sweep says what was changed in it, by the sweep and by -s."""
    place.file.write_text(place.file.read_text() + "sweep: {split.with.valid: [0.25, 0.5]}\n")
    place.run("-s", "seed=3")
    runs = place.json("runs", "list")["runs"]
    assert [run["overrides"] for run in runs] == [["seed=3", f"split.with.valid={valid}"] for valid in (0.5, 0.25)]
    listed = place.call("runs", "list").stdout.splitlines()
    assert listed[1].endswith("seed=3; split.with.valid=0.5")
    assert "changed   split.with.valid=0.5" in place.call("show").stdout
    assert "split.with.valid=0.25" in place.call("runs", "diff", runs[1]["run"], "last").stdout


@pytest.mark.parametrize("option", [["--until", "nope"], ["--executor", "nope"], ["-s", "nope.with.x=1"]])
def test_wrong_option(place, option):
    """A name that nobody has ends with status 2 before anything runs."""
    place.call("run", place.file, *option, status=2)
    assert not list(place.store.glob("runs/*"))
