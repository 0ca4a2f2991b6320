"""What datatrove's own tokenizer changes against our segmentation: decisions of each rule that differ, and why.

    [WORKBENCH_BENCH_DATA=FOLDER] python -m benchmarks.segmentation [MB, default 0.6]

The first documents of `benchmarks.corpora`, each filter on each document. datatrove runs with its default (spaCy's
English rules) and for Chinese also with its tokenizer for Chinese; it gives the first rule that drops a document, so
beside the share of differing decisions stand, for the documents on which they differ, its first reason and ours.
"""

import os
import sys
from collections import Counter

os.environ["RUNS"] = "1"  # of the peer, whose cost is not asked for

import polars as pl

from benchmarks.corpora import both
from benchmarks.filters import SAME_WORDS, of_peer
from workbench.engine.corpus.signals import measure, members_of
from workbench.engine.corpus.verdicts import judge
from workbench.registry import shared_registry


def first_reasons(batch: pl.DataFrame, name: str) -> list[str | None]:
    """Return the first rule of our filter that holds for each document."""
    members = members_of(shared_registry().load(f"filter/{name}")())
    masks = judge(members, measure(members, batch, "bench").signals, "bench")
    columns = [pl.when(mask.holds).then(pl.lit(mask.reason)).alias(mask.reason) for mask in masks]
    return pl.select(pl.coalesce(columns)).to_series().to_list()


def main() -> None:
    """Print one line for each filter, and the most frequent pairs of reasons."""
    limit = float(sys.argv[1]) * 1e6 if len(sys.argv) > 1 else 600_000
    for language, documents in both().items():
        batch = documents.filter(pl.col("text").str.len_bytes().cum_sum() <= limit)
        for tokenizer in ("eng",) if language == "English" else ("eng", "cmn_Hani"):
            peer = of_peer(batch, tokenizer, SAME_WORDS)
            for name in SAME_WORDS:
                own = first_reasons(batch, name)
                pairs = Counter(
                    (their, our)
                    for their, our in zip(peer[name]["reasons"], own, strict=True)
                    if (their is None) != (our is None)
                )
                share = sum(pairs.values()) / len(batch)
                print(f"{language}, {tokenizer}, {name}: {share:.1%} of {len(batch)} differ", flush=True)
                for (their, our), number in pairs.most_common(5):
                    print(f"    {number:6} theirs {their or 'kept'}, ours {our or 'kept'}")


if __name__ == "__main__":
    main()
