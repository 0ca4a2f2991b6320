"""The statistics card: every number by hand, in English and Chinese; nothing of the corpus acts on the page."""

import json

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from workbench.artifacts import Report
from workbench.artifacts.corpus import read_shard, write_scratch
from workbench.contracts.context import Context
from workbench.engine.corpus import statistics_counts
from workbench.engine.corpus.keywords import Weighted, chinese_words, ngrams, tokens_of
from workbench.engine.corpus.statistics import Statistics

HOSTILE = "<script>alert(1)</script> \x1b[31m \u202e a line of some length that stands in several texts"


def card(folder, corpus, before=None, seed=1, **settings):
    folder.mkdir()
    inputs = {"corpus": corpus, **({"before": before} if before else {})}
    ctx = Context("card", "corpus/statistics", seed, folder, folder, folder / "scratch", folder, inputs)
    Statistics(**settings).run(ctx)
    return Report(folder)


def meta(text):
    return {"language": "zh" if "春" in text else "en", "domain": "b.org" if "x" in text else "a.org"}


@pytest.fixture
def six(corpora):
    """Six documents: lengths 0, 3, 3, 5, 4, 17; one repeated to the letter, one but for case and space."""
    return corpora.make({"train-0": ["", "abc", "abc"], "valid-0": ["春天来了吗", "A bc", "x of two words 12"]}, meta)


def test_sizes_lengths_and_parts_by_hand(six, tmp_path):
    """Characters 0+3+3+5+4+17 = 32; words 0+1+1+5+2+5 = 14; a Han character has 3 bytes."""
    report = card(tmp_path / "out", six)
    content = json.loads((report.path / "statistics.json").read_text("utf-8"))["corpus"]
    assert content["totals"] == {"documents": 6, "characters": 32, "words": 14, "bytes": 42}
    assert content["lengths"] == [[0, 1], [2, 2], [4, 2], [16, 1]]
    assert content["parts"] == {"train": 3, "valid": 3}
    assert content["axes"]["language"] == {
        "en": {"documents": 5, "characters": 27},
        "zh": {"documents": 1, "characters": 5},
    }
    table = report.tables["by-domain"]
    assert table.rows() == [("a.org", 5, "83.3%", 15), ("b.org", 1, "16.7%", 17)]


def test_repeats_by_hand(corpora, tmp_path):
    """`abc` stands three times to the letter and once more in another case: 2 the same, 3 alike, one text."""
    corpus = corpora.make({"0": ["abc", "abc", "x"], "1": ["abc", " ABC\n", "y"]})
    table = card(tmp_path / "out", corpus).tables["repeats"]
    assert table["corpus"].to_list() == ["2 (33.3%)", "3 (50.0%)", "1"]
    assert card(tmp_path / "two", corpus).tables["repeated-texts"].rows() == [(4, "abc")]


def test_hashes_are_looked_at_a_file_at_a_time(tmp_path, monkeypatch):
    """Memory holds a file of 20,000 hashes (160 kB), not all twenty, and of every file what is in the bucket."""
    files = [tmp_path / f"{number}.parquet" for number in range(20)]
    for number, file in enumerate(files):
        write_scratch(file, pl.DataFrame({"same": np.arange(20_000, dtype=np.uint64) + 20_000 * (number % 19)}))
    held = []

    def looked(file, columns):
        held.append(pa.total_allocated_bytes())
        return read_shard(file, columns)

    monkeypatch.setattr(statistics_counts, "read_shard", looked)
    values, copies = statistics_counts._repeated(files, "same", 0, 100)
    assert (values.tolist(), set(copies.tolist())) == (list(range(0, 20_000, 100)), {2})
    assert max(held) < 20 * 160_000 / 2


def test_before_stands_beside(corpora, six, tmp_path):
    """Sizes and shares of both, and a document that went is missing in one only."""
    report = card(tmp_path / "out", corpora.make({"0": ["abc"]}, meta), before=six)
    assert report.tables["size"].filter(report.tables["size"][""] == "documents").rows() == [("documents", 1, 6)]
    assert report.tables["by-language"].rows()[0][:3] == ("en", 1, "100.0%")
    assert report.tables["by-language"]["documents before"].to_list() == [5]


def test_rare_groups_are_added_up(corpora, tmp_path):
    """Two of four languages are shown; the others stand together, documents without one for themselves."""
    texts = ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"] + [""]
    corpus = corpora.make({"0": texts}, meta=lambda text: {"language": text} if text else {})
    table = card(tmp_path / "out", corpus, groups=2).tables["by-language"]
    assert table.select("language", "documents").rows() == [("a", 4), ("b", 3), ("(other)", 3), ("(none)", 1)]


