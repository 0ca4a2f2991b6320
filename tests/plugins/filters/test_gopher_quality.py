"""The quality rules of Gopher, each at its threshold, in English and Chinese."""

import itertools
import math
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench_plugins.filters.gopher_quality import FUNCTION_CHARACTERS, STOP_WORDS, GopherQuality, word_counts
from workbench_plugins.filters.words import (
    count_lettered_words,
    count_spaced_characters,
    count_unspaced_words,
    count_words,
)

from workbench.contracts.component import Threshold, is_marked


def judged(text, **settings):
    """Return the signals of a text and the reasons that hold for it."""
    component = GopherQuality(**settings)
    kernel = component.signals()["num_words"].kernel
    signals = kernel.compute(pl.DataFrame({"text": [text]})).fill_nan(None)
    reasons = [reason for reason, rule in component.rules().items() if signals.with_columns(r=rule)["r"].item()]
    return signals.row(0, named=True), reasons


# 10 words: the with of letters 3+5+4+5+3+4+5+2+4+5 = 40
SENTENCE = "the heart with which you have found me that night "
GOOD = SENTENCE * 10
CHINESE = (
    "我们在北京的公园里看见了一只很大的白鸟，它是从南方飞来的。今天的天气不冷也不热，人们都在外面散步和聊天。\n" * 3
)


def test_signals_of_a_known_text():
    """By hand: the words -, to, be, #1, and, so...; 4 have a letter; one line of two is a bullet; to, be, and."""
    signals, _ = judged("- to be\n#1 and so...")
    assert signals == {
        "num_words": 6,
        "mean_word_length": (1 + 2 + 2 + 2 + 3 + 5) / 6,
        "hash_to_word_ratio": 1 / 6,
        "ellipsis_to_word_ratio": 1 / 6,
        "bullet_line_share": 1 / 2,
        "ellipsis_line_share": 1 / 2,
        "alphabetic_word_share": 4 / 6,
        "num_stop_words": 3,
    }


def test_running_text_is_kept():
    """Ordinary English and Chinese pass every rule."""
    assert judged(GOOD)[1] == []
    assert judged(CHINESE)[1] == []


LINES = "the cat and the dog have been in the garden"  # 10 words


@pytest.mark.parametrize(
    "text, reasons",
    [
        (SENTENCE * 5, []),
        (SENTENCE * 5 + "x", []),
        ((SENTENCE * 5).removesuffix("night "), ["too-few-words"]),
        ("the and " + "a" * 3 + " ab" * 60, ["words-too-short"]),
        ("the and " + "abcdefghijkl " * 60, ["words-too-long"]),
        (GOOD + "#" * 10, []),
        (GOOD + "#" * 11, ["too-many-hash-signs"]),
        (GOOD + "a... " * 11 + "a", []),
        ("a...... " + "a... " * 9 + GOOD, []),
        (GOOD + "a... " * 12 + "a", ["too-many-ellipses"]),
        (GOOD + "a… " * 12 + "a", ["too-many-ellipses"]),
        (f"- {LINES}\n" * 9 + LINES, []),
        (f"  • {LINES}\n" * 10 + f"\n{LINES}", ["too-many-bullet-lines"]),
        (f"{LINES} {LINES}...\n" * 3 + f"{LINES}\n\n" * 7, []),
        (f"{LINES} {LINES}…  \r\n" * 4 + f"{LINES}\n" * 6, ["too-many-ellipsis-lines"]),
        (GOOD + "12 " * 25, []),
        (GOOD + "12 " * 26, ["too-few-alphabetic-words"]),
        ("found night heart " * 20 + "the", ["too-few-stop-words"]),
        ("found night heart " * 20 + "THE (and)", []),
        ("found night heart " * 20 + "the theatre sand bed", ["too-few-stop-words"]),
    ],
)
def test_each_rule_at_its_threshold(text, reasons):
    """The value at the threshold is kept, the next one beyond it dropped (`GOOD` has 100 words)."""
    assert judged(text)[1] == reasons


