"""The repetition and line statistics, against the definitions written out in plain Python."""

import re
from collections import Counter

import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.fineweb import FineWeb
from workbench_plugins.filters.gopher_repetition import GopherRepetition
from workbench_plugins.filters.text_statistics import TextStatistics

from workbench.engine.corpus.signals import measure, members_of
from workbench.engine.corpus.verdicts import judge

TEXTS = [
    "one line\none line\none line\nanother line that is longer than the others, by far\n",
    "\n\nfirst paragraph of it\n\nsecond paragraph\n\n\nfirst paragraph of it\n \n",
    "the cat sat on the mat and the cat sat on the mat and the cat sat on the mat again",
    "a b c d e f g h i j k a b c d e f g h i j k a b c d e f g h i j k",
    "ab c ab c a bc a bc ab c ab c ab c abc abc abc ab cab c",
    "short",
    "   \n\t ",
    "Ünïcödé wörds\u00a0with\u2003odd spaces\x1cand separators\u2028here. Ünïcödé wörds with odd spaces",
    "Ends well.\nEnds not\nEnds well too!\n\n  \nThis line has exactly thirty !!\nand one a bit longer than thirty ones\n",
    "没有空格的一行。\n没有空格的一行。\n再来一行！\n",
    "x " * 3000,
]


def repeated(items):
    seen, number, characters = set(), 0, 0
    for item in items:
        if item in seen:
            number, characters = number + 1, characters + len(item)
        seen.add(item)
    return number, characters


def expected(text):
    """Table A1 of Rae et al. 2021 as the reference implementation reads it, over `str.split()` words."""
    words, values = text.split(), {}
    for n in (2, 3, 4):
        runs = [" ".join(words[place : place + n]) for place in range(len(words) - n + 1)]
        if runs:
            top, often = Counter(runs).most_common(1)[0]
            values[f"top_{n}_gram_share"] = len(top) * often / len(text)
    for n in range(5, 11):
        seen, characters, place = set(), 0, 0
        while place <= len(words) - n:
            run = "".join(words[place : place + n])
            if run in seen:
                characters, place = characters + len(run), place + n
            else:
                seen.add(run)
                place += 1
        values[f"repeated_{n}_gram_share"] = characters / len(text)
    for name, parts in (("paragraph", re.split(r"\n{2,}", text.strip())), ("line", re.split(r"\n+", text))):
        number, characters = repeated(parts)
        values[f"repeated_{name}_share"] = number / len(parts)
        values[f"repeated_{name}_character_share"] = characters / len(text)
    lines = [line for line in text.split("\n") if line.strip()]
    if lines:
        values["ending_line_share"] = sum(line.endswith((".", "!", "?", "。", "！")) for line in lines) / len(lines)
        values["short_line_share"] = sum(len(line) <= 30 for line in lines) / len(lines)
        values["repeated_filled_line_character_share"] = repeated(lines)[1] / len(text.replace("\n", ""))
    if words:
        values["newline_to_word_ratio"] = text.count("\n") / len(words)
    return {**values, "num_words": len(words)}


def statistics(texts, segmentation="spaces"):
    return TextStatistics(segmentation).compute(pl.DataFrame({"text": texts}))


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_every_statistic_is_that_of_its_definition(number):
    """All of them, over the words of `str.split()`; what is not defined is NaN."""
    row = statistics(TEXTS).row(number, named=True)
    wanted = expected(TEXTS[number])
    assert {name: value for name, value in row.items() if value == value} == pytest.approx(wanted)  # noqa: PLR0124  # NaN


def test_a_text_does_not_depend_on_its_neighbours():
    """The tables are shared between documents, what stands in them is not."""
    alone = pl.concat([statistics([text]) for text in TEXTS])
    assert statistics(TEXTS).equals(alone, null_equal=True)
    assert statistics(TEXTS[::-1]).equals(alone.reverse(), null_equal=True)


def test_chinese_repeats_itself_by_characters():
    """Without spaces a word is a character: five characters said twice are a repeated 5-gram of five characters."""
    said_twice = statistics(["春眠不觉晓，处处闻啼鸟。春眠不觉晓"], "unicode").row(0, named=True)
    assert said_twice["num_words"] == 15
    assert said_twice["repeated_5_gram_share"] == pytest.approx(5 / 17)
    assert said_twice["top_2_gram_share"] == pytest.approx(2 * 2 / 17)  # 春眠 comes first of the equals
    assert statistics(["春眠不觉晓，处处闻啼鸟。春眠不觉晓"]).row(0, named=True)["num_words"] == 1


def test_spaced_words_are_joined_by_their_space():
    """In a top n-gram a space counts between words that have one, and not between characters that have none."""
    mixed = statistics(["read me read me 读我 读我"], "unicode").row(0, named=True)
    assert mixed["top_2_gram_share"] == pytest.approx(2 * len("read me") / 21)


def reasons(component, text):
    members = members_of(component)
    batch = pl.DataFrame({"id": ["a"], "text": [text]})
    return {mask.reason for mask in judge(members, measure(members, batch, "x").signals, "x") if mask.holds[0]}


def test_gopher_drops_what_repeats_itself():
    """Each rule has its reason."""
    menu = "Home About Contact\n" * 10
    assert {"repeated-lines", "repeated-line-characters", "repeated-5-grams"} <= reasons(GopherRepetition(), menu)
    prose = " ".join(f"word{number} stands{number} here{number} once{number}" for number in range(30))
    assert reasons(GopherRepetition(), prose) == set()


def test_fineweb_drops_lists_and_keeps_prose():
    """A menu has short lines without an end; prose in English and Chinese has neither."""
    assert {"few-lines-end-well", "short-lines", "list-like"} <= reasons(FineWeb(), "Home\nAbout\nShop\nNews\n")
    prose = "This is a sentence of a good length, and it ends as it should.\n"
    assert reasons(FineWeb(), prose + prose.replace("good", "different")) == set()
    assert (
        reasons(FineWeb(), "这一段文字足够长，标点也齐全，读起来像是真正的文章，而不是网页上的菜单或者列表。\n")
        == set()
    )


def test_a_threshold_can_be_set_for_one_length():
    """A table in the settings replaces the paper's."""
    text = "a b c d e a b c d e " * 4
    assert "repeated-5-grams" not in reasons(GopherRepetition(max_repeated_n_grams={10: 0.1}), text)


@pytest.mark.parametrize("settings", [{"max_top_n_grams": {5: 0.1}}, {"max_repeated_n_grams": {4: 0.1}}])
def test_a_length_without_a_rule_is_refused(settings):
    """The table has 2 to 4 words, and 5 to 10."""
    with pytest.raises(ValidationError, match="no rule for runs"):
        GopherRepetition(**settings)
