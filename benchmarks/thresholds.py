"""Another threshold over 100,000 filtered documents, as a run of a pipeline: what is run again, and for how long.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.thresholds [documents, default 100,000]

English and Chinese of `benchmarks.corpora` cut into documents of about 700 bytes at their lines, read and judged by
Gopher quality, Gopher repetition, C4 and FineWeb; then the same file with `min_words` at 60 instead of 50. Beside the
rerun with stored signals stands one into an empty store, which is what a filter without them has to do. Wall time of
the step (from the record of the run) and of the whole command, and the CPU time of the command with its workers, as
medians over three thresholds. On a busy machine only the CPU time says anything.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.corpora import both
from benchmarks.effort import load, run

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
        first = run(folder)
        print(f"{wanted:,} documents, {size / 1e6:.0f} MB; {load()}")
        for label, stores in (("stored signals", ["store"] * 3), ("empty store", ["one", "two", "three"])):
            efforts = [
                run(folder, f"kept.with.filters.0.with.min_words={limit}", store=store)
                for limit, store in zip((60, 70, 80), stores, strict=True)
            ]
            step = median(effort.seconds("kept") for effort in efforts)
            wall, cpu = median(effort.wall for effort in efforts), median(effort.cpu for effort in efforts)
            print(f"{label:16} step {step:.2f} s, command {wall:.2f} s, CPU {cpu:.2f} s", flush=True)
        seconds = {name: round(first.seconds(name), 2) for name in ("raw", "kept")}
        print(f"the first run: {seconds}, whole command {first.wall:.2f} s, CPU {first.cpu:.2f} s; {load()}")


if __name__ == "__main__":
    main()
