"""The filter keeps what every filter promises, and counts letters as letters are counted."""

from pathlib import Path

from workbench.testing import FilterConformance, small_corpus, trial
from workbench_example.letters import Example


class TestExample(FilterConformance):
    use = "filter/example"


def test_letters_of_every_script_count(tmp_path: Path) -> None:
    """English and Chinese are letters; figures and signs are not."""
    corpus = small_corpus(tmp_path / "corpus", ["plain words", "春天来了", "12 + 34 = 46", "----"])
    result = trial(Example(), {"corpus": corpus}, tmp_path / "run")
    assert result.scan().collect()["text"].to_list() == ["plain words", "春天来了"]
