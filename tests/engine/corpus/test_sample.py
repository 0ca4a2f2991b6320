"""Samples: exact numbers or average shares, the same for the same seed."""

import pytest

from workbench.engine.corpus.sample import Sample
from workbench.errors import StepError

TEXTS = {"train-0": [f"t{n}" for n in range(300)], "train-1": [], "valid-0": [f"v{n}" for n in range(200)]}


def test_an_exact_number_in_order_and_parts(corpora):
    """As many as asked for, in the order and parts of the input."""
    corpus = corpora.make(TEXTS)
    result = corpora.run(Sample(documents=50), corpus)
    kept = corpora.ids(result)
    assert len(kept) == 50
    assert kept == [name for name in corpora.ids(corpus) if name in set(kept)]
    assert result.parts == ("train", "valid")
    assert [shard.name for shard in result.shards] == [shard.name for shard in corpus.shards]
    assert result.ledger.to_json()["rejected"] == {"not-sampled": 450}


def test_a_larger_sample_holds_the_smaller(corpora):
    """So that experiments grow, and the seed chooses."""
    corpus = corpora.make(TEXTS)
    small, large = (set(corpora.ids(corpora.run(Sample(documents=n), corpus))) for n in (20, 80))
    other = set(corpora.ids(corpora.run(Sample(documents=20), corpus, seed=2)))
    assert small < large
    assert small != other


def test_a_share_on_average(corpora):
    """Within 4 standard deviations of a fair coin: 0.3 of 500 is 150 ± 41."""
    result = corpora.run(Sample(share=0.3), corpora.make(TEXTS))
    assert abs(result.num_rows - 150) < 4 * (500 * 0.3 * 0.7) ** 0.5
    assert corpora.run(Sample(share=1), corpora.make(TEXTS)).num_rows == 500


def test_what_is_not_sampled_is_listed_without_its_text(corpora):
    """It was not judged; its text stands in the input."""
    corpus = corpora.make({"0": ["a", "b"]})
    result = corpora.run(Sample(documents=1), corpus)
    (reject,) = result.rejects().collect().iter_rows(named=True)
    assert (reject["reason"], reject["filter"], reject["source"]) == ("not-sampled", "sample", "s")
    assert (reject["text"], reject["meta"]) == (None, None)
    assert {reject["id"], *corpora.ids(result)} == {"0/0", "0/1"}


def test_fewer_than_asked_for_are_all_kept(corpora):
    """Also when there are none at all."""
    assert corpora.run(Sample(documents=9), corpora.make({"0": ["a", "b"]})).num_rows == 2
    assert corpora.run(Sample(documents=9), corpora.make({})).num_rows == 0


def test_one_size_must_be_named():
    """Neither and both are refused."""
    for settings in ({}, {"documents": 1, "share": 0.5}):
        with pytest.raises(ValueError, match="either documents or share"):
            Sample(**settings)


def test_at_most_so_many_of_each_value(corpora):
    """Two of each site and two without one, over shards; a larger number holds the smaller; the seed chooses."""
    texts = {"0": ["a"] * 9 + ["b"], "1": ["a"] * 5 + ["c"] * 3 + [""] * 4}
    corpus = corpora.make(texts, meta=lambda text: {"site": text} if text else {})
    result = corpora.run(Sample(documents=2, per="site"), corpus)
    assert dict(result.scan().collect()["text"].value_counts().iter_rows()) == {"a": 2, "b": 1, "c": 2, "": 2}
    assert result.ledger.to_json()["rejected"] == {"not-sampled": 15}
    assert set(corpora.ids(result)) < set(corpora.ids(corpora.run(Sample(documents=3, per="site"), corpus)))
    with pytest.raises(StepError, match="no document has 'sight'"):
        corpora.run(Sample(documents=2, per="sight"), corpus)
    with pytest.raises(ValueError, match="per needs documents"):
        Sample(share=0.5, per="site")
