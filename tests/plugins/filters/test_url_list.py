"""Documents go by where they come from: hosts and what lies below them, paths, however a URL is written."""

import json

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.url_list import UrlList, covered, hashed, write_list
from workbench_plugins.filters.web_addresses import address_of, is_numeric, listed_addresses

from workbench.api import EnvironmentProblem, StepError
from workbench.artifacts import Corpus
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of

HOSTS = b"\xef\xbb\xbf# hosts\n127.0.0.1 localhost\n0.0.0.0 ads.example tracker.example # both\n"
URLS = "bad.example\nhttp://shop.example/deals/\nbücher.example\n192.0.2.7\n*.zip\n中文.example/路径\n".encode()
FINE = b"! fine\n||good.bad.example^\nshop.example/deals/today/*\n"


def run(folder, urls, *, column=True, workers=1, **settings):
    """Return the result and its signals for documents with these URLs."""
    texts = [f"document {n}" for n in range(len(urls))]
    if column:
        corpus = small_corpus(folder / "corpus", texts, address=urls)
    else:
        corpus = small_corpus(folder / "corpus", texts)
        for shard in corpus.shards:
            frame = pl.read_parquet(shard.path)
            places = [int(text.removeprefix("document ")) for text in frame["text"]]
            meta = [json.dumps({"page": {"x": 1}, **({"address": urls[n]} if urls[n] else {})}) for n in places]
            frame.with_columns(meta=pl.Series(meta)).write_parquet(shard.path)
        corpus = Corpus(corpus.path, "meta", step="small")
    (folder / "run").mkdir(parents=True)
    for name, content in (("hosts", HOSTS), ("urls.txt", URLS), ("fine.txt", FINE)):
        (folder / "run" / name).write_bytes(content)
    given = {"url": "address", "block": ("hosts", "urls.txt"), "allow": ("fine.txt",), **settings}
    result = trial(UrlList(**given), {"corpus": corpus}, folder / "run", workers=workers)
    signals = pl.read_parquet(sorted((folder / "run" / "signals" / "signals").glob("*.parquet")))
    return result, signals.select(pl.exclude("id").name.map(lambda name: name.removeprefix("url-list.")))


BLOCKED = {
    "https://ads.example/x": "ads.example",
    "http://deep.sub.tracker.example": "tracker.example",
    "HTTP://BAD.EXAMPLE.:8080/": "bad.example",
    "https://good.example@bad.example/": "bad.example",
    "http:\\\\bad.example\\x": "bad.example",
    "http://b%61d.example/": "bad.example",
    "//bad.example/x": "bad.example",
    "bad.example": "bad.example",
    "https://shop.example/deals": "shop.example/deals",
    "https://www.shop.example/a/../deals/1?x=2": "shop.example/deals",
    "https://shop.example/deals?x=2": "shop.example/deals",
    "http://xn--bcher-kva.example/": "xn--bcher-kva.example",
    "http://BÜCHER。example/": "xn--bcher-kva.example",
    "http://0xC0000207/": "192.0.2.7",
    "http://any.zip/": "zip",
    "http://中文.example/路径/一": "xn--fiq228c.example/%E8%B7%AF%E5%BE%84",
}
FREE = [
    "https://notbad.example/",
    "https://bad.example.org/",
    "https://good.example/?u=bad.example",
    "https://bad.example@good.example/",
    "https://shop.example/dealsofday",
    "https://shop.example/",
    "https://192.0.2.77/",
    "http://7.192.0.2/",
    "https://zipper.org/zip",
    "http://中文.example/",
]
ALLOWED = ["https://good.bad.example/", "https://shop.example/deals/today/1"]
NO_URL = [None, "", "not a url at all", "mailto:somebody@bad.example", "http://"]


def test_every_way_to_write_a_blocked_address(tmp_path):
    urls = [*BLOCKED, *FREE, *ALLOWED, *NO_URL]
    result, signals = run(tmp_path, urls)
    assert signals["blocked_by"].to_list()[: len(BLOCKED)] == list(BLOCKED.values())
    assert signals["blocked_by"].to_list()[len(BLOCKED) :] == [
        *[None] * len(FREE), "bad.example", "shop.example/deals", *[None] * len(NO_URL)
    ]  # fmt: skip
    assert result.scan().collect()["address"].to_list() == [*FREE, *ALLOWED, *NO_URL]
    assert result.ledger.rejected == {"url-blocked": len(BLOCKED)}
    assert set(signals["block_list"].to_list()[:2]) == {"hosts"}
    assert set(signals["block_list"].to_list()[2 : len(BLOCKED)]) == {"urls.txt"}
    assert signals["allowed_by"].drop_nulls().to_list() == ["good.bad.example", "shop.example/deals/today"]
    assert signals["url_host"].to_list()[-5:] == [None] * 5


