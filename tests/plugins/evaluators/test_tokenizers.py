"""Tokenizers side by side: figures worked out by hand, one language from another, and a page."""

import json
import math

import numpy as np
import pytest
from tokenizers import Tokenizer as Fast
from tokenizers import decoders, models, pre_tokenizers
from workbench_plugins.evaluators.scripts import scripts
from workbench_plugins.evaluators.token_counts import TokenCounts
from workbench_plugins.evaluators.tokenizers import Tokenizers, vocabulary_used
from workbench_plugins.tokenizers.byte import Byte

from workbench.api import StepError
from workbench.artifacts import Report, Tokenizer
from workbench.engine.evaluating import run
from workbench.engine.tokens import learn

TEXTS = ["the cat saw the dog", "the bird", "天地 天", "天地玄黄"]
LANGUAGES = ["en", "en", "zh", "zh"]


@pytest.fixture
def words(tmp_path) -> Tokenizer:
    """A tokenizer that knows the, cat, 天地, and loses the spaces between words."""
    fast = Fast(models.WordLevel({"<unk>": 0, "the": 1, "cat": 2, "天地": 3}, "<unk>"))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast.decoder = decoders.Fuse()
    fast.add_special_tokens(["<unk>"])
    (tmp_path / "words").mkdir()
    fast.save(str(tmp_path / "words" / "tokenizer.json"))
    (tmp_path / "words" / "tokenizer_config.json").write_text(json.dumps({"unk_token": "<unk>"}))
    return Tokenizer(tmp_path / "words", step="words")


@pytest.fixture
def byte(tmp_path, context) -> Tokenizer:
    ctx = context("tokenizer/byte")
    learn.run(Byte(), ctx)
    (ctx.output).rename(tmp_path / "byte")
    return Tokenizer(tmp_path / "byte", step="byte")


def report(context, corpus, tokenizers, texts=TEXTS, **settings) -> Report:
    ctx = context("evaluator/tokenizers", tokenizers=tokenizers, heldout=corpus)
    run(Tokenizers(**settings), ctx)
    return Report(ctx.output)


