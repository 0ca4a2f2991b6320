"""Exact deduplication keeps one of every group of equal texts, whatever the order."""

from hashlib import blake2b

import polars as pl
import pytest
from workbench_plugins.filters.exact_dedup import ExactDedup, digest_texts


def drops(component, texts, ids="abcdefgh"):
    batch = pl.DataFrame({"id": list(ids)[: len(texts)], "text": texts}, schema={"id": pl.String, "text": pl.String})
    found = component.resolve(component.sketch(batch).lazy())
    return {row["id"]: row["duplicate_of"] for row in found.iter_rows(named=True)}


def test_the_smallest_id_of_a_group_stays():
    assert drops(ExactDedup(), ["你好 世界", "other", "你好 世界", "你好 世界"]) == {"c": "a", "d": "a"}


def test_white_space_counts_only_when_asked():
    texts = ["a b", " a \n\t b ", "a  b", "a\u3000b"]
    assert drops(ExactDedup(), texts) == {"b": "a", "c": "a", "d": "a"}
    assert drops(ExactDedup(collapse_whitespace=False), texts) == {}


def test_case_counts_unless_folded():
    assert drops(ExactDedup(), ["Straße", "STRAßE"]) == {}
    assert drops(ExactDedup(fold_case=True), ["Straße", "STRAßE"]) == {"b": "a"}


def test_the_longest_as_read_stays_when_asked_and_ties_go_by_id():
    texts = ["a b", "a  b", "a\n\n\nb", "x"]
    assert drops(ExactDedup(keep="longest"), texts) == {"a": "c", "b": "c"}
    assert drops(ExactDedup(keep="longest"), ["a  b", "a\n b"]) == {"b": "a"}


def test_documents_without_text_equal_each_other():
    assert drops(ExactDedup(), ["", None, "  ", "x"]) == {"b": "a", "c": "a"}


def test_near_duplicates_are_not_equal():
    assert drops(ExactDedup(), ["a b c", "a b d", "ab c"]) == {}


def test_an_empty_corpus_drops_nothing():
    assert drops(ExactDedup(), []) == {}


@pytest.mark.parametrize("keep", ["first", "longest"])
def test_the_order_of_shards_does_not_matter(keep):
    component = ExactDedup(keep=keep)
    batch = pl.DataFrame(
        {"id": [f"{i:03}" for i in range(200)], "text": [" " * (i % 7) + str(i % 23) for i in range(200)]}
    )
    shards = [component.sketch(batch[start : start + 30]) for start in range(0, 200, 30)]
    forward = component.resolve(pl.concat(shards).lazy())
    backward = component.resolve(pl.concat(shards[::-1]).lazy())
    assert len(forward) == 200 - 23
    assert forward.equals(backward)


def test_the_digest_is_blake2b_of_the_utf8_on_any_slice():
    texts = pl.Series(["x", "文本", "", "tail"])
    expected = blake2b("文本".encode(), digest_size=16).digest()
    assert digest_texts(texts)[1].tobytes() == expected
    assert digest_texts(texts[1:])[0].tobytes() == expected
