"""runs and store."""

import gc
import json

import pytest

from workbench.session import Session


def test_list(place):
    """Runs are listed newest first; an empty store has none."""
    assert place.json("runs", "list") == {"runs": []}
    assert f"no runs yet in {place.store}" in place.call("runs", "list").stdout
    place.run("--until", "raw")
    place.run("--until", "clean")
    listed = place.json("runs", "list")["runs"]
    assert [len(run["steps"]) for run in listed] == [2, 1]
    assert listed[0]["run"] in place.call("runs", "list").stdout


def test_diff(place):
    """Two runs are compared by what was changed and what came out."""
    place.run()
    first = place.json("show", "last")["run"]
    place.run("-s", "clean.with.filters.0.with.min_words=13")
    compared = place.json("runs", "diff", first, "last")
    steps = {step["name"]: step for step in compared["steps"]}
    assert [(name, step["status"]) for name, step in steps.items()] == [
        ("raw", "same"),
        ("clean", "changed"),
        ("unique", "changed"),
        ("split", "changed"),
    ]
    assert steps["clean"]["changes"] == ["config min_words 5 -> 13 of filter/word-count"]
    assert steps["clean"]["first"]["ledger"]["rejected"] == {"too-few-words": 1}
    assert steps["clean"]["second"]["ledger"]["rejected"] == {"too-few-words": 3}
    assert compared["overrides"] == [[], ["clean.with.filters.0.with.min_words=13"]]
    assert compared["packages"] == []
    printed = place.call("runs", "diff", first, "last").stdout
    assert "ledger rejected too-few-words" in printed


def test_diff_of_a_part(place):
    """A step that only one run has is named as such."""
    place.run("--until", "raw")
    first = place.json("show", "last")["run"]
    place.run("--until", "clean")
    steps = place.json("runs", "diff", first, "last")["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [("raw", "same"), ("clean", "only in the second")]


def test_reproduce(place):
    """A run comes out again, bit for bit, in an empty store that is gone afterwards."""
    place.run("--until", "unique")
    before = sorted(path.name for path in place.store.glob("objects/*/*"))
    again = place.json("runs", "reproduce", "last")
    assert again["reproduced"] is True
    assert [(step["name"], step["verdict"]) for step in again["steps"]] == [
        ("raw", "bit-equal"),
        ("clean", "bit-equal"),
        ("unique", "bit-equal"),
    ]
    assert sorted(path.name for path in place.store.glob("objects/*/*")) == before
    assert len(place.json("runs", "list")["runs"]) == 1


def test_reproduce_leaves_nothing_behind(place, monkeypatch):
    """Also the digests that the other store remembered are gone with it."""
    monkeypatch.setattr("workbench.files.digest.SETTLING_NS", 0)  # a file just written is remembered as well
    place.run("--until", "raw")
    place.json("runs", "reproduce", "last")
    gc.collect()  # digests are written at the latest when their session goes away
    assert list(place.store.glob("tmp/*")) == []


def test_list_counts_what_failed(place):
    """A run that failed says so for each of its steps."""
    (place.folder / "data.jsonl").write_text("not JSON\n")
    place.call("run", place.file, status=1)
    assert "0 ran, 0 cached, 1 failed, 3 skipped" in place.call("runs", "list").stdout


@pytest.mark.parametrize("command", ["verify", "gc", "du"])
def test_a_store_that_is_none(place, command):
    """Where there is no store, the folder that was looked into is named; a file is refused."""
    assert f" in {place.store}\n" in place.call("store", command).stdout
    place.store.write_text("a file")
    assert "not a folder, so it cannot be a store" in place.call("store", command, status=2).stderr


def test_a_reproduction_that_was_stopped(place, monkeypatch):
    """Stopped by Ctrl-C it ends with 130 and gives no verdict."""
    place.run("--until", "raw")
    run = Session.run

    def stopped(session, graph, **how):
        record = run(session, graph, **how)
        record.status = "interrupted"
        return record

    monkeypatch.setattr(Session, "run", stopped)
    error = place.json("runs", "reproduce", "last", status=130)["error"]
    assert error["message"] == "the reproduction was stopped"
    assert list(place.store.glob("tmp/*")) == []


def test_reproduce_after_the_data_changed(place):
    """What does not come out again is `different`, the reason is named, and the status is 1."""
    place.run("--until", "raw")
    with (place.folder / "data.jsonl").open("a") as file:
        file.write(json.dumps({"text": "one more"}) + "\n")
    again = place.json("runs", "reproduce", "last", status=1)
    assert again["reproduced"] is False
    assert again["steps"][0]["verdict"] == "different"
    assert again["differences"] == ["step raw: file data.jsonl changed"]


def test_verify(place):
    """verify reads everything; a flipped byte is found, named by its step, set aside, and made anew by the next run."""
    place.run()
    whole = place.json("store", "verify")
    assert (whole["verified"], whole["damaged"]) == (5, [])
    shard = next(path for path in place.store.glob("objects/*/*/data/shards/*.parquet"))
    shard.chmod(0o644)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    found = place.json("store", "verify", status=3)
    assert [item["fingerprint"] for item in found["damaged"]] == [shard.parents[2].name]
    assert found["damaged"][0]["name"].startswith("small:")
    assert "ran" in [step["status"] for step in place.run()["steps"]]
    assert place.json("store", "verify")["damaged"] == []


def test_gc_and_du(place):
    """du names results by their steps; gc deletes what no run refers to, and --dry-run only says so."""
    place.run("--until", "raw")
    uses = place.json("store", "du")
    assert "small:raw" in [use["name"] for use in uses["uses"]]
    assert uses["size_bytes"] == sum(use["size_bytes"] for use in uses["uses"])
    assert place.json("store", "gc")["deleted"] == []
    for run in place.store.glob("runs/*"):
        for file in run.rglob("*"):
            if file.is_file():
                file.unlink()
    planned = place.json("store", "gc", "--dry-run")
    assert [item["name"] for item in planned["deleted"] if item["kind"] == "object"] == ["source/jsonl"]
    assert list(place.store.glob("objects/*/*"))
    assert place.json("store", "gc")["size_bytes"] == planned["size_bytes"]
    assert not list(place.store.glob("objects/*/*"))
    assert "nothing to delete" in place.call("store", "gc").stdout
