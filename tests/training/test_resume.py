"""Training that was stopped goes on with the same bits: killed, interrupted, or with a damaged checkpoint."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.artifacts import Tokens
from workbench.contracts.context import Context
from workbench.errors import Interrupted
from workbench.training import reporting

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from train_once import EVERYTHING, STEPS, context, pretraining  # noqa: E402  # the same file runs as a process of its own


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tokens: Tokens) -> dict[str, str]:
    ctx = context(tmp_path_factory.mktemp("undisturbed"), tokens)
    pretraining(seconds=1e9).run(ctx)
    return digests(ctx.output)


def stop_after(ctx: Context, step: int, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Let the user ask for a stop once `step` is done."""
    seen: list[int] = []
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN", 0.0)
    ctx.emit = lambda event, fields: seen.append(fields["done"]) if event == "step-progress" else None
    ctx.is_cancelled = lambda: bool(seen) and seen[-1] >= step
    return ctx


def logged(ctx: Context) -> list[str]:
    lines: list[str] = []

    def emit(event, fields):
        if event == "step-log" and not fields["message"].startswith("compile is "):
            lines.append(fields["message"])

    ctx.emit = emit
    return lines


def test_training_twice_gives_the_same_bytes(tmp_path, tokens, undisturbed):
    ctx = context(tmp_path, tokens)
    pretraining(seconds=1e9).run(ctx)
    assert digests(ctx.output) == undisturbed


def test_killed_training_goes_on_with_the_same_bytes(tmp_path, tokens, undisturbed):
    """kill -9 at some moment after the third checkpoint; checkpoints are written all the time."""
    command = [sys.executable, str(HERE / "train_once.py"), str(tokens.path), str(tmp_path)]
    child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("partial/step-0000000[3-9].json")):
        assert child.poll() is None, "the child ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (tmp_path / "output" / "model.safetensors").exists()
    ctx = context(tmp_path, tokens)
    lines = logged(ctx)
    pretraining().run(ctx)
    assert lines[0].startswith("going on after step ")
    assert digests(ctx.output) == undisturbed


@pytest.mark.parametrize("step", [1, 7, STEPS - 1])
def test_interrupted_training_goes_on_with_the_same_bytes(tmp_path, tokens, undisturbed, monkeypatch, step):
    """A stop saves a checkpoint, whatever the time since the last one."""
    with pytest.raises(Interrupted):
        pretraining(seconds=1e9).run(stop_after(context(tmp_path, tokens), step, monkeypatch))
    ctx = context(tmp_path, tokens)
    lines = logged(ctx)
    pretraining(seconds=1e9).run(ctx)
    assert lines == [f"going on after step {step}"]
    assert digests(ctx.output) == undisturbed


@pytest.mark.parametrize("step", [9, STEPS - 1])
def test_everything_that_has_a_state_goes_on_with_the_same_bytes(tmp_path, tokens, monkeypatch, step):
    """Muon beside AdamW, averaged weights, the best weights so far, micro-batches; in the first epoch and the second."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    pretraining(seconds=1e9, **EVERYTHING).run(context(whole, tokens))
    with pytest.raises(Interrupted):
        pretraining(seconds=1e9, **EVERYTHING).run(stop_after(context(broken, tokens), step, monkeypatch))
    ctx = context(broken, tokens)
    lines = logged(ctx)
    pretraining(seconds=1e9, **EVERYTHING).run(ctx)
    assert lines == [f"going on after step {step}"]
    assert digests(broken / "output") == digests(whole / "output")


def test_a_damaged_checkpoint_is_passed_over_and_said(tmp_path, tokens, undisturbed, monkeypatch):
    """One flipped bit in the newest: training goes on from the one before, with the same result."""
    with pytest.raises(Interrupted):
        pretraining().run(stop_after(context(tmp_path, tokens), 9, monkeypatch))
    newest = max((tmp_path / "partial").glob("*.safetensors"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    ctx = context(tmp_path, tokens)
    lines = logged(ctx)
    pretraining().run(ctx)
    assert lines[0] == "the checkpoint of step 9 is damaged: going back to the one before it"
    assert lines[1] == "going on after step 8"
    assert digests(ctx.output) == undisturbed


def test_a_model_that_was_not_stored_is_finished_without_training_again(tmp_path, tokens, undisturbed):
    """Killed between the last step and the store's commit: the checkpoints are still there."""
    pretraining().run(context(tmp_path, tokens))
    ctx = context(tmp_path, tokens)
    lines = logged(ctx)
    pretraining().run(ctx)
    assert lines == [f"going on after step {STEPS - 1}"]
    assert digests(ctx.output) == undisturbed


def test_another_number_of_threads_is_said(tmp_path, tokens, monkeypatch):
    with pytest.raises(Interrupted):
        pretraining().run(stop_after(context(tmp_path, tokens), STEPS - 1, monkeypatch))
    ctx = context(tmp_path, tokens)
    ctx.threads = 2
    lines = logged(ctx)
    pretraining().run(ctx)
    assert lines[1] == "threads changed since then: last digits may differ from a run in one piece"