def test_urls_from_meta_give_the_same(tmp_path):
    urls = [*BLOCKED, *FREE, *ALLOWED, *NO_URL]
    _, one = run(tmp_path / "column", urls)
    _, two = run(tmp_path / "meta", urls, column=False)
    assert one.equals(two)


def test_only_what_is_allowed_and_only_with_a_url(tmp_path):
    urls = [*ALLOWED, FREE[0], None]
    result, _ = run(tmp_path / "a", urls, block=(), only_allowed=True)
    assert result.ledger.rejected == {"url-not-allowed": 1}
    result, _ = run(tmp_path / "b", urls, drop_without_url=True)
    assert result.ledger.rejected == {"no-url": 1}


def test_workers_do_not_matter(tmp_path):
    urls = [*BLOCKED, *FREE, *ALLOWED, *NO_URL]
    assert digest_of(run(tmp_path / "a", urls)[0].path) == digest_of(run(tmp_path / "b", urls, workers=2)[0].path)


@pytest.mark.parametrize(
    "line, expected",
    [
        ("Example.COM", ["example.com"]),
        (".example.com", ["example.com"]),
        ("example.com # a comment", ["example.com"]),
        ("::1 ip6-localhost", []),
        ("0.0.0.0 0.0.0.0", []),
        ("! title", []),
        ("[Adblock Plus 2.0]", []),
        ("http://u:p@example.com:80/a//b/?q#f", ["example.com/a//b/?q"]),
        ("[2001:DB8::1]", ["[2001:db8::1]"]),
        ("a_b.example.com", ["a_b.example.com"]),
        ("com", None),
        ("two words", None),
        ("||example.com^$third-party", None),
        ("@@||example.com^", None),
        ("example.com##.banner", None),
        ("/path/only", None),
    ],
)
def test_lines_of_lists(line, expected):
    assert listed_addresses(line) == expected


def test_lookups_agree_with_a_set(tmp_path):
    """Thousands of random hosts and paths against a plain set of entries, by the definition."""
    random = np.random.default_rng(5)

    def some(number):
        hosts = [".".join(random.choice(list("abc"), random.integers(2, 5))) for _ in range(number)]
        return [h + "".join(f"/{one}" for one in random.choice(list("xy"), random.integers(0, 4))) for h in hosts]

    entries = sorted(set(some(60)))
    write_list(tmp_path / "list", [hashed(entries)], [np.zeros(len(entries), dtype=np.uint16)])
    addresses = [address_of(f"http://{url}") for url in some(3000)]
    hosts, paths = (pl.Series([one[n] for one in addresses]) for n in (0, 1))
    found, _ = covered(tmp_path / "list", ("list",), hosts, paths)

    def expected(host, path):
        labels, pieces = host.split("."), path.split("/")[1:]
        suffixes = [".".join(labels[n:]) for n in range(len(labels))]
        prefixes = ["".join(f"/{one}" for one in pieces[:n]) for n in range(len(pieces), -1, -1)]
        return next((s + p for s in suffixes for p in prefixes if s + p in entries), None)

    assert found.to_list() == [expected(*one) for one in addresses]
    assert 100 < found.null_count() < 2900


@pytest.mark.parametrize("host, expected", [("1.2.3.4", True), ("[::1]", True), ("1.2.3.4.example", False)])
def test_numbers_lie_in_no_domain(host, expected):
    assert is_numeric(host) == expected


def test_bad_lists_are_refused_or_counted(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "list.txt").write_text("good.example\nno domain here\n")
    corpus = small_corpus(tmp_path / "corpus", ["a"])
    with pytest.raises(StepError, match=r"list.txt, line 2: 'no domain here': 1 of 2 lines are neither"):
        trial(UrlList(block=("list.txt",)), {"corpus": corpus}, tmp_path / "run")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "list.txt").write_text("good.example\nno domain here\n")
    result = trial(UrlList(block=("list.txt",), max_bad_share=0.5), {"corpus": corpus}, tmp_path / "again")
    assert result.num_rows == 1


@pytest.mark.parametrize("settings", [{}, {"block": ["x"], "only_allowed": True}, {"block": ["x"], "url": "a'b"}])
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValidationError):
        UrlList(**settings)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(EnvironmentProblem, match="nothing at 'nowhere'"):
        UrlList(block=("nowhere",)).digests(tmp_path, str)


def test_a_host_that_no_name_server_knows_is_none():
    """Every domain above it would be tried: minutes for a megabyte of dots."""
    assert address_of("http://" + "a." * 126 + "b/x").host == "a." * 126 + "b"
    assert address_of("http://" + "a." * 126 + "bc/x") is None
