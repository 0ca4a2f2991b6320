"""The session over a trained model: what the corpus tests of the command line cannot show."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.artifacts import Corpus, Model, Report
from workbench.compare import DIFFERENT, EQUAL_ROWS, WITHIN_TOLERANCE, judge
from workbench.errors import UsageError
from workbench.session import Session
from workbench.store.runs import RunRecord

pytestmark = pytest.mark.xdist_group("trained")
WORDS = [
    "the",
    "river",
    "carries",
    "mud",
    "and",
    "stones",
    "into",
    "the",
    "valley",
    "where",
    "farmers",
    "grow",
    "rice",
    "in",
    "small",
    "fields",
]
PIPELINE = """workbench: 1
name: trained
seed: 3
steps:
  raw: {use: source/jsonl, with: {paths: [data.jsonl]}}
  split: {use: corpus/split, inputs: raw, with: {valid: 0.25}}
  bpe: {use: tokenizer/byte-bpe, inputs: split.train, with: {vocab_size: 300}}
  ids: {use: tokens/pack, inputs: {corpus: split, tokenizer: bpe}, with: {context: 16}}
  base:
    use: train/pretrain
    inputs: {tokens: ids}
    with:
      architecture: {use: architecture/llama, with: {layers: 1, width: 16}}
      objective: {use: objective/causal}
      optimizer: {lr: 1e-2, warmup: 1}
      budget: {steps: 4}
      batch_size: 2
  scores: {use: evaluator/perplexity, inputs: {model: base, heldout: split.valid}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    texts = [" ".join(WORDS[(start + step * 7) % len(WORDS)] for step in range(30)) for start in range(16)]
    (folder / "data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (folder / "pipeline.yaml").write_text(PIPELINE)
    return folder


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    return Session(folder / "store")


@pytest.fixture(scope="module")
def record(session: Session, folder: Path) -> RunRecord:
    record = session.run(session.read(folder / "pipeline.yaml"), executor="inline")
    assert record.status == "done", [step.error for step in record.steps]
    return record


def test_show_model(session, record):
    """A model shows its training: steps, tokens, first and last loss, parameters."""
    training = session.show("last:base").document["training"]
    assert set(training) == {"steps", "tokens", "first_loss", "last_loss", "parameters", "trained_parameters"}
    assert training["steps"] == 4
    assert training["last_loss"] < training["first_loss"]
    assert training["parameters"] == training["trained_parameters"] > 0


def test_show_scores(session, record):
    """Every score comes with its number of items, its interval and its baseline."""
    scores = session.show("last:scores").document["scores"]
    assert scores
    for score in scores.values():
        assert {"value", "n", "low", "high", "baseline"} <= set(score)


def test_every_result_has_a_view(session, record):
    """Every kind of result says what it is, where it lies and something about itself."""
    for step in record.steps:
        view = session.show(f"last:{step.name}")
        assert view.document["path"] == step.path
        assert view.document["fingerprint"] == step.fingerprint
        assert view.grids


def test_trace_reaches_the_tokens(session, record):
    """A document's span of tokens decodes to its text."""
    artifact = session.artifact("last:split")
    documents = artifact.scan().collect()
    document, text = documents.row(0, named=True)["id"], documents.row(0, named=True)["text"]
    last = session.trace_document(document).steps[-1]
    assert (last.name, last.outcome) == ("ids", "encoded")
    span = last.details["tokens"]
    tokens = session.artifact("last:ids")
    ids = tokens.ids(span["part"])[span["start"] : span["end"]]
    assert tokens.tokenizer.fast.decode(ids.tolist(), skip_special_tokens=True) == text
    assert span["rows"] == [span["start"] // 16, (span["end"] - 1) // 16]


def test_trace_batch(session, record):
    """The documents of a training step are those whose tokens stand in its rows."""
    seen = session.trace_batch("last:base:2")
    known = {row["id"] for row in session.artifact("last:split.train").scan().collect().iter_rows(named=True)}
    assert {item["id"] for item in seen.documents} <= known
    assert seen.documents
    assert all(item["source"].startswith("data.jsonl:") and item["begins"] for item in seen.documents)
    with pytest.raises(UsageError, match="there is no step 5"):
        session.trace_batch("last:base:5")


def test_text_and_file_are_the_same_pipeline(session, folder):
    """YAML text with the folder of the file gives the same fingerprints as the file."""
    path = folder / "pipeline.yaml"
    assert session.identify(session.read(path.read_text(), base=folder)) == session.identify(session.read(path))


def test_figures(session, record):
    """A run is judged by its last losses and its scores."""
    figures = session.figures(record)
    assert figures["base last loss"] == session.artifact("last:base").card["last_loss"]
    assert any(name.startswith("scores ") for name in figures)


def test_store_from_the_environment(monkeypatch, tmp_path):
    """The store is the one named, else WORKBENCH_STORE, else .workbench here."""
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path / "there"))
    assert Session().root == tmp_path / "there"
    assert Session(tmp_path / "here").root == tmp_path / "here"
    monkeypatch.delenv("WORKBENCH_STORE")
    monkeypatch.chdir(tmp_path)
    assert Session().root == tmp_path / ".workbench"


def edited(artifact, tmp_path: Path, name: str, change):
    """Return a copy of an artifact with one JSON file changed."""
    import shutil

    folder = Path(shutil.copytree(artifact.path, tmp_path / "copy", copy_function=shutil.copyfile))
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return type(artifact)(folder, artifact.fingerprint, None, artifact.step)


@pytest.mark.parametrize("factor,verdict", [(1.019, WITHIN_TOLERANCE), (1.021, DIFFERENT), (0.97, DIFFERENT)])
def test_models_are_judged_by_their_last_loss(session, record, tmp_path, factor, verdict):
    """Two models are within tolerance up to two per cent of the last loss."""
    model = session.artifact("last:base")
    assert isinstance(model, Model)
    other = edited(model, tmp_path, "training.json", lambda card: card.update(last_loss=card["last_loss"] * factor))
    assert judge(model, other)[0] == verdict


@pytest.mark.parametrize("share,verdict", [(0.9, WITHIN_TOLERANCE), (1.1, DIFFERENT)])
def test_scores_are_judged_by_their_interval(session, record, tmp_path, share, verdict):
    """A score is within tolerance up to half its interval, where that is wider than two per cent."""
    report = session.artifact("last:scores")
    assert isinstance(report, Report)
    value = report.scores[0].value

    def change(content, factor):
        content["scores"][0].update(value=value * factor, low=value * 0.8, high=value * 1.2)

    before = edited(report, tmp_path / "before", "report.json", lambda content: change(content, 1))
    after = edited(report, tmp_path / "after", "report.json", lambda content: change(content, 1 + 0.2 * share))
    assert judge(before, after)[0] == verdict


def test_a_corpus_in_other_order_has_equal_rows(session, record, tmp_path):
    """The same documents in another arrangement of shards are equal rows; one document less is different."""
    corpus = session.artifact("last:split")
    assert isinstance(corpus, Corpus)
    other = edited(corpus, tmp_path, "corpus.json", lambda content: content["shards"].reverse())
    assert judge(corpus, other)[0] == EQUAL_ROWS
    assert judge(corpus, replace(corpus, part="train"))[0] == DIFFERENT
