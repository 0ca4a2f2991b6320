"""Kills, Ctrl-C, several processes on one store, damage: the store stays right and work is not done twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.showing import describe_run
from workbench.store.objects import Store
from workbench.store.runs import Runs


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def steps(root: Path, seconds: float) -> str:
    """Two steps that take their time and note that they ran."""
    count = root / "count"
    return "\n".join(
        f"{name}: {{use: corpus/write, inputs: {{{inputs}}}, with: {{text: {name}, count: {count}, seconds: {seconds}}}}}"
        for name, inputs in (("a", ""), ("b", "before: [a]"))
    )


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a dead one that nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def noted(root: Path) -> list[tuple[str, int]]:
    """Return (step, process) of every time a step ran."""
    path = root / "count"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(name, int(pid)) for name, pid in (line.split() for line in lines)]


@pytest.mark.parametrize("executor", ["local", "inline"])
def test_kill_in_a_step(parts, program, tmp_path, executor):
    """After kill -9 the worker dies too, the run reads as interrupted, finished work stays, and the bytes are right."""
    struck, calm = tmp_path / "struck", tmp_path / "calm"
    struck.mkdir()
    process = subprocess.Popen([*program, str(struck), steps(struck, 0.3), executor])
    wait_for(lambda: [name for name, _ in noted(struck)] == ["a", "b"])
    assert Runs(struck).find("last").status == "running"
    process.kill()
    process.wait()
    wait_for(lambda: not is_alive(noted(struck)[-1][1]), 5)
    assert Runs(struck).find("last").status == "interrupted"
    record = parts.run(struck, steps(struck, 0.3), executor="inline")
    assert parts.statuses(record) == {"a": "cached", "b": "ran"}
    assert list((struck / "tmp").iterdir()) == []
    calm.mkdir()
    parts.run(calm, steps(struck, 0.3), executor="inline")
    assert parts.contents(struck) == parts.contents(calm)


def test_eight_processes_one_key(parts, program, tmp_path):
    """Of eight processes that want the same results exactly one computes each; the others wait and take them."""
    command = [*program, str(tmp_path), steps(tmp_path, 0.2), "inline"]
    processes = [subprocess.Popen(command) for _ in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    assert sorted(name for name, _ in noted(tmp_path)) == ["a", "b"]
    assert {run.status for run in Runs(tmp_path).all()} == {"done"}


def test_a_killed_maker_is_replaced(parts, program, tmp_path):
    """Who waits for another process that is killed makes the result itself, at once, and said that it waited."""
    slow = subprocess.Popen([*program, str(tmp_path), steps(tmp_path, 20), "inline"])
    wait_for(lambda: noted(tmp_path))
    killed = []

    def kill(event):
        if event["event"] == "step-log" and "another process" in event["message"]:
            slow.kill()
            slow.wait()
            killed.append(time.monotonic())
        if event["event"] == "step-progress" and len(killed) == 1:
            killed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    record = parts.run(tmp_path, steps(tmp_path, 20), executor="inline", observers=[kill])
    assert record.status == "interrupted"
    assert killed[1] - killed[0] < 5


@pytest.mark.parametrize("executor", ["local", "inline"])
def test_ctrl_c(parts, program, tmp_path, executor):
    """The first Ctrl-C stops at a safe place, in every process, with exit status 130 and a record that says so."""
    process = subprocess.Popen([*program, str(tmp_path), steps(tmp_path, 60), executor])
    wait_for(lambda: noted(tmp_path))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    wait_for(lambda: not is_alive(noted(tmp_path)[0][1]), 5)
    record = Runs(tmp_path).find("last")
    assert (record.status, parts.statuses(record)) == ("interrupted", {"a": "stopped", "b": "skipped"})
    assert record.step("a").error == [
        "step a: stopped; nothing of it is kept",
        "  do: run the same command again: it begins anew, finished steps are kept",
    ]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_step_that_keeps_its_work_says_where(parts, tmp_path):
    """Who stops a step that has a checkpoint learns where it lies and that the next run goes on from there."""

    def stop(event):
        if event["event"] == "step-started":
            folder = tmp_path / "partial" / Runs(tmp_path).find("last").step("a").fingerprint
            folder.mkdir(parents=True)
            (folder / "checkpoint").write_text("half")
        if event["event"] == "step-progress":
            os.kill(os.getpid(), signal.SIGINT)

    record = parts.run(tmp_path, steps(tmp_path, 20), executor="inline", observers=[stop])
    kept = tmp_path / "partial" / record.step("a").fingerprint
    assert (record.exit_status, parts.statuses(record)) == (130, {"a": "stopped", "b": "skipped"})
    assert record.step("a").error == [
        f"step a: stopped; what it has done is kept in {kept}",
        "  do: run the same command again: it goes on from there",
    ]


STUBBORN = "s: {use: corpus/misbehave, with: {how: stubborn}}"


@pytest.mark.parametrize("executor", ["local", "inline"])
def test_a_second_ctrl_c_ends_what_does_not_listen(parts, program, tmp_path, executor):
    """A step that never looks up is ended by the second Ctrl-C."""
    process = subprocess.Popen([*program, str(tmp_path), STUBBORN, executor], cwd=tmp_path)
    wait_for((tmp_path / "started").exists)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert process.wait(20) == 130
    record = Runs(tmp_path).find("last")
    assert (record.status, parts.statuses(record)) == ("interrupted", {"s": "stopped"})
    assert [step["status"] for step in describe_run(record)["steps"]] == ["failed"]  # the four words of `run --json`
    wait_for(lambda: not is_alive(int((tmp_path / "started").read_text())), 5)


CHAIN = "a: {use: corpus/write, with: {text: a}}\nb: {use: corpus/write, with: {text: b}, inputs: {before: [a]}}"


def spoil(path: str) -> None:
    """Change one byte of a stored text."""
    file = Path(path, "text")
    file.chmod(0o644)
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])


@pytest.mark.parametrize("damaged", ["a", "b"])
def test_a_damaged_result_is_made_again(parts, tmp_path, damaged):
    """The next run sees a changed byte of any result, sets the object aside, says so and makes it again."""
    record = parts.run(tmp_path, CHAIN, executor="inline")
    before = parts.contents(tmp_path)
    spoil(record.step(damaged).path)
    said = []
    again = parts.run(tmp_path, CHAIN, executor="inline", observers=[said.append])
    assert parts.statuses(again) == {"a": "cached", "b": "cached"} | {damaged: "ran"}
    assert parts.contents(tmp_path) == before
    assert "the stored result is damaged: text is not what was written" in [e.get("message") for e in said]
    assert len(list((tmp_path / "damaged").iterdir())) == 1


def test_damage_that_only_reading_finds(parts, tmp_path):
    """An input whose bits flipped on the disk is found when it is read, and made again before it is used."""
    record = parts.run(tmp_path, CHAIN, until="a", executor="inline")
    before = parts.contents(tmp_path)
    spoil(record.step("a").path)
    store = Store(tmp_path)
    fingerprint = record.step("a").fingerprint
    for _ in range(2):  # marks as if the file had never changed
        store._remember(fingerprint, store._look(fingerprint)[1])
        time.sleep(0.03)
    assert Store(tmp_path).has(fingerprint)
    again = parts.run(tmp_path, CHAIN, executor="inline")
    assert parts.statuses(again) == {"a": "ran", "b": "ran"}
    assert Path(again.step("b").path, "text").read_text() == "ba"
    assert before.items() <= parts.contents(tmp_path).items()


def test_a_full_disk(parts, program, tmp_path):
    """On a file system without room a run ends with one clear error and status 3, and works when there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"x" * (700 << 10))
        big = "a: {use: corpus/misbehave, with: {how: fill}}"
        record = parts.run(disk, big)
        assert re.fullmatch("step a: (.*: )?the disk is full", record.step("a").error[0])
        assert record.exit_status == 3
        assert list(Store(disk).objects()) == []
        filler.unlink()
        assert parts.run(disk, big).status == "done"
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # this process holds locks there
