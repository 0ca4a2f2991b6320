"""Kill training with -9, at random steps and in the middle of saves, start it again, and compare every bit at the end.

    python -m benchmarks.resume [--kills 20] [--saves 5] [--processes 1 2]

A small Llama with dropout learns with Muon and AdamW, an average of its weights, three micro-batches and the best weights
so far, and saves after every step. Each trial starts it, kills all its processes (or, with two, one of them first), starts
it again to the end, and compares with an undisturbed run: the loss of every step, the final weights, and every tensor of
the last checkpoint, moments of both optimizers among them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = 40
POLL_SECONDS = 0.002


def child(folder: Path, rank: int, size: int) -> None:
    """Train as one of `size` processes, from the last checkpoint on; process 0 writes what came out."""
    import numpy as np
    from workbench_plugins.objectives.causal import Causal

    from benchmarks.training import Rows, make_model
    from workbench.contracts.context import Context
    from workbench.training.loop import Job, train
    from workbench.training.settings import Optimizer

    meeting = folder / f"meeting-{os.environ['ATTEMPT']}"
    meeting.mkdir(exist_ok=True)
    ctx = Context("base", "train/pretrain", 1, folder, folder, meeting, folder / "partial", device="cpu")
    ctx.rank, ctx.processes = rank, size
    ctx.partial.mkdir(exist_ok=True)
    rows = Rows(96, 64, 512)
    model = make_model(2, 64, rows, ctx, dropout=0.1)
    job = Job(
        model=model,
        objective=Causal(),
        tuning=None,
        train=rows,
        valid=rows,
        vocab=rows.vocab,
        optimizer=Optimizer(method="muon", average=0.95),
        num_steps=STEPS,
        batch_size=9,
        accumulate=3,
        eval_every=8,
        eval_rows=16,
        precision="float32",
        checkpoint_seconds=0.0,
        keep="best",
    )
    curve = train(job, ctx).array()
    if rank == 0:
        weights = b"".join(np.ascontiguousarray(tensor.numpy()).tobytes() for tensor in model.state_dict().values())
        found = {"losses": curve.tobytes(), "weights": weights, "last checkpoint": last_checkpoint(ctx.partial)}
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
        (folder / "done.json").write_text(json.dumps(digests))


def last_checkpoint(partial: Path) -> bytes:
    """Return every tensor of the last checkpoint."""
    from safetensors.numpy import load_file

    newest = max(partial.glob("step-*.safetensors"))
    tensors = load_file(newest)
    return newest.name.encode() + b"".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))


def start(folder: Path, size: int, attempt: int) -> list[subprocess.Popen[bytes]]:
    """Start all processes of one training."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "ATTEMPT": str(attempt), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "benchmarks.resume", "--child", str(folder)]
    return [subprocess.Popen([*command, str(rank), str(size)], env=env) for rank in range(size)]


def finish(folder: Path, size: int, attempt: int) -> dict[str, str]:
    """Train to the end and return the digests of what came out."""
    endings = [process.wait() for process in start(folder, size, attempt)]
    if any(endings):
        sys.exit("training failed")
    found: dict[str, str] = json.loads((folder / "done.json").read_text())
    return found


def kill(processes: list[subprocess.Popen[bytes]], first: int) -> None:
    """Kill process `first` with -9, then the others."""
    for process in processes[first:] + processes[:first]:
        process.send_signal(signal.SIGKILL)
    for process in processes:
        process.wait()


def steps_done(folder: Path) -> int:
    """Return the step of the newest checkpoint."""
    return max((int(card.stem[5:]) for card in folder.glob("partial/step-*.json")), default=0)


def strike(folder: Path, size: int, moments: random.Random, *, in_a_save: bool) -> str:
    """Start training and kill it once; return where that was."""
    processes = start(folder, size, 0)
    after = moments.randrange(1, STEPS - 2)
    while steps_done(folder) < after:
        if any(process.poll() is not None for process in processes):
            sys.exit("training ended before it could be killed")
        time.sleep(POLL_SECONDS)
    if in_a_save:
        while not list(folder.glob("partial/.step-*.tmp")):
            time.sleep(POLL_SECONDS / 10)
    else:
        time.sleep(moments.uniform(0, 0.2))
    first = moments.randrange(size)
    kill(processes, first)
    halves = len(list(folder.glob("partial/.step-*.tmp")))
    return f"after step {steps_done(folder):2}, process {first} first{', half a checkpoint left' if halves else ''}"


def trials(size: int, kills: int, saves: int) -> tuple[int, int]:
    """Return how many of how many trials ended as the undisturbed run."""
    moments = random.Random(20 + size)
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        expected = finish(whole, size, 0)
        equal = 0
        for number in range(kills + saves):
            folder = Path(scratch) / f"killed-{number}"
            folder.mkdir()
            where = strike(folder, size, moments, in_a_save=number >= kills)
            found = finish(folder, size, 1)
            differing = [name for name in expected if found[name] != expected[name]]
            equal += not differing
            kind = "save" if number >= kills else "step"
            print(f"{size} process(es), {kind} {number + 1:2}: {where}: {', '.join(differing) or 'equal'}", flush=True)
    return equal, kills + saves


def main() -> None:
    """Print one line for each trial and the verdict."""
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--saves", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    given: Any = parser.parse_args()
    results = [(size, *trials(size, given.kills, given.saves)) for size in given.processes]
    for size, equal, number in results:
        print(f"{size} process(es): {equal} of {number} equal in every bit")
    sys.exit(any(equal != number for _, equal, number in results))


if __name__ == "__main__":
    main()
