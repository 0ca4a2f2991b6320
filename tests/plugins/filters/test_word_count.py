"""Documents with too few or too many words."""

import polars as pl
import pytest
from workbench_plugins.filters.word_count import WordCount

from workbench.contracts.component import settings_of


@pytest.mark.parametrize(
    "text, reasons",
    [
        ("one", ["too-few-words"]),
        ("one two", []),
        ("one two three", []),
        ("one two three four", ["too-many-words"]),
        ("中文字", []),
        ("中", ["too-few-words"]),
        ("", ["too-few-words"]),
    ],
)
def test_the_range_includes_its_ends(text, reasons):
    """With 2 to 3 words, one and four are out; three Chinese characters are three words."""
    component = WordCount(min_words=2, max_words=3)
    signals = pl.DataFrame({"text": [text]}).select(**component.signals())
    found = [reason for reason, rule in component.rules().items() if signals.select(rule).item()]
    assert found == reasons


def test_defaults_are_those_of_the_paper():
    """Rae et al. 2021, appendix A1: between 50 and 100,000 words."""
    assert settings_of(WordCount()) == {"min_words": 50, "max_words": 100_000}
