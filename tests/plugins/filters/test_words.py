"""Words: what counts as one, in scripts with and without spaces."""

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench_plugins.filters.words import (
    count_lettered_words,
    count_spaced_characters,
    count_unspaced_words,
    count_words,
)


def measured(function, text):
    return pl.DataFrame({"text": [text]}).select(function(pl.col("text"))).item()


@pytest.mark.parametrize(
    "text, words, lettered, unspaced, characters",
    [
        ("", 0, 0, 0, 0),
        (" \n\t\u3000\u2028", 0, 0, 0, 0),
        ("the cat's 3 mats", 4, 3, 0, 13),
        ("a -- b | c", 5, 3, 0, 6),
        ("naïve Ελλάδα русский עברית한국어 हिन्दी", 5, 5, 0, 32),
        ("今天天气很好，我们去公园。", 11, 11, 11, 0),
        ("２０２４年３月", 4, 2, 2, 5),
        ("用iPhone15手机", 4, 4, 3, 8),
        ("《红楼梦》“very” good", 5, 5, 3, 8),
        ("データを見る", 6, 6, 5, 1),
        ("ภาษาไทย", 7, 7, 7, 0),
        ("—— …… 、。", 0, 0, 0, 0),
        ("a\x00b \u202eevil\u202c", 2, 2, 0, 7),
    ],
)
def test_known_counts(text, words, lettered, unspaced, characters):
    """Counted by hand, see the module for what a word is."""
    assert measured(count_words, text) == words
    assert measured(count_lettered_words, text) == lettered
    assert measured(count_unspaced_words, text) == unspaced
    assert measured(count_spaced_characters, text) == characters


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_has_the_words_of_split(text):
    """In ASCII the definition is Python's `str.split()`, and the letters of a word are its own."""
    assert measured(count_words, text) == len(text.split())
    assert measured(count_lettered_words, text) == sum(any(map(str.isalpha, word)) for word in text.split())
    assert measured(count_spaced_characters, text) == sum(map(len, text.split()))


@given(st.text(st.sampled_from("好a1，。 \n—-ｶสá")))
def test_lettered_words_are_words(text):
    """Never more lettered or unspaced words than words; the parts of a text at a space have the words of the whole."""
    assert measured(count_lettered_words, text) <= measured(count_words, text)
    assert measured(count_unspaced_words, text) <= measured(count_lettered_words, text)
    assert measured(count_words, f"{text} {text}") == 2 * measured(count_words, text)


@pytest.mark.parametrize("unit", ["x", "!", "…", "好", "1,", "！1 ", "́", "a\u200b"])
def test_cost_grows_with_the_length_alone(unit):
    """Ten times the text costs at most about ten times as much (30 allowed), whatever it is made of."""

    def seconds(text):
        start = time.process_time()
        for function in (count_words, count_lettered_words, count_unspaced_words, count_spaced_characters):
            measured(function, text)
        return time.process_time() - start

    short, long = unit * 20_000, unit * 200_000
    seconds(short)
    assert min(seconds(long), seconds(long)) < 30 * max(min(seconds(short) for _ in range(3)), 0.005)
