"""Wikitext becomes prose: what goes, what stays, and in time linear in its length."""

import time

import pytest
from workbench_plugins.sources.pdf import Pdf
from workbench_plugins.sources.wikipedia_dump import _DISAMBIGUATION
from workbench_plugins.sources.wikitext import Links, strip_wikitext


@pytest.mark.parametrize(
    "markup, prose",
    [
        ("'''Ada''' was ''the'' [[mathematics|mathematician]]s.", "Ada was the mathematicians."),
        ("a {{cite|x={{y|z}}}} b {{{1|c}}} d", "a b d"),
        ("a {{lang|fr|bonjour}} {{nowrap|1 [[metre|m]]}}", "a bonjour 1 m"),
        ("x\n{| class=a\n|-\n| cell {{t|\n|}} x\n|}\ny", "x\n\ny"),
        ("a<ref name=x>note {{t}}</ref> b<ref name=y /> c", "a b c"),
        ("[[File:a.jpg|thumb|see [[b|c]] and {{d}}]]text", "text"),
        ("[[文件:a.jpg|thumb|图]][[分类:书]]正文", "正文"),
        ("[[Category:Books]] [[de:Buch]] [[:Category:Books]]", "Category:Books"),
        ("[http://x.org the site] and [http://y.org]", "the site and"),
        ("<!-- gone -->a<br>b<small>c</small>", "a\nbc"),
        ("<math>x^2</math> and {{t|<math>y</math>}}<math>z</math>", "$x^2$ and $z$"),
        ("<nowiki>[[a]]</nowiki>", "[[a]]"),
        ("== One ==\n=== Two ===\n* item\n== Three ==\n{{t}}", "One\n\nTwo\n\nitem"),
        ("-{zh-hans:软件;zh-hant:軟體}-和-{T|标题}--{文字}-", "软件和文字"),
        ("born ( {{date}} ) in （{{t}}）x", "born in x"),
        ("unclosed {{ template and [[ link", "unclosed {{ template and [[ link"),
        ("a }} b ]] c |} d", "a }} b ]] c |} d"),
        ("AT&amp;T &lt; &nbsp;x __NOTOC__", "AT&T < x"),
    ],
)
def test_markup_leaves_prose(markup, prose):
    assert strip_wikitext(markup) == prose


def test_formulas_can_go_and_namespaces_come_from_the_dump():
    assert strip_wikitext("a <math>x</math>", math=False) == "a"
    assert strip_wikitext("[[Datei:a.jpg|mini]]b", Links.named([("6", "Datei")])) == "b"


@pytest.mark.parametrize(
    "unit",
    [
        "{{",
        "[[",
        "\n{|",
        "<b>",
        "<ref>",
        "{{a|[[b|",
        "[[a|",
        "<!--",
        "( ;",
        "-{a",
        "[http://a ",
        "\n====",
        "{{nowrap|x",
    ],
)
def test_time_is_linear(unit):
    def seconds(count):
        start = time.process_time()
        strip_wikitext(unit * count + "]]}}" * count)
        return time.process_time() - start

    seconds(100)
    assert seconds(40_000) < 10 * seconds(10_000) + 0.1


@pytest.mark.parametrize(
    "reads",
    [
        lambda count: strip_wikitext("<" + "a" * count),
        lambda count: strip_wikitext("[http://" + "a" * count),
        lambda count: _DISAMBIGUATION.search("{{" + " " * count),
        lambda count: Pdf(paths=("a.pdf",))._text(["a" * count]),
        lambda count: Pdf(paths=("a.pdf",))._text(["中" * count]),
    ],
)
def test_one_endless_word_is_read_once(reads):
    """A hundred thousand letters cost milliseconds; looked at from each of them, they would cost seconds to minutes."""
    start = time.process_time()
    reads(100_000)
    assert time.process_time() - start < 0.3
