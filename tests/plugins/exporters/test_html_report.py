"""The report page: what it tells, that it is safe, and that it is the same again."""

import base64
import re
from pathlib import Path

import polars as pl
import pytest
from workbench_plugins.exporters.html_report import HtmlReport, sentence
from workbench_plugins.exporters.pictures import running_mean, thinned

from workbench.api import Context, Score, Scores, StepError
from workbench.artifacts.corpus import REJECT, write_shard
from workbench.artifacts.ledger import Ledger
from workbench.artifacts.report import Report, write_scores
from workbench.contracts.evaluation import Drawn
from workbench.files.atomic import write_json
from workbench.testing.artifacts import small_corpus, small_model

EVIL = "<script>alert(1)</script>\x1b[31m\u202e"
SCORE = Score("accuracy", 0.75, 40, 0.6, 0.86, 0.5, "majority class")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("model"), steps=3)


def corpus_with_rejects(folder: Path):
    corpus = small_corpus(folder, ["A kept document.", "留下的文档。", EVIL])
    row = dict.fromkeys(REJECT, "") | {
        "id": "r",
        "filter": "word-count",
        "reason": "too-few-words",
        "text": f"gone {EVIL}",
    }
    write_shard(folder / "rejects" / "00000.parquet", pl.DataFrame([row]))
    ledger = Ledger(read=6, kept=3, quarantined=2)
    ledger.rejected["too-few-words"] = 1
    write_json(folder / "ledger.json", ledger.to_json())
    return corpus


def report(folder: Path) -> Report:
    folder.mkdir()
    samples = pl.DataFrame({"prompt": ["Once upon"], "continuation": [f" a time {EVIL}"], "reference": [""]})
    write_scores(folder, Scores([SCORE], {"samples": samples}, ["temperature 1"]))
    return Report(folder, step="scores")


def export(folder: Path, **inputs) -> str:
    folder.mkdir()
    ctx = Context("page", "exporter/html-report", 1, folder, folder, folder, folder, inputs)
    HtmlReport().export(None, folder, ctx)
    return (folder / "index.html").read_text("utf-8")


@pytest.fixture
def page(tmp_path, model):
    corpora = [corpus_with_rejects(tmp_path / "corpus")]
    return export(tmp_path / "page", corpora=corpora, models=[model], reports=[report(tmp_path / "report")])


def test_the_way_of_the_text_is_told(page):
    """Counts, reasons, kept and rejected documents stand there, also in words for the picture."""
    text = re.sub(r"<[^>]+>", " ", page)
    assert re.search(r"small\s+6\s+3\s+1\s+2\s+50.0%", text)
    assert re.search(r"small\s+too-few-words\s+1", text)
    for shown in ("A kept document.", "留下的文档。", "word-count: too-few-words", "gone"):
        assert shown in text
    assert "small: 6 read, 3 kept, 1 rejected, 2 quarantined." in page


def test_models_samples_and_scores_are_told(page, model):
    """The card, the curve, what the model wrote, and the score with interval, n and baseline."""
    assert f"{model.card['parameters']:,}" in page
    assert "Line of the training loss over 3 steps" in page
    assert "<mark>Once upon</mark> a time" in page
    assert "accuracy 0.75 (95 % interval 0.6 to 0.86, n = 40; majority class: 0.5)." in page


def test_text_from_data_does_not_act(page):
    """No script, terminal escape or direction mark from a document, a rejected one or a model."""
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    for picture in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page):
        svg = base64.b64decode(picture)
        assert b"<script" not in svg
        assert b"http" not in re.sub(rb'(xmlns(:\w+)?=|PUBLIC|rdf:resource=|")[^>]*', b"", svg)


def test_the_same_inputs_give_the_same_bytes(page, tmp_path, model):
    """Pictures hold no date and no random ids."""
    other = tmp_path / "again"
    other.mkdir()
    again = export(
        other / "page",
        corpora=[corpus_with_rejects(other / "corpus")],
        models=[model],
        reports=[report(other / "report")],
    )
    assert again == page


def test_each_kind_of_input_alone_will_do(tmp_path, model):
    """A page of corpora, of models or of reports alone is complete in itself."""
    assert "The way of the text" in export(tmp_path / "a", corpora=[small_corpus(tmp_path / "corpus")])
    assert "Training" in export(tmp_path / "b", models=[model])
    assert "Scores" in export(tmp_path / "c", reports=[report(tmp_path / "report")])


def test_nothing_to_report_on_is_said(tmp_path):
    """A page without any input is a mistake in the pipeline."""
    with pytest.raises(StepError, match="nothing to report on\n  expected: one of corpora, models, reports"):
        export(tmp_path / "page")


def test_a_step_with_a_chinese_name_can_be_drawn(tmp_path):
    """Names outside the picture's font become escapes there and stay as they are in tables."""
    from dataclasses import replace

    page = export(tmp_path / "page", corpora=[replace(small_corpus(tmp_path / "corpus"), step="语料")])
    assert "语料" in page


def test_lower_is_better_is_said():
    """A reader must know which way is good."""
    score = Score("perplexity", 20.0, 9, 18, 22, 400, "uniform over the vocabulary", higher_is_better=False)
    assert sentence(score).endswith("n = 9, lower is better; uniform over the vocabulary: 400).")


def test_the_running_mean_by_hand():
    """Over 40 steps the window is 2: each value is the mean of itself and the one before."""
    values = pl.Series(range(40)).cast(float).to_numpy()
    assert running_mean(values)[:3].tolist() == [0.0, 0.5, 1.5]


def test_long_curves_keep_their_ends():
    """Points are left out in between only."""
    steps = pl.Series(range(5000)).to_numpy()
    chosen, _ = thinned(steps, steps)
    assert (len(chosen), chosen[0], chosen[-1]) == (600, 0, 4999)


def test_what_was_not_drawn_has_no_text_to_show(tmp_path):
    """A mixture or a sample lists the rest without text; the page is written all the same."""
    corpus = small_corpus(tmp_path / "corpus")
    row = {**dict.fromkeys(REJECT), "id": "r", "filter": "mix", "reason": "not-drawn"}
    write_shard(corpus.path / "rejects" / "00000.parquet", pl.DataFrame([row], schema=dict.fromkeys(REJECT, pl.String)))
    page = export(tmp_path / "page", corpora=[corpus])
    assert "Rejected by step small" not in page


def test_reports_that_describe_are_shown_with_their_pictures(tmp_path):
    """A card has no scores, but pictures, notes and tables; the lead says what the page holds."""
    folder = tmp_path / "card"
    folder.mkdir()
    drawn = Drawn("lengths", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "two bars", "Length of documents.")
    write_scores(
        folder, Scores([], {"size": pl.DataFrame({"": ["documents"], "corpus": [7]})}, ["of a sample"]), [drawn]
    )
    page = export(tmp_path / "page", corpora=[small_corpus(tmp_path / "corpus")], reports=[Report(folder, step="card")])
    assert "what the corpora hold." in page
    assert "training" not in page
    for shown in ("Report of step card", 'alt="two bars"', "of a sample", "<caption>Size</caption>"):
        assert shown in page
