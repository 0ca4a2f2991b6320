"""Filters that learn, as steps of a pipeline: inputs, lists and a chain through the store, and used again from it."""

import json

import polars as pl

from workbench.session import Session

PIPELINE = """workbench: 1
name: learned
seed: 1
steps:
  raw: {use: source/jsonl, with: {paths: [data.jsonl]}}
  labelled: {use: source/jsonl, with: {paths: [labelled.jsonl], columns: [mood]}}
  fine: {use: source/jsonl, with: {paths: [fine.jsonl]}}
  better: {use: filter/classifier-quality, inputs: {corpus: raw, good: fine, ordinary: [raw]}, with: {min_score: 0.0}}
  kind:
    use: filter/toxicity
    inputs: {corpus: better, data: labelled}
    with: {label: mood, positive: [rude], max_score: 0.7}
  clean:
    use: filter/chain
    inputs: kind
    with:
      filters:
        - {use: filter/unicode}
        - {use: filter/url-list, with: {block: [block.txt]}}
        - {use: filter/adult, with: {lists: [words.txt]}}
"""


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def files(folder):
    write(
        folder / "data.jsonl",
        [{"text": f"you are number {n} of {'fools' if n % 2 else 'friends'}", "url": "https://a.example/"} for n in range(40)]
        + [{"text": "a blocked page", "url": "https://www.Bad.example:80/x"}, {"text": "darn, 笨蛋"}, {"text": "你好，朋友"}],
    )  # fmt: skip
    write(folder / "fine.jsonl", [{"text": f"a fine text about {n} rivers"} for n in range(40)])
    pairs = [("rude", "you fools are number"), ("nice", "my friends are number")] * 40
    write(folder / "labelled.jsonl", [{"text": f"{text} {n}", "mood": mood} for n, (mood, text) in enumerate(pairs)])
    (folder / "block.txt").write_text("bad.example\n")
    (folder / "words.txt").write_text("darn\n")
    (folder / "pipeline.yaml").write_text(PIPELINE, "utf-8")


def statuses(session, folder, **how):
    record = session.run(session.read(folder / "pipeline.yaml"), executor="inline", **how)
    assert record.status == "done", [step.error for step in record.steps]
    return {step.name: step.status for step in record.steps}


def test_learned_filters_in_a_pipeline(tmp_path):
    """A lone reference fills an input that takes many; a changed list reruns the step that names it, and no other."""
    files(tmp_path)
    session = Session(tmp_path / "store")
    assert set(statuses(session, tmp_path).values()) == {"ran"}
    assert session.artifact("last:kind").ledger.rejected["toxic"] == 20
    clean = session.artifact("last:clean")
    assert clean.ledger.rejected == {"url-blocked": 1, "adult-words": 1}
    assert max(clean.scan().collect()["text"].to_list()) == "你好，朋友"
    assert set(statuses(session, tmp_path).values()) == {"cached"}
    (tmp_path / "words.txt").write_text("darn\nfriends\n")
    again = statuses(session, tmp_path)
    assert [name for name, status in again.items() if status == "ran"] == ["clean"]
    assert session.artifact("last:clean").scan().collect()["text"].to_list() == ["你好，朋友"]


def test_a_classifier_from_the_store_gives_the_same_scores(tmp_path):
    """The folder `learned` of one step's signals is what another step names as its classifier."""
    files(tmp_path)
    session = Session(tmp_path / "store")
    statuses(session, tmp_path)
    (learned,) = (
        card.parent
        for card in (tmp_path / "store").rglob("learned/classifier.json")
        if json.loads(card.read_text("utf-8"))["facts"]["classes"] == ["toxic", "other"]
    )
    text = PIPELINE.replace("inputs: {corpus: better, data: labelled}", "inputs: better")
    text = text.replace("label: mood, positive: [rude]", f"classifier: {learned}")
    first = session.artifact("last:kind")
    (tmp_path / "pipeline.yaml").write_text(text, "utf-8")
    statuses(session, tmp_path)
    second = session.artifact("last:kind")
    assert second.fingerprint != first.fingerprint
    for part in ("signals", "reason"):
        assert pl.Series.equals(*(one.rejects().collect()[part] for one in (first, second)))
