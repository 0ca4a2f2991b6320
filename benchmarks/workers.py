"""Two workers against one: a chain of quality filters, and deduplication, as steps of a pipeline.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.workers [megabytes, default 60]

Text of `benchmarks.corpora`, again and again up to the size. Wall time of the step from the record of the run, each into
a store of its own that holds the documents, one worker and two in turn, libraries with one thread, median of three; a
worker starts for about half a second, so a small corpus says less for two than a large one. CPU time is that of the whole
command with its processes: what two workers need more than one is lost to starting and sharing. The load of the machine
is printed beside it, because with more busy processes than cores the ratio of wall times says nothing.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.corpora import both
from benchmarks.effort import Effort, load, run

ROUNDS = 3
PIPELINE = """workbench: 1
name: workers
seed: 1
steps:
  raw: {use: source/jsonl, with: {paths: [documents.jsonl]}}
  kept: {use: STEP, inputs: raw, run: {workers: WORKERS, threads: 1}}
"""
STEPS = {
    "filter chain": "filter/chain, with: {filters: ["
    "{use: filter/gopher-quality}, {use: filter/gopher-repetition}, {use: filter/c4}, {use: filter/fineweb}]}",
    "minhash-dedup": "filter/minhash-dedup",
    "exact-dedup": "filter/exact-dedup",
}


def documents(path: Path, wanted: float) -> int:
    """Write texts up to so many bytes, each with a number so that none equals another; return how many bytes."""
    texts = [text for frame in both().values() for text in frame["text"]]
    number = size = 0
    with path.open("w", encoding="utf-8") as file:
        while size < wanted:
            text = f"{number} {texts[number % len(texts)]}"
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            number, size = number + 1, size + len(text.encode())
    return size


def effort(folder: Path, step: str, workers: int) -> Effort:
    """Run the step in a store that holds nothing but the documents."""
    (folder / "pipeline.yaml").write_text(PIPELINE.replace("STEP", step).replace("WORKERS", str(workers)))
    shutil.rmtree(folder / "store", ignore_errors=True)
    shutil.copytree(folder / "read", folder / "store")
    return run(folder)


def main() -> None:
    """Print the medians and their ratio for each step."""
    wanted = float(sys.argv[1]) * 1e6 if len(sys.argv) > 1 else 60e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = documents(folder / "documents.jsonl", wanted)
        (folder / "pipeline.yaml").write_text(PIPELINE.replace("STEP", STEPS["exact-dedup"]).replace("WORKERS", "1"))
        run(folder, store="read", until="raw")
        print(f"{size / 1e6:.0f} MB; {load()}")
        for label, step in STEPS.items():
            effort(folder, step, 1)  # compiles
            efforts: dict[int, list[Effort]] = {1: [], 2: []}
            for _ in range(ROUNDS):
                for workers, measured in efforts.items():
                    measured.append(effort(folder, step, workers))
            one, two = (median(found.seconds("kept") for found in measured) for measured in efforts.values())
            cpu, both_cpu = (median(found.cpu for found in measured) for measured in efforts.values())
            print(
                f"{label:14} one worker {one:.2f} s, two {two:.2f} s, ratio {one / two:.2f}; "
                f"CPU {cpu:.2f} s and {both_cpu:.2f} s; {load()}",
                flush=True,
            )


if __name__ == "__main__":
    main()
