"""Main text, white space, page furniture and Chinese scripts: what changes, what stays, and what is counted."""

import time

import polars as pl
import pytest
from workbench_plugins.filters.boilerplate_lines import BoilerplateLines
from workbench_plugins.filters.boilerplate_patterns import PATTERNS
from workbench_plugins.filters.chinese_script import ChineseScript
from workbench_plugins.filters.html_text import HtmlText, is_html
from workbench_plugins.filters.whitespace import Whitespace

SENTENCES = "The river rose in the night, and the people of the village went up the hill to wait for the morning. " * 4
CHINESE = "河水在夜里涨了起来，村里的人们都上了山，等待天亮。老人们说，这样的大水几十年没有见过了。" * 4
PAGE = """<!DOCTYPE html><html><head><title>t</title></head><body><nav><a href="/">Home</a><a href="/news">News</a></nav>
<article><h1>The flood</h1><p>{}</p><p>{}</p></article><footer>Copyright 2020 Example</footer></body></html>"""


def applied(component, *texts):
    batch = pl.DataFrame(
        {"id": [str(n) for n in range(len(texts))], "text": list(texts)}, schema_overrides={"text": pl.String}
    )
    result = component.rewrite(batch)
    assert result.batch["id"].equals(batch["id"])
    assert set(result.edits.dtypes) == {pl.UInt32}
    edits = [{kind: count for kind, count in row.items() if count} for row in result.edits.to_dicts()]
    return result.batch["text"].to_list(), edits


@pytest.mark.parametrize("prose", [SENTENCES, CHINESE])
def test_the_main_text_of_a_page_stays(prose):
    (text,), (edits,) = applied(HtmlText(), PAGE.format(prose, prose[::-1]))
    assert prose.strip() in text
    assert "Copyright" not in text
    assert "<" not in text
    assert edits == {"extracted": 1}


@pytest.mark.parametrize("text", ["plain text", "in HTML, <p> begins a paragraph, a < b", "", None, "if (a<b) {}"])
def test_what_is_no_html_stays_as_it_is(text):
    assert applied(HtmlText(), text) == ([text], [{"not_html": 1}])


def test_a_page_without_text_and_one_too_long_are_dropped_by_name():
    _, edits = applied(
        HtmlText(max_characters=1000), "<html><body></body></html>", PAGE.format(SENTENCES, SENTENCES * 9)
    )
    assert edits == [{"no_main_text": 1}, {"too_long": 1}]
    assert set(HtmlText().rules()) == {"no-main-text", "page-too-long"}


@pytest.mark.parametrize("piece", ["<div>", "<p>a ", "<a href=x>", "<table><tr><td>", "<li>w", "<!-- ", "&amp;"])
def test_hostile_pages_take_linear_time(piece):
    def seconds(count):
        start = time.process_time()
        applied(HtmlText(), f"<html><body><p>{SENTENCES}</p>{piece * count}")
        return time.process_time() - start

    seconds(10)
    assert seconds(16_000) < 10 * seconds(4000) + 0.2


@pytest.mark.parametrize(
    "text, expected, options",
    [
        ("  a\t b\r\n\r\n\r\n\r\nc \u00a0\n", "a b\n\nc", {}),
        ("a\u200bb\ufeff", "ab", {}),
        ("a\u200bb", "a\u200bb", {"zero_width": False}),
        ("　　段落，全角　空格", "　　段落，全角　空格", {"keep_indentation": True}),
        ("全角　空格", "全角 空格", {"ideographic": True}),
        ("\n\n    def f():\n\treturn  1  \n\n\n\n\n\nx\n", "    def f():\n\treturn  1\n\nx", {"code": True}),
        ("  a  b", "  a b", {"keep_indentation": True}),
        ("a\n\n\n\nb", "a\nb", {"max_blank_lines": 0}),
        ("a\u2028b\x0cc\u0085d", "a\nb\nc\nd", {}),
    ],
)
def test_white_space_is_made_uniform(text, expected, options):
    (found,), _ = applied(Whitespace(**options), text)
    assert found == expected
    assert applied(Whitespace(**options), found)[0] == [expected]


def test_white_space_is_counted():
    assert applied(Whitespace(), "a  b\r\nc \n\n\n\nd\u200b")[1] == [
        {"line_ends": 1, "zero_width": 1, "blanks": 1, "trailing": 1, "blank_lines": 1}
    ]
    assert applied(Whitespace(), None, "a b") == ([None, "a b"], [{}, {}])