@pytest.mark.parametrize(
    "text, reasons",
    [
        ("好" * 50, ["too-few-stop-words"]),
        ("好" * 48 + "的了", []),
        ("好" * 47 + "的了", ["too-few-words"]),
        ("好的了" * 30 + "……" * 9 + "好", []),
        ("好的了" * 30 + "……" * 10 + "好", ["too-many-ellipses"]),
        ("・好的了\n" * 30, []),
        ("·好的了\n" * 30, ["too-many-bullet-lines"]),
        ("好的了\n" * 15 + "好的了……\n" * 7, ["too-many-ellipses", "too-many-ellipsis-lines"]),
        ("好的了1 2 3 " * 20, ["too-few-alphabetic-words"]),
        ("子曰：學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？人不知而不慍，不亦君子乎？" * 2, []),
        ("これは日本語の文章です。私たちは公園に行って、花を見ました。とても楽しかったです。" * 2, []),
        ("ภาษาไทยเป็นภาษาราชการของประเทศไทย" * 3, []),
    ],
)
def test_text_without_spaces_is_judged_in_its_own_form(text, reasons):
    """No mean word length; function characters as stop words, none asked for where there is no list."""
    signals, found = judged(text)
    assert found == reasons
    assert signals["mean_word_length"] is None or "1" in text


def test_a_mixed_document_is_measured_by_its_larger_half():
    """As many Chinese characters as English words: no mean length; one English word more: that of the English."""
    assert judged("好 be")[0]["mean_word_length"] is None
    assert judged("好 be have")[0]["mean_word_length"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "\x00" * 100,
        "\u202e" * 100,
        "x" * 10_000_000,
        "# " * 1000,
        "好" * 3_000_000,
        "…\n" * 1000,
        "-\n" * 1000,
    ],
)
def test_hostile_documents_are_measured(text):
    """No error, one value for each signal, and a reason to drop (none of these is running text)."""
    signals, reasons = judged(text)
    assert len(signals) == 8
    assert reasons


def test_other_stop_words_can_be_named():
    """A German list for German; an empty one switches the rule off only with `min_stop_words: 0`."""
    german = "der Hund und die Katze liegen im Garten " * 10
    assert "too-few-stop-words" in judged(german)[1]
    assert judged(german, stop_words=("der", "und", "im"))[0]["num_stop_words"] == 3
    assert judged(german, stop_words=(), function_characters="")[0]["num_stop_words"] == 0
    assert "too-few-stop-words" not in judged(german, min_stop_words=0)[1]


def test_thresholds_do_not_enter_the_signals():
    """Every limit is a `Threshold`; only what a word is and the lists of words change what is measured."""
    marked = {name for name in GopherQuality.model_fields if is_marked(GopherQuality, name, Threshold)}
    assert set(GopherQuality.model_fields) - marked == {"words", "stop_words", "function_characters"}


COUNTED = [
    "",
    "中文，2024年 is fine",
    "don't, 3.14 -- ok",
    "……",
    "2024年, 3 men --",
    "用iPhone手机，“ok”",
    "ภาษาไทย ไทย x",
    "a\u0301 é\u3042\u3099b",
]


@pytest.mark.parametrize("text", COUNTED)
def test_words_are_those_of_the_definition(text):
    """The compiled count is that of the patterns in `words`."""
    column = pl.col("text")
    wanted = pl.DataFrame({"text": [text]}).select(
        count_words(column),
        b=count_lettered_words(column),
        c=count_unspaced_words(column),
        d=count_spaced_characters(column),
    )
    assert [counts[0] for counts in word_counts(pl.Series([text]))] == list(wanted.row(0))


SIGNS = [
    "the",
    "THE",
    "be",
    "a",
    "1",
    "#",
    ".",
    "..",
    "...",
    "…",
    "……",
    "-",
    "•",
    "·",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\x1c",
    "\t",
]
SIGNS += ["的", "了", "好", "。", "，", "é", "́", "ไทย", "ั", "\u2028", "_", "'", "(", "𝕏", "\x85", "\x00", "to"]
TEXT = st.lists(st.sampled_from(SIGNS), max_size=60).map("".join)
PATTERNS = {
    "hashes": "#",
    "ellipses": r"……|…|\.\.\.",
    "lines": r"\S[^\n]*",
    "bullet_lines": r"(?m)^[^\S\n]*[•‣▶◀◦■□▪▫●○–\-*·]",
    "ellipsis_lines": r"(?m)(?:…|\.\.\.)[^\S\n]*$",
    "listless": r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]\p{M}*",
}


