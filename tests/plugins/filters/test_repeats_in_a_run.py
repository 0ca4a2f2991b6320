"""Filters for repeats as steps of a pipeline: through the store, with further inputs, followed by trace."""

import json
import random

import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.records import documents
from workbench.engine.corpus.writing import CorpusWriter
from workbench.session import Session
from workbench.testing.artifacts import small_component
from workbench.testing.texts import ordinary
from workbench.testing.trials import trial

PIPELINE = """workbench: 1
name: repeats
seed: 1
steps:
  raw: {use: source/jsonl, with: {paths: [data.jsonl]}}
  old: {use: source/jsonl, with: {paths: [old.jsonl]}}
  lines: {use: filter/line-dedup, inputs: raw, with: {min_characters_left: 5}}
  passages: {use: filter/substring-dedup, inputs: lines, with: {min_words: 8}}
  fresh: {use: filter/bloom-dedup, inputs: {corpus: passages, seen: [old]}, with: {expected_items: 100}}
  clean: {use: filter/decontaminate, inputs: {corpus: fresh, evaluation: [old]}, with: {ngram: 5}}
"""
NOTICE = "Subscribe to our newsletter and never miss a thing\n"


def write(path, texts):
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")


def test_trace_says_what_was_cut_and_why_a_document_went(tmp_path):
    write(
        tmp_path / "data.jsonl",
        [
            NOTICE + "The first document has a text of its own.",
            NOTICE + "春天来了，河水涨得很高。\n" + NOTICE,
            NOTICE,
            "An old document that was seen before",
            "What is the capital of the largest island? Nobody knows.",
        ],
    )
    write(
        tmp_path / "old.jsonl", ["An old  document that was seen before", "What is the capital of the largest island"]
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE, "utf-8")
    session = Session(tmp_path / "store")
    record = session.run(session.read(tmp_path / "pipeline.yaml"), executor="inline")
    assert record.status == "done", [step.error for step in record.steps]
    raw = session.artifact("last:raw").scan().collect()
    said = {}
    for name, text in raw.select("id", "text").rows():
        steps = {step.name: step for step in session.trace_document(name).steps}
        said[text] = [steps[step].summary for step in ("lines", "fresh", "clean") if step in steps]
    cut = [
        summaries[0] for text, summaries in said.items() if NOTICE in text and summaries[0].startswith("kept; edited")
    ]
    times = [summary.partition(";")[2].partition(";")[0] for summary in cut]
    assert times
    assert all(one in {" edited: line-dedup.repeated-line 1", " edited: line-dedup.repeated-line 2"} for one in times)
    assert said["An old document that was seen before"][-1] == "rejected by bloom-dedup: seen-before"
    assert said["What is the capital of the largest island? Nobody knows."][-1].startswith(
        "rejected by decontaminate: evaluation-overlap"
    )
    lines = session.artifact("last:lines")
    assert lines.ledger.edited == {"line-dedup": {"repeated-line": 3}}
    assert lines.cuts().collect().height == 3
    assert "\n".join(lines.scan().collect()["text"]).count(NOTICE) <= 1


COMPONENTS = {
    "line-dedup": {},
    "paragraph-dedup": {},
    "sentence-dedup": {"sentences": 1},
    "substring-dedup": {"min_words": 10},
    "bloom-dedup": {"expected_items": 109, "false_positives": 0.3},
    "exact-dedup": {"keep": "longest"},
    "minhash-dedup": {"threshold": 0.5, "shingle": 2},
    "url-dedup": {"url": "source", "ignore_parameters": ["n"]},
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_same_documents_in_other_shards_give_the_same(tmp_path, name):
    """Whichever shard a document stands in, and whichever comes first."""
    rows = [
        {"id": f"{n * 37 % 100:03}", "text": text, "source": f"http://a/{n % 40}?n={n}"}
        for n, text in enumerate(ordinary(100))
    ]
    rows += [{**row, "id": "x" + row["id"]} for row in rows[:9]]
    seen = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        shuffled = random.Random(seed).sample(rows, len(rows))
        writer = CorpusWriter(folder / "in")
        shards = [
            writer.add(None, n, documents([dict(row) for row in shuffled[n * 20 : n * 20 + 20]])) for n in range(6)
        ]
        writer.finish(Ledger(read=len(rows), kept=len(rows)), shards)
        component = small_component(f"filter/{name}", **COMPONENTS[name])
        result = trial(component, {"corpus": Corpus(folder / "in", "in")}, folder / "run")
        frames = (result.scan(), result.rejects(), result.cuts(), result.clusters())
        seen.append([frame.collect().sort(["id"], maintain_order=True).rows() for frame in frames])
        assert result.ledger.rejected or result.ledger.edited
    assert seen[0] == seen[1]
