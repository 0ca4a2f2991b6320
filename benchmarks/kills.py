"""Kill the quickstart with -9 at random moments, run it again, and compare every byte with an undisturbed run.

    python -m benchmarks.kills [NUMBER]        default 20 kills

Budgets are small (a few packages, 60 training steps), the pipeline is the quickstart's own. For each kill a fresh store
is used: start, kill at a moment drawn evenly over the length of an undisturbed run, run again to the end, compare the
digest of every object. `html-report` and everything else is included.
"""

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

ROOT = Path(__file__).parent.parent
PIPELINE = ROOT / "notebooks" / "pipelines" / "quickstart.yaml"
SMALL = {
    "raw.with.packages": "[numpy, polars, click, pluggy, jinja2, pydantic, torch]",
    "raw.with.stdlib": "false",
    "raw.with.max_per_package": "150",
    "bpe.with.vocab_size": "1000",
    "base.with.budget": "{steps: 60}",
    "base.with.architecture.with.width": "64",
    "topic.with.budget": "{steps: 30}",
    "labelled.with.top": "3",
}


def command(store: Path) -> list[str]:
    """Return the command line of one run into `store`."""
    overrides = [part for key, value in SMALL.items() for part in ("-s", f"{key}={value}")]
    return [sys.executable, "-m", "workbench", "run", str(PIPELINE), *overrides, "--store", str(store), "--json"]


def run(store: Path) -> dict[str, str]:
    """Run to the end and return step name → status."""
    done = subprocess.run(command(store), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the run failed with status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return {step["name"]: step["status"] for step in json.loads(done.stdout)["steps"]}


def digests(store: Path) -> dict[str, str]:
    """Return the digest of every file of every object."""
    objects = store / "objects"
    files = sorted(file for file in objects.rglob("*") if file.is_file())
    return {file.relative_to(objects).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def kill_after(store: Path, seconds: float) -> bool:
    """Start a run, kill its process with -9 after so many seconds; return whether it was still running."""
    with subprocess.Popen(command(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return True
    return False


def main() -> None:
    """Print one line for each kill and the verdict."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    moments = random.Random(20)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run(Path(folder) / "whole")
        length = time.perf_counter() - started
        expected = digests(Path(folder) / "whole")
        print(f"undisturbed: {length:.1f} s, {len(expected)} files")
        equal = 0
        for index in range(number):
            store = Path(folder) / f"killed-{index}"
            moment = moments.uniform(0, length)
            killed = kill_after(store, moment)
            statuses = list(run(store).values())
            found = digests(store)
            equal += found == expected
            differing = sorted({name for name, _ in set(found.items()) ^ set(expected.items())})
            verdict = f"DIFFERENT: {', '.join(differing)}" if differing else "equal"
            kept = f"{statuses.count('cached')} steps kept, {statuses.count('ran')} run again"
            print(
                f"kill {index + 1:2} at {moment:5.1f} s ({'running' if killed else 'done'}): {kept}: {verdict}",
                flush=True,
            )
        print(f"{equal} of {number} byte-identical")
        sys.exit(equal != number)


if __name__ == "__main__":
    main()