# Those of the reference among `SIGNS`.
PUNCTUATION = set("#.…-。，'(_\x00\x85\x1c")


def ratio(one, other):
    return one / other if other else math.inf if one else None


@settings(deadline=None)
@given(TEXT)
def test_signs_and_lines_are_those_of_the_patterns(text):
    """What the compiled pass counts is what a regular expression finds for each definition."""
    text = text.replace("\x1c", " ")  # white space for the pass and `str.split()`, not for patterns
    column = pl.col("text")
    counted = pl.DataFrame({"text": [text]}).select(
        **{name: column.str.count_matches(pattern) for name, pattern in PATTERNS.items()},
        words=count_words(column),
        lettered=count_lettered_words(column),
        unspaced=count_unspaced_words(column),
        characters=count_spaced_characters(column),
    )
    n = counted.row(0, named=True)
    found = {word for word in STOP_WORDS if re.search(rf"(?ai)\b{word}\b", text)}
    has_list = not n["listless"] or (n["words"] and n["listless"] / n["words"] < 0.5)
    has_length = n["words"] and n["unspaced"] / n["words"] < 0.5
    assert judged(text)[0] == {
        "num_words": n["words"],
        "mean_word_length": n["characters"] / (n["words"] - n["unspaced"]) if has_length else None,
        "hash_to_word_ratio": ratio(n["hashes"], n["words"]),
        "ellipsis_to_word_ratio": ratio(n["ellipses"], n["words"]),
        "bullet_line_share": ratio(n["bullet_lines"], n["lines"]),
        "ellipsis_line_share": ratio(n["ellipsis_lines"], n["lines"]),
        "alphabetic_word_share": ratio(n["lettered"], n["words"]),
        "num_stop_words": len(found) + len(set(text) & set(FUNCTION_CHARACTERS)) if has_list else None,
    }


@settings(deadline=None)
@given(TEXT)
def test_with_spaces_everything_is_counted_as_by_the_reference(text):
    """Words of `str.split()`, lines of `str.splitlines()`, and the counts of datatrove's filter, in plain Python."""
    words, lines = text.split(), text.splitlines()
    plain = [word for word in words if any(sign not in PUNCTUATION for sign in word)]
    assert judged(text, words="spaces")[0] == {
        "num_words": len(plain),
        "mean_word_length": ratio(sum(map(len, plain)), len(plain)),
        "hash_to_word_ratio": ratio(text.count("#"), len(words)),
        "ellipsis_to_word_ratio": ratio(text.count("...") + text.count("…"), len(words)),
        "bullet_line_share": ratio(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_line_share": ratio(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alphabetic_word_share": ratio(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "num_stop_words": len(set(STOP_WORDS) & set(words)),
    }


@pytest.mark.parametrize("segmentation", ["unicode", "spaces"])
def test_stop_words_of_any_kind_are_found(segmentation):
    """Long ones, ones with an accent or a sign, and many of them: all are looked for, whoever finds them."""
    text = "für nevertheless e.g. #1 die Straße der Hund über"
    words = ("für", "nevertheless", "e.g.", "#1", "über", "die", "der", "und", "katze")
    component = GopherQuality(words=segmentation, stop_words=words)
    kernel = component.signals()["num_words"].kernel
    assert kernel.compute(pl.DataFrame({"text": [text]}))["num_stop_words"].item() == (
        7 if segmentation == "spaces" else 5
    )
    many = tuple("".join(letters) for letters in itertools.product("abcdefg", repeat=3))
    signals = judged(" ".join(many[::2]), words=segmentation, stop_words=many, function_characters="")[0]
    assert signals["num_stop_words"] == len(many[::2])
