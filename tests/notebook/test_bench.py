"""`bench()`: thresholds over stored signals, in figures, as a table and as a widget."""

import json
from dataclasses import replace
from typing import Annotated, ClassVar

import polars as pl
import pytest

import workbench as wb
from workbench.contracts.component import Field, Threshold
from workbench.contracts.filters import RowFilter
from workbench.engine.corpus.thresholds import ThresholdBoard
from workbench.errors import PluginError, UnknownName, UsageError
from workbench.notebook.bench import FilterBench
from workbench.notebook.bench_widget import BenchWidget, parsed

TEXTS = ["one", "one two", "one two three", "mail me at ann@example.com please now", "一二三四五六七八九十"]
RULE = "word-count: too-few-words"
MIN_WORDS = "word-count.min_words"


@pytest.fixture
def clean(tmp_path):
    lines = [
        json.dumps({"text": text, "lang": "zh" if text[0] == "一" else "en"}, ensure_ascii=False) for text in TEXTS
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(lines), "utf-8")
    pipeline = wb.Pipeline("bench", base=tmp_path, store=tmp_path / "store")
    raw = pipeline.source.jsonl(paths=["data.jsonl"])
    return pipeline.filter.chain(raw, [wb.filter.pii(), wb.filter.word_count(min_words=3)], name="clean")


def test_counts_follow_a_threshold_and_equal_what_a_run_does(clean):
    """A moved threshold keeps as many documents as the step keeps with it."""
    bench = clean.bench()
    assert (bench.counts.read, bench.counts.kept) == (5, 3)
    assert bench.move(MIN_WORDS, 2).kept == 4
    assert bench.thresholds[MIN_WORDS] == 2
    rule = next(rule for rule in bench.counts.rules if rule.reason == "too-few-words")
    assert (rule.drops, rule.alone) == (1, 1)
    handle = bench.apply()
    assert handle.result.artifact.ledger.kept == 4
    assert "min_words: 2" in handle.pipeline.to_yaml()


def test_a_threshold_that_is_not_there_or_refused(clean):
    """Errors name what there is, and what the filter says; the thresholds stay as they were."""
    bench = clean.bench()
    with pytest.raises(UnknownName, match=r"word-count\.min_words"):
        bench.move("word-count.min_word", 3)
    with pytest.raises(UsageError, match=r"min_words cannot be -1: .*greater than or equal to"):
        bench.move(MIN_WORDS, -1)
    with pytest.raises(UsageError, match="cannot be None"):
        bench.move(MIN_WORDS, None)
    assert bench.counts.kept == 3
    with pytest.raises(UsageError, match="there are no signals"):
        clean.pipeline["jsonl"].bench()


def test_examples_are_as_the_rewrites_left_them(clean):
    """An address that a filter before has masked is not shown."""
    bench = clean.bench()
    bench.move(MIN_WORDS, 9)
    shown = bench.examples(RULE, 5).view
    texts = [passage.text for passage in shown.passages]
    assert len(texts) == 4
    assert not any("ann@example.com" in text for text in texts)
    assert any("mail me at" in text for text in texts)
    assert all("word-count.num_words" in passage.heading for passage in shown.passages)
    with pytest.raises(UnknownName, match="too-few-words"):
        bench.examples("word-count: too-few")


def test_groups(clean):
    """What goes is counted by a key of `meta`, and by the file."""
    grid = clean.bench().by("lang").view.grids[0]
    assert [row[:3] for row in grid.rows] == [("en", "4", "50 %"), ("zh", "1", "0 %")]
    assert len(clean.bench().by("source").view.grids[0].rows) == 1
    with pytest.raises(UnknownName, match="source"):
        clean.bench().by("sorces")


def test_yaml_of_the_step(clean):
    """The step as it would stand in a pipeline file."""
    bench = clean.bench()
    bench.move(MIN_WORDS, 7)
    assert bench.to_steps().startswith("clean:\n  use: filter/chain\n  inputs: jsonl\n")
    assert "min_words: 7" in bench.to_steps()


def test_only_every_so_many_documents_are_judged(clean, monkeypatch):
    """A large corpus is sampled evenly, and everything that is shown says so."""
    monkeypatch.setattr("workbench.notebook.bench.MAX_DOCUMENTS", 2)
    bench = FilterBench(clean)
    assert (bench.every, bench.counts.read, bench.documents) == (3, 2, 5)
    assert "judged by one document in 3 of 5" in repr(bench)
    assert bench.by("lang").view.title.endswith("one document in 3 of 5")
    bench.move(MIN_WORDS, 99)
    assert [passage.text for passage in bench.examples(RULE).view.passages] == [
        TEXTS[0],
        "mail me at <EMAIL> please now",
    ]