FURNITURE = {
    "cookies": ["We use cookies to improve your experience.", "Accept all cookies", "本网站使用 Cookie 来改善您的体验"],
    "sharing": ["Share this article", "Click to share on X", "分享到微信", "关注我们"],
    "script": ["Please enable JavaScript to view the comments.", "请启用 JavaScript"],
    "copyright": ["© 2021 Example Ltd. All rights reserved.", "版权所有 示例公司", "京ICP备12345678号"],
    "navigation": [
        "Read more »",
        "Skip to main content",
        "Privacy Policy | Terms of Use",
        "首页",
        "上一篇：春天",
        "当前位置：首页 > 新闻",
    ],
    "menu": ["Home | News | Our people | Shop", "新闻 · 体育 · 财经 · 娱乐"],
}
PROSE = [
    "The cookies were warm, and we share this table with friends.",
    "All rights are reserved to the people, said the old man.",
    "He went home to read more of the story.",
    "JavaScript is a language of the web.",
    "他分享到的经验，对我们都有用。",
    "首页上的新闻说，今天有雨。",
    "版本控制是好习惯。",
    "| a | b | c |",
    "path/to/a/file.txt",
    "1 | 2 | 3",
    "A",
]


@pytest.mark.parametrize("kind, line", [(kind, line) for kind, lines in FURNITURE.items() for line in lines])
def test_furniture_goes_under_its_kind(kind, line):
    assert applied(BoilerplateLines(), f"Prose stays here.\n{line}\n文章留下。") == (
        ["Prose stays here.\n文章留下。"],
        [{kind: 1}],
    )


@pytest.mark.parametrize("line", PROSE)
def test_prose_that_looks_like_it_stays(line):
    assert applied(BoilerplateLines(), line) == ([line], [{}])


def test_options_of_line_quality_cost_text_and_say_how_much():
    text = "A heading\nThis is the first sentence of it.\n这是一个句子。\n无标点的一行文字\nWord salad green blue tall."
    assert applied(BoilerplateLines(terminal_punctuation=True), text)[1] == [{"unfinished": 2}]
    assert applied(BoilerplateLines(min_words=5), text)[1] == [{"short": 1}]
    assert applied(BoilerplateLines(min_stop_words=0.3), text)[1] == [{"few_stop_words": 1}]


def test_a_document_of_nothing_else_is_dropped_whole():
    texts, edits = applied(BoilerplateLines(), "Read more\n首页", None, "")
    assert texts == ["Read more\n首页", None, ""]
    assert [edit.get("emptied") for edit in edits] == [1, None, None]


def test_every_pattern_has_a_reason_and_compiles():
    for patterns in PATTERNS.values():
        for pattern, reason in patterns:
            assert reason
            assert pl.Series(["x"]).str.contains(pattern, strict=True)[0] is False


@pytest.mark.parametrize(
    "text, expected, options",
    [
        ("頭髮與發展", "头发与发展", {}),
        ("头发与发展", "頭髮與發展", {"to": "s2t"}),
        ("软件", "軟體", {"to": "s2twp"}),
        ("日本語の頭髮です", "日本語の頭髮です", {}),
        ("한국어 頭髮 한국어", "한국어 頭髮 한국어", {}),
        ("plain text", "plain text", {}),
        ("頭\x00髮", "头\x00发", {}),
    ],
)
def test_chinese_is_converted_and_nothing_else(text, expected, options):
    (found,), (edits,) = applied(ChineseScript(**options), text)
    assert found == expected
    assert bool(edits.get("converted")) == (text != expected)


def test_null_stays_null():
    assert applied(ChineseScript(), None, "書") == ([None, "书"], [{}, {"converted": 1}])


def test_comments_in_a_row_cost_no_more_than_their_length():
    """What no page follows was parted in 2ⁿ ways: 0.4 s for 22 of them."""
    start = time.process_time()
    assert not is_html("<!---->" * 2000 + "x")
    assert not is_html("<!-- a --> " * 1000)
    assert time.process_time() - start < 0.2
    assert is_html("<!-- a -->\n<!-- <b> - -- -->" * 20 + "<HTML>")
