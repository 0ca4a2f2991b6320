"""Cost and recall of `exact-dedup` and `minhash-dedup`.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.deduplication

Text of `benchmarks.corpora`; the pairs of the recall table are made up. `sketch` is MB of UTF-8 per second of CPU time of
this process, best of three; `resolve` is microseconds of CPU time for each document. The recall table counts pairs by
their true Jaccard similarity over five words (or characters) in a row. For scale, on one core (November 2026):
datatrove 14x8 0.27 MB/s with recall .870 .993 .999; text-dedup 25x10 0.85 MB/s with .961 1 1.
"""

import os
import random
import time

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
from workbench_plugins.filters.exact_dedup import ExactDedup
from workbench_plugins.filters.minhash_dedup import MinHashDedup

from benchmarks.corpora import both

PAIRS = 400
ENGLISH = [f"{head}{tail}" for head in ("ba", "de", "gi", "ko", "lu", "ma", "ne", "po") for tail in range(400)]
CHINESE = [chr(point) for point in range(0x4E00, 0x4E00 + 2500)]


def cost(name: str, batch: pl.DataFrame) -> None:
    """Print a line for each filter over one batch."""
    size = batch["text"].str.len_bytes().sum() / 1e6
    for component in (ExactDedup(), MinHashDedup()):
        sketching, resolving = [], []
        for _ in range(4):  # the first run compiles and is not the best
            start = time.process_time()
            sketches = component.sketch(batch)
            middle = time.process_time()
            component.resolve(sketches.lazy())
            sketching.append(middle - start)
            resolving.append(time.process_time() - middle)
        each = min(resolving) / len(batch) * 1e6
        print(f"{name:10} {type(component).__name__:14} {size / min(sketching):9.1f} {each:12.1f}")


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    """Return all runs of five words."""
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


def known_pairs(vocabulary: list[str]) -> dict[int, list[tuple[list[str], list[str]]]]:
    """Return pairs of word lists by tenths of their true Jaccard similarity."""
    chance = random.Random(1)
    buckets: dict[int, list[tuple[list[str], list[str]]]] = {tenth: [] for tenth in (5, 6, 7, 8, 9)}
    while min(map(len, buckets.values())) < PAIRS:
        one = chance.choices(vocabulary, k=chance.randint(60, 400))
        other = list(one)
        for _ in range(max(1, int(len(one) * chance.random() * 0.07))):
            other[chance.randrange(len(other))] = chance.choice(vocabulary)
        similarity = len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))
        bucket = buckets.get(int(similarity * 10))
        if bucket is not None and len(bucket) < PAIRS and similarity < 1:
            bucket.append((one, other))
    return buckets


def recall(name: str, vocabulary: list[str], joint: str) -> None:
    """Print the share of pairs found in each bucket, for some settings."""
    buckets = known_pairs(vocabulary)
    for component in (MinHashDedup(), MinHashDedup(rows=8), MinHashDedup(threshold=0.75), MinHashDedup(threshold=0.7)):
        shares = []
        for pairs in buckets.values():
            texts = [joint.join(words) for pair in pairs for words in pair]
            batch = pl.DataFrame({"id": [f"{number:05}" for number in range(len(texts))], "text": texts})
            shares.append(len(component.resolve(component.sketch(batch).lazy())) / len(pairs))
        bands, rows = component.bands_and_rows()
        print(f"{name:10} {component.threshold:9} {f'{bands}x{rows}':>8}", *(f"{share:7.3f}" for share in shares))


if __name__ == "__main__":
    print(f"{'text':10} {'filter':14} {'sketch':>9} {'resolve':>12}")
    for sample, frame in both().items():
        cost(sample, frame)
    print(
        f"\n{'recall':10} {'threshold':>9} {'bands':>8} {'.5-.6':>7} {'.6-.7':>7} {'.7-.8':>7} {'.8-.9':>7} {'.9-1':>7}"
    )
    recall("english", ENGLISH, " ")
    recall("chinese", CHINESE, "")