def test_a_lone_filter_and_a_setting_that_holds_several_numbers(clean):
    """A step that is no chain, and one threshold for each length of a run."""
    pipeline = clean.pipeline
    lone = pipeline.filter.gopher_repetition(pipeline["jsonl"])
    bench = lone.bench()
    before = bench.thresholds["gopher-repetition.max_top_n_grams.2"]
    assert before == 0.2
    bench.move("gopher-repetition.max_top_n_grams.2", 0.5)
    assert bench.board.component.max_top_n_grams[2] == 0.5
    assert bench.board.component.max_top_n_grams[3] == 0.18
    assert "max_top_n_grams" in bench.to_steps()


def test_the_widget_moves_the_thresholds(clean):
    """Slider, text box and buttons do what the methods do; what is refused is said and changes nothing."""
    bench = clean.bench()
    widget = BenchWidget(bench)
    assert "3 of 5 kept" in widget.status.value
    widget.choice.value = MIN_WORDS
    widget.slider.value = widget.slider.max
    assert bench.thresholds[MIN_WORDS] == 10
    assert "1 of 5 kept" in widget.status.value
    assert widget.text.value == "10"
    widget.text.value = "2"
    assert bench.thresholds[MIN_WORDS] == 2
    assert "4 of 5 kept" in widget.status.value
    widget.text.value = "many"
    assert "is no number" in widget.message.value
    widget.text.value = "-5"
    assert 'role="alert"' in widget.message.value
    assert bench.thresholds[MIN_WORDS] == 2
    widget.rule.value = RULE
    widget.examples.click()
    assert "<pre>one</pre>" in widget.shown.value
    widget.yaml.click()
    assert "min_words: 2" in widget.shown.value
    widget.axis.value = "lang"
    widget.groups.click()
    assert "zh" in widget.shown.value
    widget.reset.click()
    assert bench.thresholds[MIN_WORDS] == 3
    widget.text.value = "1"
    widget.apply.click()
    assert clean.pipeline.graph.steps["clean"].component.filters[1].min_words == 1


class Odd(RowFilter):
    """A rule that looks at a text first, then at a ratio; one value of its threshold fails."""

    component_id: ClassVar[str] = "filter/odd"
    min_ratio: Annotated[float, Threshold] = Field(0.5)

    def signals(self):
        return {"script": pl.col("lang"), "ratio": 1 / pl.col("text").str.len_chars()}

    def rules(self):
        if self.min_ratio == 7:
            raise ValueError("seven")
        return {"low": (pl.col("script") == "Latn") & (pl.col("ratio") < self.min_ratio)}


class Plain(RowFilter):
    """Nothing that could be moved."""

    component_id: ClassVar[str] = "filter/plain"

    def signals(self):
        return {"length": pl.col("text").str.len_chars()}

    def rules(self):
        return {"short": pl.col("length") < 4}


def test_signals_that_are_no_numbers_or_not_finite():
    """A threshold is drawn over the numbers that its rule looks at; infinite ones have no place on the axis."""
    signals = pl.DataFrame({"id": list("abc"), "odd.script": ["Latn"] * 3, "odd.ratio": [0.25, 4.0, float("inf")]})
    board = ThresholdBoard(Odd(), signals)
    assert board.dials["odd.min_ratio"].signal == "odd.ratio"
    assert board.grid("odd.min_ratio", 2) == [0.25, 0.5, 4.0]
    board.move("odd.min_ratio", 5)
    assert board.counts().kept == 1
    with pytest.raises(PluginError, match="seven"):
        board.move("odd.min_ratio", 7)
    assert (board.value("odd.min_ratio"), board.counts().kept) == (5, 1)


def test_a_filter_without_thresholds_has_a_widget(clean):
    """Its counts and examples are shown; there is nothing to move."""
    bench = clean.pipeline.filter.word_count(clean.pipeline["jsonl"]).bench()
    bench.board = ThresholdBoard(Plain(), pl.DataFrame({"id": list("abc"), "plain.length": [1, 2, 9]}))
    bench._step = replace(bench._step, component=Plain())
    widget = BenchWidget(bench)
    assert "1 of 3 kept" in widget.status.value
    assert widget.slider.disabled
    widget.slider.value = 3
    widget.text.value = "5"
    assert widget.message.value == ""


def test_what_a_cell_shows(clean):
    """The widget, and beside it a table for pages without a kernel."""
    bundle = clean.bench()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "3 of 5 kept" in bundle["text/plain"]
    assert "<table>" in bundle["text/html"]


def test_what_is_no_number():
    """Not a number by name either: nothing is above or below it."""
    with pytest.raises(ValueError, match="'nan' is no number"):
        parsed("nan")


@pytest.mark.parametrize("text, value", [("3", 3), (" 0.5 ", 0.5), ("1e-3", 0.001), ("", None), ("None", None)])
def test_what_a_person_writes(text, value):
    """Whole numbers stay whole."""
    assert parsed(text) == value
    assert type(parsed(text)) is type(value)
