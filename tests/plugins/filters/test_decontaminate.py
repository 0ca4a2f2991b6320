"""Documents that share n-grams with an evaluation set are found, measured, and dropped by thresholds."""

import polars as pl
import pytest
from workbench_plugins.filters.decontaminate import Decontaminate

from workbench.api import StepError
from workbench.artifacts import Corpus
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of

QUESTION = "Which river flows through the old town, past the mill, and then down into the lake?"  # 16 words
CHINESE = "哪一条河流经过古老的城镇，绕过磨坊以后，最后流进山下那个美丽的大湖里？"  # 32 characters
OTHER = "a document about something else altogether that nobody has ever asked a question about in any test"


def sets(folder):
    one, two = (
        small_corpus(folder / name, texts, num_shards=1)
        for name, texts in (("a", [QUESTION, "short"]), ("b", [CHINESE, QUESTION]))
    )
    return [Corpus(one.path, "a", step="rivers"), Corpus(two.path, "b", step="中文")]


def decontaminated(folder, texts, *, workers=1, evaluation=None, **settings):
    corpus = small_corpus(folder / "corpus", texts)
    inputs = {"corpus": corpus, "evaluation": evaluation or sets(folder)}
    result = trial(Decontaminate(**settings), inputs, folder / f"run{workers}", workers=workers)
    signals = pl.read_parquet(sorted((folder / f"run{workers}" / "signals" / "signals").glob("*.parquet")))
    return result, signals.select(pl.all().exclude("id").name.map(lambda name: name.removeprefix("decontaminate.")))


def test_overlap_is_measured_and_named(tmp_path):
    words = QUESTION.split()
    texts = [
        OTHER,
        f"{OTHER}\n\nQ: {QUESTION.upper()} A: the Ill",
        " ".join(words[:12]),
        " ".join(words[:13]),
        f"试题：{CHINESE}答案是伊尔河。",
        CHINESE[:20],
        " ".join([*words[:13], "well", *words[:14]]),
    ]
    result, signals = decontaminated(tmp_path, texts)
    assert signals["longest_match"].to_list() == [0, 16, 0, 13, 32, 0, 14]
    assert signals["matching_ngrams"].to_list() == [0, 4, 0, 1, 7, 0, 3]
    assert signals["evaluation_set"].to_list() == [None, "rivers", None, "rivers", "中文", None, "rivers"]
    assert signals["matching_share"].to_list()[1] == pytest.approx(4 / (17 + 1 + 16 + 3 - 12))
    assert result.scan().collect()["text"].to_list() == [texts[0], texts[2], texts[5]]
    assert result.ledger.rejected == {"evaluation-overlap": 4}


def test_thresholds_decide_over_stored_signals(tmp_path):
    texts = [f"{OTHER} {QUESTION}", QUESTION]
    assert decontaminated(tmp_path / "a", texts, min_match=17)[0].num_rows == 2
    assert decontaminated(tmp_path / "b", texts, min_share=0.5)[0].scan().collect()["text"].to_list() == texts[:1]


def test_shorter_ngrams_and_mixed_text(tmp_path):
    evaluation = [small_corpus(tmp_path / "e", ["请用 Python 写一个函数 sort list 排序", "two words"])]
    texts = ["先，请用Python写一个函数sort(list)排序。", "请用 Python 写", "函数"]
    result, signals = decontaminated(tmp_path, texts, evaluation=evaluation, ngram=4, ngram_characters=8)
    assert signals["longest_match"].to_list() == [12, 0, 0]
    assert result.num_rows == 2


def test_evaluation_sets_without_one_ngram_are_refused(tmp_path):
    with pytest.raises(StepError, match="none of the 2 evaluation texts is as long as an n-gram"):
        decontaminated(tmp_path, [OTHER], evaluation=[small_corpus(tmp_path / "e", ["too short", ""])])


def test_workers_do_not_matter(tmp_path):
    texts = [f"{OTHER} {number} {QUESTION if number % 3 else CHINESE[:number]}" for number in range(40)]
    one, four = (decontaminated(tmp_path, texts, workers=workers)[0] for workers in (1, 4))
    assert digest_of(one.path) == digest_of(four.path)
    assert 0 < one.num_rows < 40
