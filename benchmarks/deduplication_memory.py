"""Peak memory of deduplication against the number of documents, and of a filter against the size of the corpus.

    python -m benchmarks.deduplication_memory [--long]

`deduplication`: sketches are made up as the filter makes them (ids of 24 characters, one in four a copy or
near-duplicate of another, one byte for each of 112 minima, keys of 18 bands) and written shard by shard; then a process
of its own decides over them, as the step does: `resolve`, the check, the table of groups, and what goes dealt out to the
shards. `slope` is what each further document adds, from which follows what ten million need. `filters`: a chain over a
corpus and over ten times as much. Peaks are those of the process alone (VmHWM); what importing takes is among them.
With `--long` up to four million documents, else up to half a million, where what is held in rounds still grows.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from workbench.artifacts.corpus import write_scratch, write_shard

SIZES = (125_000, 250_000, 500_000)
LONG_SIZES = (1_000_000, 2_000_000, 4_000_000)
SHARD = 8190  # documents, or lines of ten to a document
COPIES, NEAR = 0.10, 0.15  # shares of documents that equal, and that resemble, one before them
CHANGED = 0.15  # share of the minima of a near-duplicate that differ
MILLIONS = 10
CHAIN = {"filters": [{"use": "filter/unicode"}, {"use": "filter/word-count"}]}


def minhash_sketch(first: int, number: int, chance: np.random.Generator, before: np.ndarray) -> pl.DataFrame:
    """Return what `minhash-dedup` sketches of documents whose minima are drawn at random.

    Args:
        first: The number of the first document.
        number: How many there are.
        chance: Where the minima come from.
        before: The minima of documents that copies and near-duplicates are made of; the first shard fills it.
    """
    from workbench_plugins.filters.minhash_dedup import MinHashDedup, band_name, binary_rows
    from workbench_plugins.filters.minhash_kernel import summarise

    component = MinHashDedup()
    bands, rows = component.bands_and_rows()
    minima = chance.integers(0, 1 << 32, (number, component.num_permutations), dtype=np.uint32)
    kind = chance.random(number)
    if first:
        like = chance.integers(0, before.shape[0], number)
        minima[kind < COPIES] = before[like[kind < COPIES]]
        near = np.flatnonzero((kind >= COPIES) & (kind < COPIES + NEAR))
        same = chance.random((near.size, minima.shape[1])) >= CHANGED
        minima[near] = np.where(same, before[like[near]], minima[near])
    before[first % before.shape[0] : first % before.shape[0] + number] = minima
    keys = np.empty((bands, number), dtype=np.uint64)
    digests, low = np.empty(number, dtype=np.uint64), np.empty(minima.shape, dtype=np.uint8)
    summarise(minima, bands, rows, keys, digests, low)
    return pl.DataFrame(
        {
            "id": [f"{chance.integers(1 << 48):012x}{first + place:012x}" for place in range(number)],
            "length": chance.integers(100, 10_000, number).astype(np.uint32),
            "digest": digests,
            "signature": binary_rows(low),
            **{band_name(band): keys[band] for band in range(bands)},
        }
    )


def made_up(folder: Path, use: str, documents: int) -> None:
    """Write the sketches, and shards with nothing in them but ids."""
    chance = np.random.default_rng(1)
    before = np.empty((64 * SHARD, 112), dtype=np.uint32) if use == "minhash-dedup" else None
    for number, first in enumerate(range(0, documents, SHARD)):
        size = min(SHARD, documents - first)
        if before is not None:
            sketch = minhash_sketch(first, size, chance, before[: max(SHARD, min(first, 64 * SHARD))])
        else:
            sketch = digest_sketch(use, first, size, chance)
        write_scratch(folder / "sketches" / f"{number:05}.parquet", sketch)
        write_shard(folder / "shards" / f"{number:05}.parquet", sketch.select("id").unique(maintain_order=True))


def digest_sketch(use: str, first: int, number: int, chance: np.random.Generator) -> pl.DataFrame:
    """Return what `exact-dedup` sketches of documents, or `line-dedup` of as many lines, ten to a document."""
    high = chance.integers(0, 1 << 63, number).astype(np.uint64)
    again = chance.random(number) < COPIES + NEAR
    high[again] = chance.integers(0, 1 << 18, int(again.sum())).astype(np.uint64) << np.uint64(44)
    each = 1 if use == "exact-dedup" else 10
    ids = [f"{(first + place) // each:024x}" for place in range(number)]
    if use == "exact-dedup":
        return pl.DataFrame({"id": ids, "digest_high": high, "digest_low": high})
    start = (np.arange(first, first + number) % 10) * 60
    return pl.DataFrame({"id": ids, "start": start, "end": start + 60, "hash": high}).sort("hash")


def decide(folder: Path, use: str) -> None:
    """Do what a step does between sketching and writing."""
    from workbench.engine.corpus import comparing
    from workbench.testing.artifacts import small_component

    names = sorted(path.name for path in (folder / "sketches").iterdir())
    tasks = [
        {"name": name, "shard": str(folder / "shards" / name), "drops": str(folder / "d" / name)} for name in names
    ]
    comparing.decide(
        small_component(f"filter/{use}"), [str(folder / "sketches" / name) for name in names], tasks, folder
    )


def filter_corpus(folder: Path) -> None:
    """Run a chain of filters over the corpus."""
    from workbench.artifacts import Corpus
    from workbench.testing.artifacts import small_component
    from workbench.testing.trials import trial

    trial(small_component("filter/chain", **CHAIN), {"corpus": Corpus(folder / "corpus", "corpus")}, folder / "run")


def peak_of(what: str, folder: Path, use: str = "") -> int:
    """Return the most memory that a process needs for it, in bytes."""
    command = [sys.executable, "-m", "benchmarks.deduplication_memory", what, str(folder), use]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def deduplication(use: str, sizes: tuple[int, ...]) -> None:
    """Print the peaks and what follows from them."""
    peaks = []
    for documents in sizes:
        with tempfile.TemporaryDirectory() as name:
            made_up(Path(name), use, documents)
            peaks.append(peak_of("decide", Path(name), use))
        print(f"{use:16} {documents:>10,} {peaks[-1] / 1e6:>9.0f} MB", flush=True)
    slope, start = np.polyfit(sizes, peaks, 1)
    at = (start + slope * MILLIONS * 1e6) / 1e9
    print(f"{use:16} slope {slope:.0f} bytes for each; {MILLIONS} million: {at:.2f} GB", flush=True)


def filters() -> None:
    """Print the peak for a corpus and for ten times as much."""
    from benchmarks.corpora import english
    from benchmarks.repeats import corpus_of

    peaks = []
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as name:
            frame = english()
            copies = [frame.with_columns(id=pl.col("id") + f"-{copy}") for copy in range(times)]
            corpus_of(Path(name) / "corpus", pl.concat(copies))
            peaks.append(peak_of("filter", Path(name)))
        print(f"{'chain':16} {times * 22:>7} MB {peaks[-1] / 1e6:>9.0f} MB", flush=True)
    print(f"{'chain':16} ten times the corpus: {peaks[1] / peaks[0]:.2f} times the memory", flush=True)


def main() -> None:
    """Print the tables, or run one thing and print its peak."""
    if len(sys.argv) > 2:
        what, folder, use = sys.argv[1:4]
        if what == "decide":
            decide(Path(folder), use)
        else:
            filter_corpus(Path(folder))
        status = Path("/proc/self/status").read_text("utf-8")
        print(next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")))
        return
    for use in ("minhash-dedup", "exact-dedup", "line-dedup"):
        deduplication(use, LONG_SIZES if "--long" in sys.argv else SIZES)
    filters()


if __name__ == "__main__":
    main()
