"""Signals apart from verdicts: measured once, judged as often as thresholds move."""

from __future__ import annotations

import pytest

from workbench.store.objects import Store

STEPS = """raw: {use: source/count}
long: {use: filter/at-least, inputs: raw, with: {min_words: LEAST}}
longer: {use: filter/at-least, inputs: long, with: {min_words: 5}}"""


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_a_threshold_reruns_verdicts_only(parts, tmp_path, executor):
    """Another threshold gives another result from the very same signals; what stands below runs again."""
    first = parts.run(tmp_path, STEPS.replace("LEAST", "3"), executor=executor)
    signals = Store(tmp_path).folder(first.step("long").signals)
    made = signals.stat().st_mtime_ns
    second = parts.run(tmp_path, STEPS.replace("LEAST", "4"), executor=executor)
    assert parts.statuses(second) == {"raw": "cached", "long": "ran", "longer": "ran"}
    assert first.step("long").signals == second.step("long").signals
    assert first.step("long").fingerprint != second.step("long").fingerprint
    assert signals.stat().st_mtime_ns == made
    kept = [Store(tmp_path).artifact(run.step("long").fingerprint).num_rows for run in (first, second)]
    assert kept == [4, 3]  # of 1 to 6 words: 3, 4, 5, 6 and 4, 5, 6


def test_the_manifest_of_a_corpus(parts, tmp_path):
    """A corpus has a digest over its rows that does not know of shards; signals say that they are signals."""
    record = parts.run(tmp_path, STEPS.replace("LEAST", "5"), executor="inline")
    store = Store(tmp_path)
    long, longer = (store.manifest(record.step(name).fingerprint) for name in ("long", "longer"))
    assert long["rows_digest"] == longer["rows_digest"]
    assert long["rows_digest"] != store.manifest(record.step("raw").fingerprint)["rows_digest"]
    assert record.lock["steps"]["long"]["result"] == f"rows:{long['rows_digest']}"
    signals = store.manifest(record.step("long").signals)
    assert (signals["type"], long["type"]) == ("signals", "corpus")
    assert signals["key"]["stage"] == "signals"


def test_lost_signals_are_measured_again(parts, tmp_path):
    """Signals that were deleted or damaged come back when a verdict needs them."""
    first = parts.run(tmp_path, STEPS.replace("LEAST", "3"), executor="inline")
    store = Store(tmp_path)
    for file in store.folder(first.step("long").signals).glob("data/**/*.parquet"):
        file.unlink()
    second = parts.run(tmp_path, STEPS.replace("LEAST", "4"), executor="inline")
    assert parts.statuses(second)["long"] == "ran"
    assert Store(tmp_path).verify() == []


def test_lost_signals_come_back_without_another_threshold(parts, tmp_path):
    """A step is cached only with its signals: a notebook that moves thresholds over them could not go on otherwise."""
    first = parts.run(tmp_path, STEPS.replace("LEAST", "3"), executor="inline")
    signals = first.step("long").signals
    next(Store(tmp_path).folder(signals).glob("data/**/*.parquet")).unlink()
    second = parts.run(tmp_path, STEPS.replace("LEAST", "3"), executor="inline")
    assert parts.statuses(second) == {"raw": "cached", "long": "ran", "longer": "cached"}
    assert Store(tmp_path).has(signals)
    assert Store(tmp_path).verify() == []
