"""Running evaluators: what a report needs to be accepted, and that its page is safe and complete."""

import math
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from workbench.api import Context, Evaluator, Score, Scores
from workbench.artifacts import Model, Report
from workbench.engine.evaluating import run
from workbench.errors import PluginError, StepError
from workbench.files.atomic import write_json

GOOD = {"name": "accuracy", "value": 0.5, "n": 10, "low": 0.4, "high": 0.6, "baseline": 0.3, "baseline_name": "guess"}


class Fixed(Evaluator):
    """Report what it was given."""

    component_id: ClassVar[str] = "evaluator/fixed"
    heads: ClassVar = ("causal-lm",)
    given: ClassVar[Scores] = Scores()

    def evaluate(self, model, data, ctx):
        return self.given


def report(tmp_path: Path, scores: Scores, head: str = "causal-lm") -> Report:
    class Giving(Fixed):
        given: ClassVar[Scores] = scores

    for name in ("model", "output"):
        (tmp_path / name).mkdir()
    write_json(tmp_path / "model" / "training.json", {"head": head})
    inputs = {"model": Model(tmp_path / "model", "judged", step="base")}
    run(Giving(), Context("scores", "evaluator/fixed", 1, tmp_path, tmp_path / "output", tmp_path, tmp_path, inputs))
    return Report(tmp_path / "output")


def test_scores_tables_and_notes_come_back(tmp_path):
    """What an evaluator gives can be read from the report, and stands on its page."""
    table = pl.DataFrame({"label": ["体育"], "n": [3]})
    written = report(tmp_path, Scores([Score(**GOOD)], {"labels": table}, ["a note"]))
    assert written.scores == [Score(**GOOD)]
    assert written.tables["labels"].equals(table)
    assert written.notes == ["a note"]
    assert written.model == "judged"
    page = (written.path / "report.html").read_text("utf-8")
    for text in ("accuracy", "0.4 to 0.6", "0.3", "guess", "体育", "a note"):
        assert text in page


@pytest.mark.parametrize(
    "change,fault",
    [
        ({"value": math.nan}, "value is nan"),
        ({"high": math.inf}, "high is inf"),
        ({"baseline": math.nan}, "baseline is nan"),
        ({"n": 0}, "n is 0"),
        ({"low": 0.55}, "the interval 0.55 to 0.6 does not hold the value 0.5"),
        ({"baseline": None, "baseline_name": ""}, "no baseline, and no baseline_name that says why"),
        ({"baseline_name": ""}, "no baseline, and no baseline_name that says why"),
    ],
)
def test_a_score_that_cannot_be_judged_is_refused(tmp_path, change, fault):
    """Value, interval, n and baseline must be there and make sense; the score is named."""
    with pytest.raises(PluginError, match=f"'accuracy' cannot be judged: {fault}"):
        report(tmp_path, Scores([Score(**{**GOOD, **change})]))


def test_no_baseline_is_fine_when_it_is_said_why(tmp_path):
    """Where there is no such thing, the name of the baseline says so."""
    assert report(tmp_path, Scores([Score(**{**GOOD, "baseline": None, "baseline_name": "none: a count"})])).scores


def test_two_scores_of_one_name_are_refused(tmp_path):
    """Nobody could tell them apart."""
    with pytest.raises(PluginError, match="its name stands there twice"):
        report(tmp_path, Scores([Score(**GOOD), Score(**GOOD)]))


def test_an_empty_report_is_refused(tmp_path):
    """An evaluator that reports nothing did not do its work."""
    with pytest.raises(PluginError, match="neither a score nor a table"):
        report(tmp_path, Scores())


@pytest.mark.parametrize("name", ["../outside", "Upper", "a b", ""])
def test_a_table_name_cannot_leave_the_folder(tmp_path, name):
    """A table's name becomes a file name, so it must be a plain one."""
    with pytest.raises(PluginError, match="cannot be a file name"):
        report(tmp_path, Scores([Score(**GOOD)], {name: pl.DataFrame({"a": [1]})}))


def test_a_head_that_does_not_fit_is_refused(tmp_path):
    """The message names the head and those that would do."""
    with pytest.raises(StepError, match=r"cannot judge a model with a masked-lm head\n  expected: .*causal-lm"):
        report(tmp_path, Scores([Score(**GOOD)]), head="masked-lm")


def test_hostile_text_does_not_act_on_the_page(tmp_path):
    """Markup, terminal escapes and direction marks from data are shown, not obeyed."""
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e"'
    table = pl.DataFrame({evil: [evil]})
    page = (report(tmp_path, Scores([], {"samples": table}, [evil])).path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert not {"\x1b", "\u202e"} & set(page)
