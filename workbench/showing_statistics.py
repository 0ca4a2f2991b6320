"""Numbers over the documents of a corpus, as a person sees them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.artifacts import Corpus

PLACE = r":[^:/]*$"  # `data/a.jsonl:12` is line 12 of data/a.jsonl


@dataclass(frozen=True)
class CorpusStatistics:
    """Numbers over the documents of a corpus.

    Attributes:
        documents: How many there are.
        characters: Unicode characters of all texts.
        lengths: (from, documents) of each bin; a bin ends at twice its start, the first holds the empty texts.
        sources: Source without the place in it → documents, the most frequent first.
    """

    documents: int
    characters: int
    lengths: list[tuple[int, int]]
    sources: dict[str, int]


def measure_corpus(corpus: Corpus) -> CorpusStatistics:
    """Return the statistics, shard by shard, so that memory stays that of one shard."""
    from collections import Counter

    import polars as pl

    lengths: Counter[int] = Counter()
    sources: Counter[str] = Counter()
    characters = 0
    for batch in corpus.batches(["text", "source"]):
        sizes = batch["text"].str.len_chars()
        characters += int(sizes.sum())
        bins = pl.select(
            pl.when(sizes > 0).then(2 ** (sizes.clip(lower_bound=1).log(2) + 1e-9).floor()).otherwise(0)
        ).to_series()
        lengths.update({int(start): count for start, count in bins.value_counts().iter_rows()})
        files = batch["source"].str.replace(PLACE, "").fill_null("")
        sources.update(dict(files.value_counts().iter_rows()))
    return CorpusStatistics(corpus.num_rows, characters, sorted(lengths.items()), dict(sources.most_common()))
