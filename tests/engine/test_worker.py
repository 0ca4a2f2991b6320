"""Rules of the worker process: whatever a component does, the run goes on and says which step it was."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder for the runs of this module."""
    return tmp_path_factory.mktemp("store")


def misbehave(*hows: str) -> str:
    return "\n".join(f"{how}: {{use: corpus/misbehave, with: {{how: {how}}}}}" for how in hows)


def test_bad_endings_name_the_step(parts, store):
    """`sys.exit`, a hard exit and a kill fail the step with one clear message; the next step gets a new worker."""
    record = parts.run(store, misbehave("exit", "os_exit", "die", "print"))
    log = record.folder / "logs"
    assert record.step("exit").error == [
        "step exit: the component called sys.exit(3)",
        f"  do: see {log}/exit.log",
    ]
    assert record.step("os_exit").error == [
        "step os_exit: the worker died (exit status 7) while it ran corpus/misbehave",
        f"  do: see {log}/os_exit.log",
    ]
    assert record.step("die").error == [
        "step die: the worker died (signal 9; out of memory?) while it ran corpus/misbehave",
        "  last line: last words \\x1b[31m",
        f"  do: see {log}/die.log",
    ]
    assert record.step("print").status == "ran"


def test_printing_goes_to_the_log(parts, store, capfd):
    """What a component prints, from Python or from C, lands in the step's log and nowhere else."""
    record = parts.run(store, "p: {use: corpus/misbehave, with: {how: print, value: 1}}")
    assert record.log("p").read_text() == "said by Python \x1b[31m\nsaid by C\nan error line\n"
    assert capfd.readouterr() == ("", "")


def test_printing_inline(parts, store, capfd):
    """In this process printing goes to the log too, while observers still reach standard output."""
    observers = [lambda event: sys.stdout.write(event["event"] + "\n")]
    record = parts.run(store, "p: {use: corpus/misbehave, with: {how: pid}}", executor="inline", observers=observers)
    assert record.log("p").read_text() == ""
    assert "step-log" in capfd.readouterr().out.split()


def test_the_worker_stays_warm_while_that_is_safe(parts, store):
    """Steps share one worker; one that leaves a thread running does not pass its worker on."""
    said = []
    steps = "\n".join(f"p{n}: {{use: corpus/misbehave, with: {{how: pid, value: {n}}}}}" for n in (1, 2))
    steps += (
        "\nt: {use: corpus/misbehave, with: {how: thread}}\np3: {use: corpus/misbehave, with: {how: pid, value: 3}}"
    )
    parts.run(store, steps, observers=[lambda e: said.append(e["message"]) if e["event"] == "step-log" else None])
    first, second, third = said
    assert first == second != third
    assert str(os.getpid()) not in said


def test_peak_memory_is_of_the_step(parts, store):
    """A step's peak counts what it held at most, and the step after it starts anew."""
    steps = "m: {use: corpus/misbehave, with: {how: memory}}\np: {use: corpus/misbehave, with: {how: print, value: 2}}"
    record = parts.run(store, steps)
    assert record.step("m").peak_bytes > 200 << 20
    assert record.step("p").peak_bytes < 150 << 20


def test_disk_full_in_a_step(parts, store):
    """A full disk is one clear line and exit status 3."""
    record = parts.run(store, misbehave("disk_full"))
    assert record.step("disk_full").error == ["step disk_full: the disk is full", "  do: free some space, run again"]
    assert record.exit_status == 3


def test_no_worker_outlives_the_run(parts, store):
    """When the run is over, its worker is gone."""
    said = []
    parts.run(
        store,
        "p: {use: corpus/misbehave, with: {how: pid, value: 9}}",
        observers=[lambda e: said.append(e.get("message")) if e["event"] == "step-log" else None],
    )
    end = time.monotonic() + 5
    while Path(f"/proc/{said[0]}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{said[0]}").exists()
