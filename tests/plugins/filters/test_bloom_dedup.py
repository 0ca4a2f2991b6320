"""A Bloom filter lets no repeat stay, drops no more than the stated share of the others, and sees what was seen."""

import random

import polars as pl
import pytest
from workbench_plugins.filters.bloom_dedup import BloomDedup

from workbench.api import DataError
from workbench.testing import small_corpus, trial
from workbench.testing.trials import digest_of


def frame(texts):
    return pl.DataFrame({"id": [f"{number:05}" for number in range(len(texts))], "text": texts})


def drops(component, texts):
    return component.resolve(component.sketch(frame(texts)).lazy()).sort("id", "start")


def test_the_first_of_equal_documents_by_id_stays():
    texts = ["你好 世界", "other", " 你好\n世界 ", "你好 世界", "", " "]
    found = drops(BloomDedup(expected_items=10), texts)
    assert found["id"].to_list() == ["00002", "00003", "00005"]
    assert set(found["reason"]) == {"seen-before"}
    assert found["start"].null_count() == 3


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_the_rate_of_false_positives_is_what_was_asked_for(rate):
    """All that goes without a like is, over the filling of the filter, below the rate, and not far below at its end."""
    texts = [f"document {number} 文" for number in range(20_000)]
    found = drops(BloomDedup(expected_items=len(texts), false_positives=rate), texts)
    assert rate * 0.05 < found.height / len(texts) < rate
    assert drops(BloomDedup(expected_items=10**7), texts).is_empty()


def test_no_repeat_stays_however_full_the_filter():
    chance = random.Random(1)
    texts = [f"document {chance.randrange(300)}" for _ in range(1000)]
    found = drops(BloomDedup(expected_items=1000, false_positives=0.4), texts)
    kept = [text for name, text in zip(frame(texts)["id"], texts, strict=True) if name not in set(found["id"])]
    assert len(kept) == len(set(kept))


def test_paragraphs_are_cut():
    shared = "A paragraph of more than twenty letters.\n\n"
    found = drops(
        BloomDedup(unit="paragraph", expected_items=100), [shared + "one", "two\n\n" + shared.upper(), "short\n\nshort"]
    )
    assert found.select("id", "start", "end").rows() == [("00001", 5, 5 + len(shared))]


def test_more_items_than_expected_are_refused_with_what_to_do():
    with pytest.raises(DataError, match=r"more than 3 items.*\n.*\n.*set expected_items to 4"):
        drops(BloomDedup(expected_items=3), list("abcd"))


def test_what_stands_in_a_seen_corpus_goes(tmp_path):
    """Whatever the number of workers; and the filter is sized for both corpora."""
    texts = [f"document {number}, 第{number}篇" for number in range(40)]
    corpus = small_corpus(tmp_path / "corpus", [*texts[:20], *texts[:3]])
    seen = [small_corpus(tmp_path / "a", texts[10:15]), small_corpus(tmp_path / "b", texts[18:40], parts=("x", "y"))]
    component = BloomDedup(expected_items=50)
    inputs = {"corpus": corpus, "seen": seen}
    one, four = (trial(component, inputs, tmp_path / str(workers), workers=workers) for workers in (1, 4))
    assert sorted(one.scan().collect()["text"]) == sorted(texts[:10] + texts[15:18])
    assert one.ledger.rejected == {"seen-before": 10}
    assert digest_of(one.path) == digest_of(four.path)
    with pytest.raises(DataError, match="more than 30 items"):
        trial(BloomDedup(expected_items=30), inputs, tmp_path / "small")


def test_the_order_of_shards_does_not_matter():
    texts = [f"document {number % 700}" for number in range(1000)]
    component = BloomDedup(expected_items=1000, false_positives=0.2)
    sketches = [component.sketch(frame(texts)[start : start + 90]) for start in range(0, 1000, 90)]
    one, other = (component.resolve(pl.concat(given).lazy()) for given in (sketches, sketches[::-1]))
    assert one.sort("id").equals(other.sort("id"))
