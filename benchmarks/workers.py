"""Two workers against one: the chain of quality filters as a step of a pipeline.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.workers [megabytes, default 200]

Text of `benchmarks.corpora`, again and again up to the size. Wall time of the filter step from the record of the run, each
into an empty store, one worker and two in turn, median of three. The load of the machine is printed beside it, because
with more processes than cores the ratio says nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.corpora import both

PIPELINE = """workbench: 1
name: workers
seed: 1
steps:
  raw: {use: source/jsonl, with: {paths: [documents.jsonl]}}
  kept:
    use: filter/chain
    inputs: raw
    run: {workers: WORKERS}
    with: {filters: [{use: filter/gopher-quality}, {use: filter/gopher-repetition}, {use: filter/c4}, {use: filter/fineweb}]}
"""


def seconds(folder: Path, workers: int, limit: int) -> float:
    """Return the wall time of the filter step; `limit` is a setting that makes it a new step."""
    (folder / "pipeline.yaml").write_text(PIPELINE.replace("WORKERS", str(workers)))
    setting = f"kept.with.filters.0.with.stop_words=[the, word{limit}]"
    command = [sys.executable, "-m", "workbench", "run", "pipeline.yaml", "--json", "-s", setting]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return float(next(step["seconds"] for step in json.loads(done.stdout)["steps"] if step["name"] == "kept"))


def main() -> None:
    """Print the medians and their ratio."""
    wanted = float(sys.argv[1]) * 1e6 if len(sys.argv) > 1 else 200e6
    texts = [text for frame in both().values() for text in frame["text"]]
    with tempfile.TemporaryDirectory() as name:
        folder, size = Path(name), 0
        with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
            for number in count():
                text = texts[number % len(texts)]
                file.write(json.dumps({"text": text, "number": number}, ensure_ascii=False) + "\n")
                size += len(text.encode())
                if size >= wanted:
                    break
        seconds(folder, 1, 0)  # reads the documents and compiles
        times: dict[int, list[float]] = {1: [], 2: []}
        for limit in range(1, 4):
            for workers, measured in times.items():
                measured.append(seconds(folder, workers, 10 * limit + workers))
        one, two = median(times[1]), median(times[2])
        print(f"{size / 1e6:.0f} MB: one worker {one:.2f} s, two {two:.2f} s, ratio {one / two:.2f}")
        print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