def test_figures_over_all_documents(context, corpus, words):
    """19 + 8 + 10 + 12 = 49 bytes and 14 words.

    Known tokens: 3, 1, 1, 0. What is unknown has 3 + 3 bytes, 4, 3, and 12: 27 tokens in all; of 3 + 2 + 2 + 3 made,
    2 + 1 + 1 + 1 are unknown.
    """
    found = {score.name: score for score in report(context, corpus(TEXTS), [words]).scores}
    made = 5 + 2 + 2 + 1
    unknown = 2 + 1 + 1 + 1
    tokens = 3 + 1 + 1 + 0 + (3 + 3) + 4 + 3 + 12
    letters = 15 + 7 + 3 + 4
    expected = {
        "bytes per token: words": 49 / tokens,
        "tokens per word: words": tokens / (5 + 2 + 3 + 4),
        "tokens per character: words": tokens / (19 + 8 + 4 + 4),
        "unknown tokens: words": unknown / made,
        "characters covered: words": (9 + 3 + 2 + 0) / letters,
        "documents changed: words": 4 / 4,
        "vocabulary used: words": 3 / 3,
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    assert found["bytes per token: words"].baseline == 1
    assert found["tokens per word: words"].baseline == pytest.approx(49 / 14)


def test_bytes_are_the_baseline(context, corpus, byte):
    """The tokenizer of bytes scores exactly what the baseline says, without an interval."""
    for score in report(context, corpus(TEXTS), [byte]).scores:
        if score.baseline is not None:
            assert score.value == pytest.approx(score.baseline)


def test_languages_stand_in_columns(context, corpus, words, byte):
    """The meta of the small corpus says en, or zh where there is a Chinese comma; here a column says it."""
    found = report(context, corpus(TEXTS, language=LANGUAGES), [words, byte], by="language").tables
    table = found["by-language"]
    rows = {(row["language"], row["tokenizer"]): row for row in table.iter_rows(named=True)}
    assert list(rows) == [(language, name) for language in ("en", "zh") for name in ("(bytes)", "words", "byte")]
    assert rows["en", "words"]["bytes per token"] == pytest.approx(27 / 14)
    assert rows["zh", "words"]["characters covered"] == pytest.approx(2 / 7)
    assert rows["zh", "byte"]["tokens per word"] == pytest.approx(22 / 7)
    side = found["bytes-per-token-by-language"]
    assert side.columns == ["tokenizer", "en (2 documents)", "zh (2 documents)"]
    assert side.rows()[0] == ("(bytes)", "1.000 (1.000 to 1.000)", "1.000 (1.000 to 1.000)")


def test_without_a_language_the_script_tells_documents_apart(context, corpus, byte):
    found = report(context, corpus(TEXTS), [byte], by="dialect")
    assert found.tables["by-language"]["language"].unique(maintain_order=True).to_list() == ["Chinese", "Latin"]
    assert any("script, since none has 'dialect'" in note for note in found.notes)


def test_scripts_of_texts():
    import polars as pl

    texts = ["hello", "你好吗", "привет", "これはテストです", "한국어", "مرحبا", "42 !?"]
    expected = ["Latin", "Chinese", "Cyrillic", "kana", "Hangul", "Arabic", "no letters"]
    assert scripts(pl.Series(texts)) == expected


def test_the_interval_of_the_vocabulary_is_a_jackknife():
    """Two of four documents have 2 tokens of their own, two none: variance 3/4 · 4 · 1 = 3, of 10 used out of 20."""
    documents_v = np.array([1, 1, 1, 1, 4, 4, 4, 4, 4, 4] + [0] * 10)
    nothing = np.zeros(4, dtype=np.int64)
    counts = TokenCounts(*[nothing] * 5, documents_v, np.array([2, 2, 0, 0]), {})
    half = 1.959963984540054 * math.sqrt(3)
    assert vocabulary_used(counts, 20) == pytest.approx((0.5, (10 - half) / 20, (10 + half) / 20))


def test_what_is_lost_is_shown_and_what_is_not_is_not(context, corpus, words, byte):
    found = report(context, corpus(TEXTS), [words, byte])
    assert found.tables["what-is-lost"]["tokenizer"].unique().to_list() == ["words"]
    assert found.tables["what-is-lost"]["comes back as"][0] == "thecat<unk>the<"


def test_two_tokenizers_of_one_name_are_numbered(context, corpus, byte):
    names = {score.name for score in report(context, corpus(TEXTS), [byte, byte]).scores}
    assert {"bytes per token: byte 1", "bytes per token: byte 2"} <= names


def test_equal_tokenizers_have_equal_intervals(context, corpus, words):
    """Documents are drawn again in the same way for each, so that intervals can be compared."""
    scores = report(context, corpus(TEXTS), [words, words]).scores
    first, second = ({s.name[:-2]: (s.low, s.high) for s in scores if s.name.endswith(end)} for end in "12")
    assert first == second


def test_the_page_has_a_picture_and_no_live_markup(context, corpus, byte):
    found = report(context, corpus(["<script>alert(1)</script> \u202etext", "天地"]), [byte])
    page = (found.path / "report.html").read_text("utf-8")
    assert "tokenizers: byte" in page
    assert "data:image/svg+xml" in page
    assert "Bytes per token by language and tokenizer" in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert [drawn.name for drawn in found.pictures] == ["bytes-per-token"]


def test_text_without_a_word_is_said(context, corpus, byte):
    with pytest.raises(StepError, match="no word in the text"):
        report(context, corpus(["!!", "?"]), [byte])


def test_long_documents_are_read_from_their_beginning(context, corpus, byte):
    found = report(context, corpus(["a b" * 1000]), [byte], characters=300)
    assert found.tables["tokenizers"]["tokens of the sample"].to_list() == [300]
