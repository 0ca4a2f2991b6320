"""R11: a document on which a process dies is found, quarantined and named; the rest of the corpus goes on."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from workbench.artifacts import Corpus
from workbench.contracts.context import Context
from workbench.core_components import CORE
from workbench.engine.corpus.mapping import shard_tasks
from workbench.engine.corpus.poison import documents_of, map_surviving
from workbench.engine.corpus.signals import measure_shard
from workbench.errors import StepError, WorkerDied
from workbench.registry import Registry
from workbench.testing.artifacts import small_component

RAW = "raw: {use: source/count, with: {num_documents: 12}}"
SPLIT = "split: {use: corpus/split, inputs: raw, with: {valid: 0.5}}"


def corpus_of(record, step):
    """Return the result of a step."""
    return Corpus(Path(record.step(step).path))


@pytest.mark.parametrize(
    "use,source,words",
    [
        ("fatal", "raw", [7]),  # one shard: the process of the step itself dies
        ("fatal", "split", [7, 8]),  # two shards: workers of the step die
        ("fatal-sketch", "raw", [12]),
    ],
    ids=["one-shard", "two-shards", "compared"],
)
def test_the_document_is_found(parts, tmp_path, use, source, words):
    """Exactly the deadly documents are quarantined, each with its id and how the worker ended; the ledger balances.

    Judging the stored signals anew brings none of them back.
    """
    steps = f"{RAW}\n{SPLIT}\nout: {{use: filter/{use}, inputs: {source}, with: {{words: {words}}}}}"
    registry = Registry.of([*parts.REFS, *CORE])
    record = parts.run(tmp_path, steps, registry=registry)
    assert record.status == "done", record.step("out").error
    corpus = corpus_of(record, "out")
    ledger = corpus.ledger
    rejected = 1 if use == "fatal" else 0
    assert (ledger.read, ledger.quarantined) == (12, len(words))
    assert ledger.kept == 12 - len(words) - rejected
    listed = pl.read_parquet(corpus.path / "quarantine" / "*.parquet").sort("place")
    assert sorted(text.count("word") for text in listed["head"]) == words
    assert set(listed["reason"]) == {"kills-the-worker"}
    assert listed["place"].str.starts_with("document ").all()
    assert listed["detail"].str.contains("signal 11", literal=True).all()
    if use == "fatal":
        judged_anew = parts.run(tmp_path, steps.replace("]}}", "], min_words: 5}}"), registry=registry)
        ledger = corpus_of(judged_anew, "out").ledger
        assert (ledger.read, ledger.kept, ledger.quarantined) == (12, 8 - len(words), len(words))


def deadly(corpora, num_documents, is_deadly):
    """Return a context whose workers die on ranges of documents, and the tasks of a corpus of one shard."""
    corpus = corpora.make({"00000": [f"text {number}" for number in range(num_documents)]})

    def mapper(_function, tasks):
        for task in tasks:
            if is_deadly(documents_of(task)["id"].to_list()):
                raise died()
            yield {"name": task["name"]}

    folder = corpora.folder / "out"
    ctx = Context("step", "filter/word-count", 1, folder, folder, folder / "scratch", folder, mapper=mapper)
    return ctx, shard_tasks(corpus, ctx)


def died():
    """Return what the pool raises."""
    death = WorkerDied("a worker died")
    death.ending = "signal 9"
    return death


def test_too_many(corpora):
    """A filter that dies on document after document fails the step."""
    ctx, tasks = deadly(corpora, 30, lambda ids: len(ids) > 0)
    with pytest.raises(
        StepError, match="workers died on more than 10 documents in filter/word-count, the last in shard"
    ):
        map_surviving(ctx, measure_shard, small_component("filter/word-count"), tasks)


def test_too_large(corpora):
    """A shard that is too much as a whole fails the step with its rows; no document is blamed."""
    ctx, tasks = deadly(corpora, 30, lambda ids: len(ids) > 20)
    with pytest.raises(StepError, match=r"on shard 00000.parquet, rows 0 to 30, but on no document of it alone"):
        map_surviving(ctx, measure_shard, small_component("filter/word-count"), tasks)
    assert not tasks[0].get("poison")
