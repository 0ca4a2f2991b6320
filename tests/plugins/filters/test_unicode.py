"""Unicode repair changes what is broken and leaves every script as it is written."""

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench_plugins.filters.unicode import Unicode


def clean(text, **options):
    return Unicode(**options).rewrite(pl.DataFrame({"id": ["a"], "text": [text]})).batch["text"][0]


def edits(text, **options):
    row = Unicode(**options).rewrite(pl.DataFrame({"id": ["a"], "text": [text]})).edits.row(0, named=True)
    return {kind: count for kind, count in row.items() if count}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("schÃ¶n, 你好", "schön, 你好"),
        ("donâ€™t", "don’t"),
        ("你好世界，今天天气很好。".encode().decode("latin-1"), "你好世界，今天天气很好。"),
        ("Привет мир".encode().decode("latin-1"), "Привет мир"),
        ("smart \x93quote\x94", "smart “quote”"),
    ],
)
def test_mojibake_is_undone(text, expected):
    assert clean(text) == expected
    assert edits(text)["repaired"] == 1


@pytest.mark.parametrize("text", ["NESCAFÉ®", "«É»", "São Paulo, NÃO", "Ãngela", "naïve café", "x² ± 3 µm"])
def test_text_that_only_looks_broken_is_left_alone(text):
    assert clean(text) == text


def test_only_the_broken_line_is_repaired():
    text = "fine é\nbroken Ã©\n"
    assert clean(text) == "fine é\nbroken é\n"
    assert clean(text, repair=False) == text


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: non-joiner between parts of a word
        "क्\u200dष",  # Hindi: joiner shapes a half form
        "ന്\u200d",  # Malayalam: joiner at the end of a word
        "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d💻",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # flag of England: tag characters
        "ภาษา\u200bไทย",  # Thai: zero-width space allows a line break
        "，。（）《》１２３ＡＢＣ　",
        "안녕하세요",
        "tab\tand\nnew line",
    ],
)
def test_what_scripts_and_emoji_need_survives(text):
    assert clean(text) == text
    assert edits(text) == {}


@pytest.mark.parametrize(
    "text, expected, kinds",
    [
        ("a\r\nb\rc\u2028d\u2029e\x0cf", "a\nb\nc\nd\ne\nf", {"line_ends": 5}),
        ("a\x00b\x07c\x7f", "abc", {"control": 3}),
        ("a\u202eb\u2066c\u200f", "abc", {"bidi": 3}),
        ("a\ufdd0b\uffffc\U0001ffff", "abc", {"noncharacter": 3}),
        ("\ufeffa\u200bb\u200dc\u00add", "abcd", {"zero_width": 4}),
        ("hidden\U000e0041\U000e0042", "hidden", {"zero_width": 2}),
        ("cafe\u0301", "café", {"normalized": 1}),
        ("\u212b", "\u00c5", {"normalized": 1}),
        ("\u1112\u1161\u11ab", "\ud55c", {"normalized": 1}),
    ],
)
def test_each_kind_of_edit_is_made_and_counted(text, expected, kinds):
    assert clean(text) == expected
    assert edits(text) == kinds


def test_compatibility_form_is_an_option():
    assert clean("，１２３ﬁ", form="NFKC") == ",123fi"
    assert clean("cafe\u0301", form=None) == "cafe\u0301"


def test_null_and_empty_texts_pass_and_edits_are_uint32():
    batch = pl.DataFrame({"id": ["a", "b", "c"], "text": [None, "", "x\x00"]})
    result = Unicode().rewrite(batch)
    assert result.batch["text"].to_list() == [None, "", "x"]
    assert set(result.edits.dtypes) == {pl.UInt32}
    assert len(result.edits) == 3


def test_other_columns_and_the_order_stay():
    batch = pl.DataFrame({"id": ["a", "b"], "text": ["x\r\n", "y"], "meta": ["{}", "{1}"]})
    result = Unicode().rewrite(batch).batch
    assert result.columns == ["id", "text", "meta"]
    assert result.rows() == [("a", "x\n", "{}"), ("b", "y", "{1}")]


NFC_EDGES = [chr(point) for point in (0x300, 0x301, 0x323, 0x1100, 0x1161, 0x11A8, 0x9BE, 0x9C7, 0xB3E, 0x1F71, 0xF900)]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from([*NFC_EDGES, *"ae한ক"]))))
def test_the_result_is_in_normal_form_and_stays_as_it_is(text):
    """Whatever the text, a second cleaning changes nothing, and nothing composable was missed by the prefilter."""
    cleaned = clean(text, repair=False)
    assert pl.Series([cleaned]).str.normalize("NFC")[0] == cleaned
    assert not set(cleaned) & set("\r\x00\x0b\x0c\u2028\u202e\ufeff\ufffe\uffff")
    assert clean(cleaned, repair=False) == cleaned


@pytest.mark.parametrize("unit", ["Ã©", "a\u200d", "Ã", "e\u0301", "\u200d\u200c", "\U0001f3f4\U000e0067", "\r\u2028"])
def test_time_is_linear(unit):
    """Four times the text takes less than ten times as long."""

    def seconds(length):
        batch = pl.DataFrame({"id": ["a"], "text": [unit * length]})
        start = time.process_time()
        Unicode().rewrite(batch)
        return time.process_time() - start

    seconds(100)
    assert seconds(40_000) < 10 * seconds(10_000) + 0.05
