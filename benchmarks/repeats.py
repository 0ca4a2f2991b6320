"""Cost of the filters that look for repeats, and the planted repeats they find.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.repeats

English and Chinese of `benchmarks.corpora`, 20 MB or more each. 200 passages of 50 words (or characters), in three
sentences, none of them in the text before, are planted in two documents each: as a paragraph of one line, or for
`substring-dedup` in the middle of whatever stands there. `once` is the share of passages that stand once
afterwards (for `decontaminate`, whose evaluation set they are: not at all); `cut` the share of the characters gone.
MB/s is UTF-8 per second of CPU time of one process for the whole step, reading and writing Parquet included, median of
three; `peak` the most memory that a process needed for the step and for what it had imported.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from benchmarks.corpora import both
from workbench.artifacts import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.records import DOCUMENT
from workbench.engine.corpus.writing import SHARD_BYTES, CorpusWriter
from workbench.testing.artifacts import small_component
from workbench.testing.trials import trial

PASSAGES = 200
WORDS = (17, 17, 16)  # words of the three sentences of a passage
FILTERS = {
    "line-dedup": {},
    "paragraph-dedup": {},
    "sentence-dedup": {},
    "substring-dedup": {},
    "bloom-dedup": {"unit": "paragraph", "expected_items": 1_000_000},
    "decontaminate": {},
}


def passages(texts: pl.Series, chance: random.Random, *, han: bool) -> list[str]:
    """Return passages made of words of the text, in an order in which they do not stand there."""
    if han:
        known = sorted(
            {character for text in texts.head(2000) for character in text if "\u4e00" <= character <= "\u9fff"}
        )
        joint, stop = "", "。"
    else:
        known = sorted({word for text in texts.head(300) for word in text.split() if word.isalpha() and word.isascii()})
        joint, stop = " ", ". "
    return ["".join(joint.join(chance.choices(known, k=k)) + stop for k in WORDS).strip() for _ in range(PASSAGES)]


def planted(batch: pl.DataFrame, pieces: list[str], chance: random.Random, around: str) -> pl.DataFrame:
    """Return the documents with every passage in two of them."""
    texts = batch["text"].to_list()
    for piece in pieces:
        for row in chance.sample(range(len(texts)), 2):
            at = chance.randrange(len(texts[row]) + 1)
            texts[row] = texts[row][:at] + around + piece + around + texts[row][at:]
    return batch.with_columns(pl.Series("text", texts))


def corpus_of(folder: Path, frame: pl.DataFrame) -> Corpus:
    """Write the documents in shards of the usual size."""
    frame = frame.select("id", "text", source=pl.lit("benchmark"), meta=pl.lit("{}")).cast(dict(DOCUMENT))
    sizes = frame["text"].str.len_bytes().cum_sum() // SHARD_BYTES
    writer = CorpusWriter(folder)
    shards = [writer.add(None, number, frame.filter(sizes == number)) for number in range(int(sizes.max()) + 1)]
    writer.finish(Ledger(read=frame.height, kept=frame.height), shards)
    return Corpus(folder, folder.name, step=folder.name)


def step(use: str, inputs: dict[str, Corpus | list[Corpus]], folder: Path) -> tuple[float, Corpus]:
    """Run a filter three times; return the median of its CPU seconds, and its result."""
    seconds = []
    for attempt in range(4):  # the first one compiles
        start = time.process_time()
        result = trial(small_component(f"filter/{use}", **FILTERS[use]), inputs, folder / str(attempt))
        seconds.append(time.process_time() - start)
    assert isinstance(result, Corpus)
    return statistics.median(seconds[1:]), result


def peak(use: str, folder: Path) -> str:
    """Return the peak memory of a process that runs the filter over the corpus in `folder`, in MB."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.repeats", use, str(folder)], check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def main() -> None:
    """Print the table, or with a filter and a folder of corpora the peak memory of one run."""
    if len(sys.argv) > 1:
        use, folder = sys.argv[1], Path(sys.argv[2])
        _run_once(use, folder)
        status = Path("/proc/self/status").read_text("utf-8")  # of this program alone, not of the one that started it
        print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")))
        return
    print(f"{'text':10} {'filter':16} {'documents':>10} {'MB/s':>7} {'once':>7} {'cut':>7} {'peak':>6}")
    for name, batch in both().items():
        chance = random.Random(13)
        pieces = passages(batch["text"], chance, han=name.startswith("Chinese"))
        for use in FILTERS:
            around = " " if use == "substring-dedup" else "\n\n"
            with tempfile.TemporaryDirectory() as temporary:
                _row(name, use, planted(batch, pieces, chance, around), pieces, Path(temporary))


def _row(name: str, use: str, frame: pl.DataFrame, pieces: list[str], folder: Path) -> None:
    corpus = corpus_of(folder / "corpus", frame)
    evaluation = corpus_of(folder / "evaluation", pl.DataFrame({"id": list(map(str, range(PASSAGES))), "text": pieces}))
    inputs: dict[str, Corpus | list[Corpus]] = {"corpus": corpus}
    if use == "decontaminate":
        inputs["evaluation"] = [evaluation]
    seconds, result = step(use, inputs, folder)
    left = result.scan().select("text").collect()["text"]
    whole = "\n".join(left)
    wanted = 0 if use == "decontaminate" else 1
    found = sum(whole.count(piece[:-1]) == wanted for piece in pieces) / PASSAGES
    size = frame["text"].str.len_bytes().sum() / 1e6
    gone = 1 - left.str.len_chars().sum() / frame["text"].str.len_chars().sum()
    print(
        f"{name:10} {use:16} {frame.height:10} {size / seconds:7.1f} {found:7.3f} {gone:7.3f} {peak(use, folder):>6}",
        flush=True,
    )


def _run_once(use: str, folder: Path) -> None:
    inputs: dict[str, Corpus | list[Corpus]] = {"corpus": Corpus(folder / "corpus", "corpus", step="corpus")}
    if use == "decontaminate":
        inputs["evaluation"] = [Corpus(folder / "evaluation", "evaluation", step="evaluation")]
    trial(small_component(f"filter/{use}", **FILTERS[use]), inputs, folder / "peak")


if __name__ == "__main__":
    main()
