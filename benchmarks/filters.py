"""The quality filters beside datatrove's: the same decisions given the same words, and what they cost.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.filters [MB for datatrove's own tokenizer, default 1.5]

Text of `benchmarks.corpora`. One core each, MB of UTF-8 per second of CPU time, median of three. `like for like`: both
take `str.split()` for words, and the decisions over all documents are compared. `chain`: Gopher quality, Gopher
repetition, C4 and FineWeb; ours computes every statistic of every document in one pass. datatrove's chain stops at the
first rule that drops a document, so what it costs depends on what it drops: it is measured on all documents and on
those that our filters keep (`kept`), and beside it (`every`) with each of its filters on each document, as ours does.
With its own tokenizers (its default, `eng`, and the one it has for Chinese) datatrove runs on the first documents only,
which it needs minutes for.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from benchmarks.corpora import both
from benchmarks.peers import python_of
from workbench.engine.corpus.signals import measure, members_of
from workbench.engine.corpus.verdicts import judge
from workbench.registry import shared_registry

PEER = Path(__file__).parent / "peer" / "datatrove_filters.py"
SAME_WORDS = ("gopher-quality", "gopher-repetition", "c4", "fineweb")
CHAIN = ("gopher-quality", "gopher-repetition", "c4", "fineweb")


def of_peer(batch: pl.DataFrame, words: str, names: Iterable[str]) -> dict[str, Any]:
    """Return datatrove's reasons and seconds by filter."""
    with tempfile.TemporaryDirectory() as folder:
        documents, result = Path(folder) / "documents.jsonl", Path(folder) / "result.json"
        batch.select("text").write_ndjson(documents)
        subprocess.run([python_of("datatrove"), PEER, documents, result, words, *names], check=True)
        answer: dict[str, Any] = json.loads(result.read_text())
    return answer


def ours(batch: pl.DataFrame, names: Iterable[str], **settings: str) -> tuple[pl.Series, float, float]:
    """Return which documents go, and the median seconds for measuring and for judging."""
    registry = shared_registry()
    filters = tuple(registry.load(f"filter/{name}")(**settings) for name in names)
    members = members_of(registry.load("filter/chain")(filters=filters))
    measure(members, batch.head(10), "warm")
    measuring, judging = [], []
    for _ in range(3):
        start = time.process_time()
        signals = measure(members, batch, "bench").signals
        middle = time.process_time()
        masks = judge(members, signals, "bench")
        measuring.append(middle - start)
        judging.append(time.process_time() - middle)
    gone = pl.select(pl.any_horizontal(*(mask.holds for mask in masks))).to_series()
    return gone, median(measuring), median(judging)


def megabytes(batch: pl.DataFrame) -> float:
    """Return the size of the text."""
    return float(batch["text"].str.len_bytes().sum()) / 1e6


def main() -> None:
    """Print both tables for each language."""
    sample_megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.5
    print(f"{'text':10} {'filter':32} {'documents':>9} {'differ':>7} {'datatrove':>10} {'ours':>8} {'ratio':>7}")
    for language, batch in both().items():
        size = megabytes(batch)
        peer = of_peer(batch, "split", SAME_WORDS)
        for name in SAME_WORDS:
            gone, seconds, _ = ours(batch, [name], words="spaces")
            theirs = pl.Series([reason is not None for reason in peer[name]["reasons"]])
            row(
                language,
                f"{name}, like for like",
                batch,
                (gone != theirs).sum(),
                size / median(peer[name]["seconds"]),
                size / seconds,
            )
        split = of_peer(batch, "split", ("chain", "every"))
        gone, seconds, judging = ours(batch, CHAIN, words="spaces")
        for way in ("chain", "every"):
            row(language, f"{way}, like for like", batch, None, size / median(split[way]["seconds"]), size / seconds)
        print(f"{'':10} judging by other thresholds: {judging * 1e3:.0f} ms for {len(batch):,} documents")
        gone, seconds, _ = ours(batch, CHAIN)
        own_rates = {"": size / seconds, ", kept": rate_of_kept(batch.filter(~gone))}
        tokenizers = {
            "its default": "eng",
            **({"its Chinese one": "cmn_Hani"} if language.startswith("Chinese") else {}),
        }
        for (which, documents), (tokenizer, code) in product(
            (("", batch), (", kept", batch.filter(~gone))), tokenizers.items()
        ):
            small = documents.filter(pl.col("text").str.len_bytes().cum_sum() <= sample_megabytes * 1e6)
            slow = of_peer(small, code, ("chain", "every"))
            for way in ("chain", "every"):
                rate = megabytes(small) / median(slow[way]["seconds"])
                row(language, f"{way}{which}, {tokenizer}", documents, None, rate, own_rates[which])


def rate_of_kept(batch: pl.DataFrame) -> float:
    """Return MB per second of the whole chain."""
    return megabytes(batch) / ours(batch, CHAIN)[1]


def row(language: str, name: str, batch: pl.DataFrame, differ: int | None, peer: float, own: float) -> None:
    """Print one line of the table."""
    shown = "" if differ is None else str(differ)
    print(
        f"{language:10} {name:32} {len(batch):>9,} {shown:>7} {peer:>10.2f} {own:>8.1f} {own / peer:>6.1f}x", flush=True
    )


if __name__ == "__main__":
    main()
