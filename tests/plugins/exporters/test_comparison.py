"""The page that compares models: reports find their model, differences are said, pictures are drawn for a reader."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from workbench_plugins.exporters.comparison import Comparison, by_score
from workbench_plugins.exporters.comparison_pictures import Curve, Row, curves, scored

from workbench.api import Context, Score, Scores, StepError
from workbench.artifacts.report import Report, write_scores
from workbench.files.atomic import write_json
from workbench.testing.artifacts import small_model

EVIL = "<script>alert(1)</script>\x1b[31m\u202e"


def bits(value, n=100):
    return Score("bits per byte", value, n, value - 0.1, value + 0.1, 8.0, "uniform", higher_is_better=False)


def hits(value):
    return Score("accuracy", value, 50, value - 0.1, value + 0.1, 0.2, "majority class")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Three models of the same training under names and fingerprints of their own; the third is twice as large."""
    made = small_model(tmp_path_factory.mktemp("model"), steps=3)
    found = [replace(made, fingerprint=name[::-1], step=name) for name in ("masked", "causal")]
    large = tmp_path_factory.mktemp("large")
    for file in made.path.iterdir():
        (large / file.name).write_bytes(file.read_bytes())
    write_json(large / "training.json", {**made.card, "parameters": 2 * made.card["parameters"]})
    return [*found, replace(made, path=large, fingerprint="egral", step="large")]


@pytest.fixture
def report(tmp_path):
    """Return a report on a model."""

    def make(step, model, *scores, notes=(), told=None):
        (tmp_path / step).mkdir()
        found = Scores(list(scores), notes=list(notes), by_document=told)
        write_scores(tmp_path / step, found, model=model.fingerprint)
        return Report(tmp_path / step, step=step)

    return make


def export(folder: Path, **inputs) -> str:
    folder.mkdir()
    Comparison().export(None, folder, Context("page", "exporter/comparison", 1, folder, folder, folder, folder, inputs))
    return (folder / "index.html").read_text("utf-8")


def test_reports_find_their_model(models, report):
    """Whatever the order of the reports, a score stands under the model it judges, models in their own order."""
    masked, causal, large = models
    reports = [report("b", causal, bits(2.0)), report("c", large, bits(1.5), hits(0.7)), report("a", masked, hits(0.6))]
    found = by_score(models, reports, "page")
    assert {name: [(row.model, row.score.value) for row in rows] for name, rows in found.items()} == {
        "bits per byte": [("causal", 2.0), ("large", 1.5)],
        "accuracy": [("masked", 0.6), ("large", 0.7)],
    }


def test_a_model_that_was_judged_twice_keeps_both(models, report):
    """Its rows carry the names of the reports."""
    reports = [report("old", models[0], hits(0.6)), report("new", models[0], hits(0.7))]
    assert [row.model for row in by_score(models, reports, "page")["accuracy"]] == ["masked (old)", "masked (new)"]


def test_a_report_of_another_model_is_refused(models, report):
    """It names the report and the models that were given."""
    other = replace(models[0], fingerprint="stranger")
    with pytest.raises(StepError, match="the report of step odd judges none of these models") as caught:
        by_score(models, [report("odd", other, hits(0.6))], "page")
    assert "masked, causal, large" in str(caught.value)


def test_the_page_says_what_can_be_compared(models, report, tmp_path):
    """The best, who overlaps with it, who lacks a score, a different number of items, and unequal sizes."""
    reports = [
        report("a", models[0], hits(0.6), notes=["said twice"]),
        report("b", models[1], bits(2.0), hits(0.65), notes=["said twice"]),
        report("c", models[2], bits(1.5, n=90), hits(0.9)),
    ]
    text = re.sub(r"<[^>]+>", " ", export(tmp_path / "page", models=models, reports=reports))
    assert (
        "bits per byte: large is lowest with 1.5 (95 % interval 1.4 to 1.6, n = 90); no other interval reaches it."
        in text
    )
    assert "accuracy: large is highest with 0.9" in text
    assert "not measured for masked" in text
    assert "n differs: these were not judged on the same items" in text
    assert re.search(
        r"the networks differ in parameters: from [\d,]+ \(\w+\) to [\d,]+ \(large\), a factor of 2.00", text
    )
    assert re.search(r"masked\s+llama\s+causal", text)
    assert text.count("said twice") == 1
    assert "said twice (a, b)" in text
    assert "that it lies lower than one of another objective says nothing" in text


