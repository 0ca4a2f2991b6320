"""The diversity audit: rates, intervals and tests by hand; what is flagged, with examples; nothing acts on the page."""

import json
from math import comb

import polars as pl
import pytest

from workbench.artifacts import Corpus, Report
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.contracts.records import documents
from workbench.engine.corpus.audit import Audit
from workbench.engine.corpus.writing import CorpusWriter
from workbench.errors import StepError

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


def corpus_of(folder, rows, shards=2, dropped=None):
    """Write rows `(id, text, meta)` as a corpus; those in `dropped` (id -> reasons, signals) as rejects."""
    dropped = dropped or {}
    writer = CorpusWriter(folder)
    listed = []
    for index in range(shards):
        mine = rows[index::shards]
        frame = documents(
            [{"id": i, "text": text, "source": f"{m['site']}.jsonl:{i}", "meta": m} for i, text, m in mine]
        )
        kept = frame.filter(~frame["id"].is_in(list(dropped)))
        gone = frame.filter(frame["id"].is_in(list(dropped)))
        extra = [dropped[name] for name in gone["id"]]
        rejected = gone.with_columns(
            pl.Series("filter", [reasons[0].partition(": ")[0] for reasons, _ in extra], dtype=pl.String),
            pl.Series("reason", [reasons[0].partition(": ")[2] for reasons, _ in extra], dtype=pl.String),
            pl.Series("reasons", [json.dumps(reasons) for reasons, _ in extra], dtype=pl.String),
            pl.Series("signals", [json.dumps(signals) for _, signals in extra], dtype=pl.String),
        )
        listed.append(writer.add(None, index, kept, rejected))
    ledger = Ledger(read=len(rows), kept=len(rows) - len(dropped))
    ledger.rejected["any"] = len(dropped)
    writer.finish(ledger, listed)
    return Corpus(folder, step=folder.name)


def audit(folder, corpus, steps, **settings):
    folder.mkdir()
    ctx = Context(
        "audit", "corpus/audit", 1, folder, folder, folder / "scratch", folder, {"corpus": corpus, "steps": steps}
    )
    Audit(**settings).run(ctx)
    return Report(folder)


def sites(big=80, small=20):
    """Return documents of two sites, `b…` of the big one, `s…` of the small one."""
    rows = [(f"b{n:02}", f"{HOSTILE} text {n}", {"site": "big"}) for n in range(big)]
    return rows + [(f"s{n:02}", f"{HOSTILE} text {n}", {"site": "small"}) for n in range(small)]


def drops(big, small, reasons=("words: short",), signals=None):
    names = [f"b{n:02}" for n in range(big)] + [f"s{n:02}" for n in range(small)]
    return {name: (list(reasons), signals or {"words.num_words": 3}) for name in names}


def cell(report, group, reason="short"):
    table = report.tables["drop-rates"]
    (row,) = table.filter((table["group"] == group) & (table["reason"] == reason)).iter_rows(named=True)
    return row


def test_a_group_hit_harder_is_flagged_by_hand(tmp_path):
    """8 of 80 and 10 of 20: 18 % in the whole, 50 % in the small; the tail of the hypergeometric, times two tests."""
    corpus = corpus_of(tmp_path / "all", sites())
    step = corpus_of(tmp_path / "clean", sites(), dropped=drops(8, 10))
    report = audit(tmp_path / "out", corpus, [step], by=("site",))
    small, big = cell(report, "small"), cell(report, "big")
    assert (small["dropped"], small["read"], small["rate"], small["whole_rate"]) == (10, 20, 0.5, 0.18)
    assert small["ratio"] == pytest.approx(0.5 / 0.18, abs=1e-6)
    assert (small["low"], small["high"]) == (0.299298, 0.700702)  # Wilson's for 10 of 20
    tail = sum(comb(20, k) * comb(80, 18 - k) for k in range(10, 19)) / comb(100, 18)
    assert small["p_adjusted"] == pytest.approx(2 * tail, rel=2e-3)
    assert small["flagged"]
    assert not big["flagged"]
    assert report.tables["flagged"]["group"].to_list() == ["small"]


def test_equal_rates_flag_nobody(tmp_path):
    """A tenth of each group: nothing is flagged, and the page says so."""
    corpus = corpus_of(tmp_path / "all", sites())
    step = corpus_of(tmp_path / "clean", sites(), dropped=drops(8, 2))
    report = audit(tmp_path / "out", corpus, [step], by=("site",))
    assert report.tables["flagged"].is_empty()
    assert "None, by the measure above." in (report.path / "report.html").read_text("utf-8")


def test_what_is_certain_but_small_and_what_is_large_but_rare_is_not_flagged(tmp_path):
    """Below the ratio or the difference asked for, or in a group too small to test."""
    corpus = corpus_of(tmp_path / "all", sites())
    step = corpus_of(tmp_path / "clean", sites(), dropped=drops(8, 10))
    for number, settings in enumerate(
        ({"min_ratio": 3}, {"min_difference": 0.4}, {"min_documents": 21}, {"alpha": 1e-6})
    ):
        report = audit(tmp_path / str(number), corpus, [step], by=("site",), **settings)
        assert report.tables["flagged"].is_empty(), settings


