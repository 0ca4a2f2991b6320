"""Another threshold over 100,000 filtered documents, as a run of a pipeline: what is run again, and for how long.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.thresholds [documents, default 100,000]

English and Chinese of `benchmarks.corpora` cut into documents of about 700 bytes at their lines, read and judged by
Gopher quality, Gopher repetition, C4 and FineWeb; then the same file with `min_words` at 60 instead of 50. Beside the
rerun with stored signals stands one into an empty store, which is what a filter without them has to do. Wall time of
the step (from the record of the run) and of the whole command, and the CPU time of the command with its workers, as
medians over three thresholds. On a busy machine only the CPU time says anything.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpora import both

BYTES = 700
PIPELINE = """workbench: 1
name: thresholds
seed: 1
steps:
  raw: {use: source/jsonl, with: {paths: [documents.jsonl]}}
  kept:
    use: filter/chain
    inputs: raw
    with:
      filters:
        - {use: filter/gopher-quality, with: {min_words: 50}}
        - {use: filter/gopher-repetition}
        - {use: filter/c4}
        - {use: filter/fineweb}
"""


def documents(wanted: int) -> Iterator[str]:
    """Yield so many texts of about `BYTES` bytes, from the languages in turn; from the beginning again when all are used."""
    pools = [frame["text"].to_list() for frame in both().values()]
    number = place = 0
    while number < wanted:
        for pool in pools:
            size, lines = 0, []
            for line in pool[place % len(pool)].splitlines():
                lines.append(line)
                size += len(line.encode())
                if size >= BYTES:
                    yield "\n".join(lines)
                    number, size, lines = number + 1, 0, []
            if lines:
                yield "\n".join(lines)
                number += 1
        place += 1


def run(folder: Path, store: str, *settings: str) -> dict[str, Any]:
    """Run the pipeline and return its report, with the seconds of the whole command under `command`."""
    start, spent = time.perf_counter(), children_seconds()
    command = [sys.executable, "-m", "workbench", "run", "pipeline.yaml", "--json", "--store", store, *settings]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return {**report, "command": time.perf_counter() - start, "cpu": children_seconds() - spent}


def children_seconds() -> float:
    """Return the CPU seconds of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the seconds of the step and of the whole command, with and without stored signals."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = 0
        with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
            for number, text in zip(range(wanted), documents(wanted), strict=False):
                file.write(json.dumps({"text": text, "number": number}, ensure_ascii=False) + "\n")
                size += len(text.encode())
        (folder / "pipeline.yaml").write_text(PIPELINE)
        first = run(folder, "store")
        print(f"{wanted:,} documents, {size / 1e6:.0f} MB")
        for label, stores in (("stored signals", ["store"] * 3), ("empty store", ["one", "two", "three"])):
            steps, commands, spent = [], [], []
            for limit, store in zip((60, 70, 80), stores, strict=True):
                report = run(folder, store, "-s", f"kept.with.filters.0.with.min_words={limit}")
                steps.append(next(step["seconds"] for step in report["steps"] if step["name"] == "kept"))
                commands.append(report["command"])
                spent.append(report["cpu"])
            print(
                f"{label:16} step {median(steps):.2f} s, command {median(commands):.2f} s, CPU {median(spent):.2f} s",
                flush=True,
            )
        seconds = {step["name"]: round(step["seconds"], 2) for step in first["steps"]}
        print(f"the first run: {seconds}, whole command {first['command']:.2f} s")


if __name__ == "__main__":
    main()
