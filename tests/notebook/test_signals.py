"""The signals of a filter in a notebook: a row for each document it read."""

import pytest

import workbench as wb
from workbench.errors import UsageError


def test_signals_of_kept_and_rejected(tmp_path):
    """Three documents of 1, 2 and 3 words; the threshold drops two and the signals hold all."""
    (tmp_path / "texts.jsonl").write_text("".join(f'{{"text": "{"word " * n}"}}\n' for n in (1, 2, 3)), "utf-8")
    pipeline = wb.Pipeline("signals", base=tmp_path, store=tmp_path / "store")
    raw = pipeline.source.jsonl(paths=["texts.jsonl"], name="raw")
    clean = pipeline.filter.word_count(raw, min_words=3, name="clean")
    signals = clean.signals
    assert signals["word-count.num_words"].to_list() == [1, 2, 3]
    assert clean.result.artifact.num_rows == 1
    with pytest.raises(UsageError, match="there are no signals"):
        raw.signals  # noqa: B018  # asking is what is refused


def test_a_filter_that_read_nothing(tmp_path):
    """It has no rows of signals, and no thresholds worth moving."""
    (tmp_path / "texts.jsonl").write_text("", "utf-8")
    pipeline = wb.Pipeline("signals", base=tmp_path, store=tmp_path / "store")
    clean = pipeline.filter.word_count(pipeline.source.jsonl(paths=["texts.jsonl"]), name="clean")
    assert clean.signals.height == 0
    with pytest.raises(UsageError, match="clean: the filter has read no documents"):
        clean.bench()
