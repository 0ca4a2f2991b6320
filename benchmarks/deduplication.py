"""MinHash deduplication from corpus to corpus beside datatrove and text-dedup: cost and recall in one run.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.deduplication [MB]

English and Chinese of `benchmarks.corpora`, 20 MB or more each, with known pairs among them: documents of the text that
resemble no other, each beside a copy with words (or characters) replaced by those of other documents, 200 pairs to each
tenth of their true Jaccard similarity over five words (or characters, which is what words are in Chinese) in a row. A
pair is found when not both of it are left. MB/s is UTF-8 per second of CPU time of all processes, one core, median of
three after one that loads and compiles; reading and writing are among it, in the form that each tool writes by
default (ours Parquet, datatrove's four stages JSON Lines, text-dedup a `datasets` folder). The peers see the first MB
(default 3) of the text and all pairs, and so do we in the rows marked `same`; `whole` is all of it. Made-up Chinese has no
likes among its documents but by chance.
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
from workbench_plugins.filters.minhash_dedup import MinHashDedup

from benchmarks.corpora import both
from benchmarks.peers import python_of
from benchmarks.repeats import corpus_of
from workbench.artifacts import Corpus
from workbench.testing.trials import trial

PAIRS = 200
TENTHS = (5, 6, 7, 8, 9)
ROUNDS = 3
WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
PEER = Path(__file__).parent / "peer"
OURS = {
    "default": MinHashDedup(),
    "rows: 8": MinHashDedup(rows=8),
    "threshold: 0.7": MinHashDedup(threshold=0.7),
}

Pairs = dict[int, list[tuple[str, str]]]
Measured = tuple[float, set[str]]  # CPU seconds, ids that are left


def shingles(text: str) -> set[tuple[str, ...]]:
    """Return all runs of five words, without case; a Chinese character is a word."""
    words = WORD.findall(text.lower())
    return {tuple(words[place : place + 5]) for place in range(max(1, len(words) - 4))}


def without_likes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the documents that resemble no other, by signatures of 256 minima and a low threshold."""
    component = MinHashDedup(threshold=0.4, num_permutations=256)
    drops = component.resolve(component.sketch(frame).lazy())
    likes = pl.concat([drops["id"], drops["duplicate_of"]])
    return frame.filter(~pl.col("id").is_in(likes.implode()))


def known_pairs(frame: pl.DataFrame, *, han: bool) -> tuple[Pairs, set[str]]:
    """Return pairs of texts by tenths of their similarity, and the ids of the documents that they were made of."""
    chance = random.Random(1)
    pairs: Pairs = {tenth: [] for tenth in TENTHS}
    used: set[str] = set()
    split: Callable[[str], list[str]] = list if han else str.split
    joint = "" if han else " "
    bases = without_likes(frame).sample(fraction=1, shuffle=True, seed=1).select("id", "text").rows()
    others = [word for _, text in bases[:300] for word in split(text)]
    for name, text in bases:
        words = split(text)
        if not 80 <= len(words) <= 1500:
            continue
        changed = list(words)
        for _ in range(max(1, int(len(words) * chance.random() * 0.1))):
            changed[chance.randrange(len(words))] = chance.choice(others)
        one, other = joint.join(words), joint.join(changed)
        ours, theirs = shingles(one), shingles(other)
        bucket = pairs.get(int(len(ours & theirs) / len(ours | theirs) * 10))
        if bucket is not None and len(bucket) < PAIRS and ours != theirs:
            bucket.append((one, other))
            used.add(name)
        if all(len(bucket) == PAIRS for bucket in pairs.values()):
            return pairs, used
    raise SystemExit(
        f"there are too few documents for the pairs: { {tenth: len(found) for tenth, found in pairs.items()} }"
    )


def with_pairs(frame: pl.DataFrame, pairs: Pairs, used: set[str]) -> pl.DataFrame:
    """Return the text with both sides of every pair among it, and without the documents that they were made of."""
    rows = [
        (f"pair-{tenth}-{number:03}-{side}", text)
        for tenth, bucket in pairs.items()
        for number, pair in enumerate(bucket)
        for side, text in zip("ab", pair, strict=True)
    ]
    rest = frame.filter(~pl.col("id").is_in(list(used))).select("id", "text")
    known = pl.DataFrame(rows, schema=["id", "text"], orient="row")
    return pl.concat([rest, known]).sample(fraction=1, shuffle=True, seed=2)


def ours(component: MinHashDedup, frame: pl.DataFrame) -> Measured:
    """Run a step of ours from corpus to corpus."""
    seconds = []
    with tempfile.TemporaryDirectory() as name:
        corpus = corpus_of(Path(name) / "in", frame)
        for attempt in range(ROUNDS + 1):
            start = time.process_time()
            result = trial(component, {"corpus": corpus}, Path(name) / str(attempt))
            seconds.append(time.process_time() - start)
        assert isinstance(result, Corpus)
        left = set(result.scan().select("id").collect()["id"])
    return statistics.median(seconds[1:]), left


def peer(name: str, program: str, frame: pl.DataFrame, *arguments: str) -> Measured:
    """Run a peer in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        documents, result = Path(folder) / "documents.jsonl", Path(folder) / "result.json"
        lines = (json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in frame.iter_rows())
        documents.write_text("\n".join(lines) + "\n", "utf-8")
        command = [python_of(name), PEER / program, documents, result, *arguments, str(ROUNDS)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
        environment = {**os.environ, **threads, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        found = json.loads(result.read_text("utf-8"))
    return statistics.median(found["seconds"]), set(found["kept"])


def row(label: str, frame: pl.DataFrame, measured: Measured) -> float:
    """Print a line and return the MB per second."""
    seconds, left = measured
    size = frame["text"].str.len_bytes().sum() / 1e6
    recall = []
    for tenth in TENTHS:
        both_left = sum({f"pair-{tenth}-{number:03}-{side}" for side in "ab"} <= left for number in range(PAIRS))
        recall.append(f"{1 - both_left / PAIRS:7.3f}")
    print(f"{label:44} {size:6.1f} {frame.height - len(left):7} {size / seconds:8.2f}", *recall, flush=True)
    return size / seconds


def main() -> None:
    """Print the table."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    heads = " ".join(f"{f'.{tenth}-':>7}" for tenth in TENTHS)
    print(f"{'':44} {'MB':>6} {'dropped':>7} {'MB/s':>8} {heads}")
    for name, batch in both().items():
        pairs, used = known_pairs(batch, han=name.startswith("Chinese"))
        whole = with_pairs(batch, pairs, used)
        first = batch.filter(batch["text"].str.len_bytes().cum_sum() <= megabytes * 1e6)
        same = with_pairs(first, pairs, used)
        speeds = {label: row(f"{name}, ours, {label}, whole", whole, ours(one, whole)) for label, one in OURS.items()}
        for label, one in OURS.items():
            row(f"{name}, ours, {label}, same", same, ours(one, same))
        language = "cmn" if name.startswith("Chinese") else "eng"
        speed = row(f"{name}, datatrove 14x8, same", same, peer("datatrove", "datatrove_minhash.py", same, language))
        print(f"{name}: default {speeds['default'] / speed:.0f} times datatrove", flush=True)
        speed = row(f"{name}, text-dedup 25x10, same", same, peer("text-dedup", "text_dedup_minhash.py", same))
        print(f"{name}: threshold 0.7 {speeds['threshold: 0.7'] / speed:.0f} times text-dedup", flush=True)


if __name__ == "__main__":
    main()