def test_keys_in_other_scripts_have_tables_of_their_own(corpora, tmp_path):
    """No letter of theirs stands in the name of a file, and still none takes the place of another."""
    corpus = corpora.make({"0": ["a", "b"]}, meta=lambda text: {"主题": text, "体裁": "诗", "Domain!": "x"})
    tables = card(tmp_path / "out", corpus, by=("主题", "体裁", "Domain!")).tables
    found = {name: table.columns[0] for name, table in tables.items() if name.startswith(("by-key", "by-domain"))}
    assert found == {"by-key": "主题", "by-key-2": "体裁", "by-domain-2": "Domain!"}


def test_a_key_called_like_what_is_counted(corpora, tmp_path):
    """The names of its groups stay beside their numbers."""
    corpus = corpora.make({"0": ["a", "b"]}, meta=lambda text: {"documents": f"of {text}"})
    table = card(tmp_path / "out", corpus, by=("documents",)).tables["by-documents"]
    assert table.select("documents (key)", "documents").rows() == [("of a", 1), ("of b", 1)]


def test_nothing_of_the_corpus_acts(corpora, tmp_path):
    """Texts, lines, domains and languages are text on the page and in the pictures."""
    corpus = corpora.make(
        {"0": [HOSTILE, HOSTILE, f"{HOSTILE}\nmore"]},
        lambda _: {"domain": "<img src=x onerror=a()>", "language": "体育"},
    )
    report = card(tmp_path / "out", corpus)
    page = (report.path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert not set(page) & {"\x1b", "\u202e"}
    assert "In the picture: #1 体育." in page
    assert not any(tag in drawn.svg for drawn in report.pictures for tag in (b"<script", b"<img"))


def test_the_same_bytes_for_the_same_seed(six, tmp_path):
    """And another sample for another seed."""
    pages = [
        (card(tmp_path / str(n), six, seed=seed, sample=2).path / "report.html").read_bytes()
        for n, seed in enumerate((1, 1, 3))
    ]
    assert pages[0] == pages[1] != pages[2]


def test_nothing_to_count(corpora, tmp_path):
    """An empty corpus has an empty card."""
    report = card(tmp_path / "out", corpora.make({"0": []}))
    assert report.tables["size"].filter(report.tables["size"][""] == "documents").rows() == [("documents", 0)]


def test_words_of_text_with_spaces():
    """Runs of letters in lower case; digits, punctuation and addresses are none; Han stands apart."""
    assert tokens_of(["The cat's HAT-rack (https://a.org/x) costs 3 Фунта, naïve"]) == [
        ["the", "cat's", "hat", "rack", "costs", "фунта", "naïve"]
    ]


def test_chinese_words_are_words():
    """Found without a dictionary: those that keep together, not their fragments, not whole sentences."""
    places, verbs = ("图书馆", "火车站", "体育场"), ("安静", "明亮", "拥挤")
    runs = [
        f"{place}{link}{verb}" for place in places for verb in verbs for link in ("今很", "也不", "却真", "总太") * 3
    ]
    words = chinese_words(runs)
    assert {*places, *verbs} <= words
    assert not words & {"图书", "书馆", "火车", "体育", "育场"}
    assert max(map(len, words)) <= 4
    assert tokens_of(runs)[0] == ["图书馆", "安静"]


def test_keywords_and_topics_tell_groups_apart():
    """Ten texts about rivers, ten about trains: keywords by group and two topics of ten; stop words are none."""
    rivers = [f"the river water flows and the boat on the river number{n}" for n in range(10)]
    trains = [f"the train station has a rail and the train engine number{n}" for n in range(10)]
    weighted = Weighted(tokens_of(rivers + trains))
    keywords = weighted.keywords(["r"] * 10 + ["t"] * 10, 3)
    assert keywords.filter(keywords["group"] == "r")["keyword"].to_list() == ["river", "boat", "flows"]
    assert "the" not in weighted.terms
    topics = weighted.topics(2, "nmf", 1)
    assert topics["documents"].to_list() == [10, 10]
    assert {frozenset(words.split(", ")) for words in topics["words"]} == {
        frozenset({"river", "water", "flows", "boat"}),
        frozenset({"train", "station", "rail", "engine"}),
    }


def test_ngrams_count_documents():
    """A string counts once for each document; those that begin or end in a stop word are left out."""
    table = ngrams([["new", "york", "city"], ["new", "york", "new", "york"], ["the", "city"], ["the", "city"]], 5)
    assert table.rows() == [(2, "new york", 2)]
