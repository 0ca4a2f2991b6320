"""Two workers against one: a chain of quality filters, and deduplication, as steps of a pipeline.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.workers [megabytes, default 400]

The lines of `benchmarks.corpora`, drawn into documents as long as those they come from, up to the size: no corpus at
hand is as large, and copies of a small one would be a corpus of nothing but duplicates. Every tenth document is a copy,
every fifth a copy with another line at its end. Wall time of the step from the record of the run, each into a store of
its own that holds the documents, one worker and two in turn, libraries with one thread, median of three; a worker starts
for about half a second, so a small corpus says less for two than a large one. CPU time is that of the whole command with
its processes: what two workers need more than one is lost to starting and sharing. The load of the machine is printed
beside it, because with more busy processes than cores the ratio of wall times says nothing.
"""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.corpora import both
from benchmarks.effort import Effort, load, run

ROUNDS = 3
COPY, NEAR_COPIES = 9, {3, 6}  # which of ten documents
RECENT = 1000  # documents that may be copied
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
    """Write documents up to so many bytes; return how many bytes."""
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for text in drawn():
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            size += len(text.encode())
            if size >= wanted:
                return size
    raise AssertionError("there is no end of documents")


def drawn() -> Iterator[str]:
    """Yield documents of lines drawn at random, English and Chinese in turn, without end."""
    luck = random.Random(1)
    pools = [[text.splitlines() for text in frame["text"]] for frame in both().values()]
    lines = [[line for text in pool for line in text] for pool in pools]
    recent: list[str] = []
    number = 0
    while True:
        language = number % len(pools)
        if recent and number % 10 == COPY:
            text = luck.choice(recent)
        elif recent and number % 10 in NEAR_COPIES:
            text = luck.choice(recent) + "\n" + luck.choice(lines[language])
        else:
            text = "\n".join(luck.choices(lines[language], k=len(luck.choice(pools[language]))))
            recent = [*recent[-RECENT:], text]
        yield text
        number += 1


def effort(folder: Path, step: str, workers: int) -> Effort:
    """Run the step in a store that holds nothing but the documents."""
    (folder / "pipeline.yaml").write_text(PIPELINE.replace("STEP", step).replace("WORKERS", str(workers)))
    shutil.rmtree(folder / "store", ignore_errors=True)
    shutil.copytree(folder / "read", folder / "store")
    return run(folder)


def main() -> None:
    """Print the medians and their ratio for each step."""
    wanted = float(sys.argv[1]) * 1e6 if len(sys.argv) > 1 else 400e6
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
