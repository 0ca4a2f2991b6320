"""Rules of cleaning: what a run refers to, or somebody works on, stays."""

from __future__ import annotations

import os
import shutil

from tests.store.conftest import put
from workbench.store.collect import collect, find_leftovers, measure
from workbench.store.runs import RunRequest, Runs, StepRecord


def record(store, *steps):
    runs = Runs(store.root)
    run = runs.create(RunRequest("p", "", {}), list(steps))
    runs.finish(run, "done")
    return runs


def test_what_a_run_refers_to_stays(store, fingerprint):
    """Results and signals of recorded runs stay; others go, in names a person knows; a dry look deletes nothing."""
    signals, other = "cd" * 32, "ef" * 32
    put(store, signals)
    put(store, other)
    runs = record(store, StepRecord("a", "filter/x", fingerprint, signals))
    found = find_leftovers(store, runs)
    assert [(item.kind, item.name, item.fingerprint) for item in found] == [("object", "exporter/x", other)]
    assert store.has(other)
    assert collect(store, runs) == found
    assert sorted(store.objects()) == sorted([fingerprint, signals])
    shutil.rmtree(runs.all()[0].folder)
    assert {item.fingerprint for item in collect(store, runs) if item.kind == "object"} == {fingerprint, signals}
    assert find_leftovers(store, runs) == []


def test_what_is_being_made_stays(store, fingerprint):
    """An object whose lock another process holds is left alone."""
    other = type(store)(store.root)
    with other.lock(fingerprint):
        assert collect(store, Runs(store.root)) == []
    assert [item.kind for item in collect(store, Runs(store.root))] == ["object"]


def test_leftovers_of_every_kind(store, fingerprint):
    """Old partial results, folders of dead processes, damaged objects and marks of objects that are gone all go."""
    runs = record(store, StepRecord("a", "exporter/x", fingerprint))
    old, young = store.partial("11" * 32), store.partial("22" * 32)
    os.utime(old, (0, 0))
    (store.root / "tmp" / "999999-abc-1").mkdir(parents=True)
    (store.root / "seen" / ("33" * 32)).write_text("x")
    store.folder(fingerprint).joinpath("data", "text").unlink()
    store.set_aside(fingerprint)
    put(store)
    assert sorted(item.kind for item in collect(store, runs)) == ["damaged", "mark", "partial", "tmp"]
    assert young.exists()
    assert store.has(fingerprint)


def test_measure(store, fingerprint):
    """Space is told by pipeline and step of the newest run that has it."""
    put(store, "ef" * 32)
    runs = record(store, StepRecord("a", "exporter/x", fingerprint))
    uses = {use.fingerprint: use for use in measure(store, runs) if use.kind == "object"}
    assert (uses[fingerprint].name, uses[fingerprint].runs) == ("p:a", 1)
    assert (uses["ef" * 32].name, uses["ef" * 32].runs) == ("exporter/x", 0)
    files = [file for file in store.folder(fingerprint).rglob("*") if file.is_file()]
    assert uses[fingerprint].size_bytes == sum(file.stat().st_size for file in files)