def test_overlaps_are_named(models, report, tmp_path):
    """Where another interval reaches the best one, the page says whose."""
    reports = [report("a", models[0], hits(0.6)), report("b", models[1], hits(0.65)), report("c", models[2], hits(0.2))]
    page = export(tmp_path / "page", models=models, reports=reports)
    assert "the intervals of masked overlap with it" in page
    assert "a difference is surer than overlapping intervals make it look" in page


def told(name, parts, ids="abcd", units=(100.0, 200.0, 300.0, 400.0)):
    """Return what documents add to a score."""
    return pl.DataFrame({"id": list(ids), "score": [name] * len(parts), "part": parts, "units": list(units)})


def test_models_are_compared_on_the_same_documents(models, report, tmp_path):
    """Intervals overlap, but one is better on every document and the other not: the page tells which is told apart."""
    masked, causal, large = models
    by = {
        masked: [150.0, 500.0, 450.0, 900.0],  # 2.0 bits per byte
        causal: [153.0, 506.0, 459.0, 912.0],  # 3 % of the units more everywhere
        large: [100.0, 600.0, 400.0, 950.0],  # 2.05, now more, now fewer
    }
    reports = [
        report(model.step, model, bits(sum(parts) / 1000), told=told("bits per byte", parts))
        for model, parts in by.items()
    ]
    text = " ".join(re.sub(r"<[^>]+>", " ", export(tmp_path / "page", models=models, reports=reports)).split())
    assert "n = 100); on the same documents large cannot be told from it." in text
    assert "causal +0.03 +0.03 to +0.03 4 yes" in text
    assert re.search(r"large \+0.05 -0\.\d+ to \+0\.\d+ 4 no", text)
    assert "a difference is surer" not in text


def test_other_documents_are_not_compared_pair_by_pair(models, report, tmp_path):
    """Where reports tell of other documents, the intervals have to do."""
    parts = [150.0, 500.0, 450.0, 900.0]
    reports = [
        report(model.step, model, bits(2.0), told=told("bits per byte", parts, ids))
        for model, ids in zip(models, ("abcd", "abce"), strict=False)
    ]
    assert "the intervals of causal overlap with it" in export(tmp_path / "page", models=models[:2], reports=reports)


def test_the_page_is_safe_and_the_same_again(models, report, tmp_path):
    """Hostile notes do nothing, and equal inputs give equal bytes."""
    reports = [report("a", models[0], hits(0.6), notes=[f"note {EVIL} 备注"])]
    first, again = (export(tmp_path / name, models=models, reports=reports) for name in ("one", "two"))
    assert first == again
    assert "<script" not in first
    assert not set(first) & {"\x1b", "\u202e"}
    assert "备注" in first
    pictures = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", first)
    assert len(pictures) == 2
    assert all(base64.b64decode(picture).lstrip().startswith(b"<?xml") for picture in pictures)


def test_a_line_for_each_model():
    """Every model's name and a line of its own are in the picture of the curves; lines differ in dashes."""
    tokens = np.arange(1, 41) * 100
    lines = [Curve(name, tokens, 8 - np.log(tokens) / number) for number, name in enumerate(("one", "two"), 2)]
    picture = curves(lines).decode()
    assert len(re.findall(r"stroke-dasharray", picture)) > 0
    assert curves(lines[:1]) != curves(lines[1:])


def test_bars_reach_as_far_as_the_scores():
    """The widths of the bars are in proportion to the values."""
    picture = scored("bits", [Row("one", bits(2.0)), Row("two", bits(4.0))]).decode()
    boxes = re.findall(
        r'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \nL [\d.]+ [\d.]+ \nL [\d.]+ [\d.]+ \nz\n"[^>]*style="fill: #b6d0f2',
        picture,
    )
    widths = [float(end) - float(begin) for begin, end in boxes]
    assert len(widths) == 2
    assert widths[1] == pytest.approx(2 * widths[0], rel=1e-3)
