"""URLs are compared in a normal form; documents of one address are one group, in any order."""

import json

import polars as pl
import pytest
from workbench_plugins.filters.url_dedup import UrlDedup

from workbench.artifacts import Corpus
from workbench.errors import DataError
from workbench.testing import small_corpus, trial


def drops(component, urls, texts=None):
    batch = pl.DataFrame(
        {
            "id": list("abcdefgh")[: len(urls)],
            "text": texts or ["text"] * len(urls),
            "meta": [json.dumps({"url": url}, ensure_ascii=False) for url in urls],
        },
        schema={"id": pl.String, "text": pl.String, "meta": pl.String},
    )
    found = component.resolve(component.sketch(batch).lazy())
    return dict(found.select("id", "duplicate_of").iter_rows())


def are_same(one, other, **settings):
    return drops(UrlDedup(**settings), [one, other]) == {"b": "a"}


# RFC 3986, sections 6.2.2 and 6.2.3: these are equivalent whatever is ignored beyond.
STRICT = dict.fromkeys(
    (
        "ignore_scheme",
        "ignore_www",
        "ignore_fragment",
        "ignore_trailing_slash",
        "ignore_parameter_order",
    ),
    False,
) | {"ignore_parameters": ()}


@pytest.mark.parametrize(
    "one, other",
    [
        ("HTTP://www.EXAMPLE.com/", "http://www.example.com/"),
        ("http://example.com", "http://example.com:80/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://a/b/c/%7bfoo%7d", "http://a/b/c/%7Bfoo%7D"),
        ("http://a/%7Ename/%61", "http://a/~name/a"),
        ("http://a/b/../c/./d", "http://a/c/d"),
        ("http://例子.中国/文", "http://xn--fsqu00a.xn--fiqs8s/%E6%96%87"),
        ("http://a/?q=中 文", "http://a/?q=%e4%b8%ad%20%E6%96%87"),
        (" http://a/b ", "http://a/b"),
    ],
)
def test_equivalent_urls_are_the_same_even_when_nothing_is_ignored(one, other):
    assert are_same(one, other, **STRICT)


@pytest.mark.parametrize(
    "setting, one, other",
    [
        ("ignore_scheme", "http://a.com/b", "https://a.com/b"),
        ("ignore_www", "http://www.a.com/b", "http://a.com/b"),
        ("ignore_fragment", "http://a.com/b#c", "http://a.com/b"),
        ("ignore_trailing_slash", "http://a.com/b/", "http://a.com/b"),
        ("ignore_index", "http://a.com/b/index.html", "http://a.com/b/"),
        ("ignore_query", "http://a.com/b?c=1", "http://a.com/b"),
        ("ignore_parameter_order", "http://a.com/b?c=1&d=2", "http://a.com/b?d=2&c=1"),
        ("ignore_path_case", "http://a.com/B?C=D", "http://a.com/b?c=d"),
    ],
)
def test_each_setting_ignores_what_it_says_and_nothing_else_does(setting, one, other):
    strict = {**STRICT, "ignore_index": False, "ignore_query": False, "ignore_path_case": False}
    rest = {**dict.fromkeys(strict, True), "ignore_query": False, "ignore_parameters": ("x",)}
    assert are_same(one, other, **{**strict, setting: True})
    assert not are_same(one, other, **{**strict, setting: False})
    assert not are_same(one, other, **{**rest, setting: False})


def test_tracking_parameters_do_not_count_and_others_do():
    page = "https://example.com/watch?v=1"
    assert are_same(page, page + "&utm_source=x&UTM_Medium=y&fbclid=z&spm=a2.b")
    assert not are_same(page, page + "&page=2")
    assert not are_same(page, page + "&utm=2")
    assert not are_same(page, page + "&xfbclid=2")
    assert are_same(page, page + "&page=2", ignore_parameters=("page",))
    assert are_same("http://a/?a=1&amp;b=2&", "http://a/?a=1&b=2")


def test_a_port_a_user_and_a_hashbang_are_told_apart_as_they_should_be():
    assert not are_same("http://a.com:8080/", "http://a.com/")
    assert not are_same("http://a.com/#!/one", "http://a.com/#!/two")
    assert are_same("http://user:secret@a.com/", "http://a.com/")
    assert not are_same("http://[::1]:80/a", "http://[::2]/a")
    assert are_same("http://[::1]:80/a", "http://[::1]/a")
    assert not are_same("ftp://a.com/", "http://a.com/")


def test_documents_without_a_url_stay():
    assert drops(UrlDedup(), [None, None, "", "  ", "http://a", "http://a/"]) == {"f": "e"}


def test_the_longest_text_stays_when_asked_and_a_column_may_hold_the_url():
    urls = ["http://a.com/x", "http://a.com/x"]
    assert drops(UrlDedup(keep="longest"), urls, ["short", "longer"]) == {"a": "b"}
    batch = pl.DataFrame({"id": ["a", "b"], "text": ["", ""], "meta": ["{}", "{}"], "source": ["http://a", "http://A"]})
    component = UrlDedup(url="source")
    assert component.resolve(component.sketch(batch).lazy())["id"].to_list() == ["b"]
    with pytest.raises(DataError, match="no text column 'link'"):
        UrlDedup(url="link").sketch(batch)


def test_the_ledger_and_the_groups_of_a_step(tmp_path):
    urls = ["http://a.com/1", "https://www.a.com/1/", "http://a.com/2", None]
    corpus = small_corpus(tmp_path / "in", list("wxyz"), url=urls)
    result = trial(UrlDedup(url="url"), {"corpus": corpus}, tmp_path / "out")
    assert isinstance(result, Corpus)
    assert result.ledger.rejected == {"duplicate-url": 1}
    assert result.clusters().collect()["kept"].to_list() == [True, False]


def test_any_text_has_a_normal_form():
    """Whatever stands there is no reason to stop, and equals itself."""
    odd = ["http://", "://", "http://[", "javascript:alert(1)", "%", "%zz", "http://a:b:c/", "\u202e", "a" * 9000]
    for url in odd:
        assert drops(UrlDedup(), [url, url]) == {"b": "a"}