def test_every_reason_counts_and_sums_are_told_apart(tmp_path):
    """A second reason counts beside the first; a filter with one reason is not tested twice."""
    corpus = corpus_of(tmp_path / "all", sites())
    gone = {**drops(8, 0), **{f"s{n:02}": (["words: short", "links: many"], {}) for n in range(10)}}
    report = audit(tmp_path / "out", corpus, [corpus_of(tmp_path / "clean", sites(), dropped=gone)], by=("site",))
    table = report.tables["drop-rates"].filter(report.tables["drop-rates"]["group"] == "small")
    rules = {
        (f, r): (n, p is not None)
        for f, r, n, p in table.select("filter", "reason", "dropped", "p_adjusted").iter_rows()
    }
    assert rules == {
        ("(any)", "(any)"): (10, True),
        ("words", "(any)"): (10, False),
        ("words", "short"): (10, True),
        ("links", "(any)"): (10, False),
        ("links", "many"): (10, True),
    }


def test_steps_behind_each_other_have_their_own_reading(tmp_path):
    """The second step's rates are shares of what the first left to it."""
    corpus = corpus_of(tmp_path / "all", sites())
    first = corpus_of(tmp_path / "first", sites(), dropped=drops(40, 0))
    left = [row for row in sites() if not ("b" in row[0] and int(row[0][1:]) < 40)]
    second = corpus_of(tmp_path / "second", left, dropped={"s00": (["dedup: duplicate"], {})})
    report = audit(tmp_path / "out", corpus, [first, second], by=("site",))
    row = cell(report, "small", "duplicate")
    assert (row["dropped"], row["read"], row["whole_read"]) == (1, 20, 60)
    with pytest.raises(StepError, match="40 of 100 documents that step first read are not in the corpus"):
        audit(tmp_path / "wrong", corpus_of(tmp_path / "left", left), [first], by=("site",))


def test_rare_groups_stand_together_and_are_not_tested(tmp_path):
    """The largest groups by name, the rest as (other), documents without a value as (none)."""
    rows = [(f"d{n:03}", "text", {"site": "s", "topic": f"t{n % 5}" if n < 100 else ""}) for n in range(130)]
    step = corpus_of(tmp_path / "clean", rows, dropped={"d000": (["f: r"], {})})
    report = audit(tmp_path / "out", corpus_of(tmp_path / "all", rows), [step], by=("topic",), groups=2)
    table = report.tables["drop-rates"].filter(report.tables["drop-rates"]["reason"] == "r")
    assert table.select("group", "read").rows() == [("t0", 20), ("t1", 20), ("(none)", 30), ("(other)", 60)]
    assert table["p_adjusted"].is_null().to_list() == [False, False, False, True]


def test_examples_stand_on_the_page_and_nothing_acts(tmp_path):
    """Texts, groups and reasons somebody else wrote are shown as text; signals of the filter beside them."""
    rows = [(name, text, {"site": f"<img src=x onerror=alert(1)> {m['site']}"}) for name, text, m in sites()]
    gone = drops(8, 10, signals={"words.num_words": 3, "other.x": 1})
    report = audit(
        tmp_path / "out",
        corpus_of(tmp_path / "all", rows),
        [corpus_of(tmp_path / "clean", rows, dropped=gone)],
        by=("site", "source"),
    )
    page = (report.path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m&lt;U+202E&gt; text 0" in page
    assert "num_words 3 — " in page
    assert "other.x" not in page
    assert len(report.pictures) == 2
    assert b"<script" not in report.pictures[0].svg


def test_axes_without_values_are_left_out_with_a_note(tmp_path):
    """No language: the note says how to have it. None at all is an error."""
    corpus = corpus_of(tmp_path / "all", sites())
    step = corpus_of(tmp_path / "clean", sites(), dropped=drops(8, 10))
    report = audit(tmp_path / "out", corpus, [step])
    assert set(report.tables["drop-rates"]["axis"]) == {"source", "length", "register"}
    assert any("filter/language-tag" in note for note in report.notes)
    with pytest.raises(StepError, match="no document has any of them"):
        audit(tmp_path / "none", corpus, [step], by=("language",))


def test_axes_in_other_scripts_have_pictures_of_their_own(tmp_path):
    """No letter of theirs stands in the name of a file, and still none takes the place of another."""
    rows = [(name, text, {**meta, "主题": meta["site"], "体裁": "诗"}) for name, text, meta in sites(8, 4)]
    dropped = drops(4, 2)
    step = corpus_of(tmp_path / "clean", rows, dropped=dropped)
    report = audit(tmp_path / "out", corpus_of(tmp_path / "raw", rows), [step], by=("主题", "体裁"))
    names = [drawn.name for drawn in report.pictures]
    assert names == ["drop-rates-key", "drop-rates-key-2"]
    assert len({drawn.svg for drawn in report.pictures}) == 2


@pytest.mark.parametrize("key", ["reason", "filter", "len", "group", "axis", "place"])
def test_a_key_may_be_called_like_a_column_of_the_counting(tmp_path, key):
    """It groups as any other does: 5 of 8 documents of the big site are dropped."""
    rows = [(name, text, {**meta, key: meta["site"]}) for name, text, meta in sites(8, 4)]
    step = corpus_of(tmp_path / "clean", rows, dropped=drops(5, 1))
    table = audit(tmp_path / "out", corpus_of(tmp_path / "raw", rows), [step], by=(key,)).tables["drop-rates"]
    big = table.filter(pl.col("reason") == "short", pl.col("axis") == key, pl.col("group") == "big")
    assert big.select("dropped", "read").rows() == [(5, 8)]


def test_nothing_dropped(tmp_path):
    """No drops: empty tables and a page that says so."""
    corpus = corpus_of(tmp_path / "all", sites())
    report = audit(tmp_path / "out", corpus, [corpus_of(tmp_path / "clean", sites())])
    assert report.tables["drop-rates"].is_empty()
    assert "No step dropped any document." in (report.path / "report.html").read_text("utf-8")
