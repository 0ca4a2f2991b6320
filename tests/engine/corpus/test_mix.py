"""Mixtures: exact proportions, budgets by unit, the same result however documents lie in shards."""

import pytest

from workbench.artifacts import Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.contracts.records import documents
from workbench.engine.corpus.mix import Mix
from workbench.engine.corpus.writing import CorpusWriter
from workbench.errors import StepError


def mix(folder, corpora, seed=1, **settings):
    ctx = Context("mix", "corpus/mix", seed, folder, folder, folder / "scratch", folder, {"corpora": corpora})
    Mix(**settings).run(ctx)
    return Corpus(folder)


def counts(result, column="mixture"):
    frame = result.scan().collect()
    return dict(sorted(frame.group_by(column).len().rows()))


@pytest.fixture
def sources(corpora):
    """Return 90 documents of 10 characters and 2 words, and 60 of 5 Han characters."""
    return [
        corpora.make({"-0": ["abcd, fghi"] * 50, "-1": ["abcd, fghi"] * 40}),
        corpora.make({"-10": ["春天来了吗"] * 60}),
    ]


def test_weights_are_exact(sources, tmp_path):
    """A total is dealt out by largest remainder; the rest is counted and listed without text."""
    result = mix(tmp_path / "out", sources, weights=[2, 1], total=50, names=["en", "zh"])
    assert counts(result) == {"en": 33, "zh": 17}
    assert result.ledger.to_json()["rejected"] == {"not-drawn": 100}
    rejects = result.rejects().collect()
    assert rejects.height == 100
    assert rejects["text"].null_count() == 100


def test_without_a_total_as_much_as_there_can_be(sources, tmp_path):
    """The corpus that is scarcest for its weight decides."""
    assert counts(mix(tmp_path / "out", sources, weights=[1, 2])) == {"0": 30, "1": 60}
    assert counts(mix(tmp_path / "one", sources, weights=[0, 1])) == {"1": 60}


@pytest.mark.parametrize("unit,drawn", [("characters", (3, 5)), ("words", (13, 5)), ("documents", (25, 25))])
def test_budgets_are_met_by_less_than_a_document_too_much(sources, tmp_path, unit, drawn):
    """25 characters are 3 documents of 10 or 5 of 5; 25 words are 13 documents of 2 or 5 of 5 Han characters."""
    result = mix(tmp_path / "out", sources, budgets=[25, 25], unit=unit)
    assert counts(result) == {"0": drawn[0], "1": drawn[1]}


def test_a_corpus_that_is_too_small_is_refused(sources, tmp_path):
    """With how much is missing and what would do."""
    with pytest.raises(StepError, match="corpus 1 has 60 documents, 15 fewer than the 75 wanted") as caught:
        mix(tmp_path / "out", sources, total=150)
    assert "total to 120" in caught.value.advice
    with pytest.raises(StepError, match="1 weights"):
        mix(tmp_path / "places", sources, weights=[1])
    with pytest.raises(StepError, match="tokens are counted by a tokenizer"):
        mix(tmp_path / "tokens", sources, unit="tokens")


def test_shuffled_by_the_seed_alone(sources, tmp_path, corpora):
    """Mixed well, the same for the same seed, another order for another."""
    first, again, other = (mix(tmp_path / str(n), sources, seed, total=60) for n, seed in enumerate((1, 1, 2)))
    assert corpora.ids(first) == corpora.ids(again)
    assert corpora.ids(first) != corpora.ids(other)
    assert 5 < first.scan().collect()["mixture"].head(30).to_list().count("0") < 25


def test_the_same_however_documents_lie_in_shards(tmp_path):
    """What is drawn, and its order, follow from the seed and the ids."""

    def corpus(name, shards):
        writer = CorpusWriter(tmp_path / name)
        rows = [[{"id": i, "text": f"text {i}", "source": "s"} for i in ids] for ids in shards]
        listed = [writer.add(None, index, documents(part)) for index, part in enumerate(rows)]
        number = sum(map(len, shards))
        writer.finish(Ledger(read=number, kept=number), listed)
        return Corpus(writer.path)

    ids = [f"a{n}" for n in range(40)]
    other = corpus("b", [[f"b{n}" for n in range(40)]])
    one, three = corpus("one", [ids]), corpus("three", [ids[25:][::-1], ids[:10], ids[10:25]])
    results = [
        mix(tmp_path / f"out{n}", [first, other], weights=[3, 1], total=120, unit="characters")
        for n, first in enumerate((one, three))
    ]
    assert results[0].scan().collect().equals(results[1].scan().collect())
    assert results[0].rejects().collect().equals(results[1].rejects().collect())


def test_one_way_to_say_how_much():
    """Budgets and weights at once, negative ones and nothing but zeros are refused."""
    for settings in ({"budgets": [1], "weights": [1]}, {"weights": [0, 0]}, {"weights": [-1, 2]}):
        with pytest.raises(ValueError, match="budgets"):
            Mix(**settings)
