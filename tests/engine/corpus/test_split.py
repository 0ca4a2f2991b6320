"""Parts: where a document goes follows from the seed and its id, or its group."""

import pytest

from workbench.engine.corpus.split import Split
from workbench.errors import StepError

HALVES = {"0": ["x"] * 500, "1": ["y"] * 500}


def parts_of(corpora, corpus):
    return {part: set(corpora.ids(corpus, part)) for part in corpus.parts}


def test_every_document_is_in_one_part(corpora):
    """Nothing is lost or doubled; shards are one to one for each part; shares hold on average (±4 deviations)."""
    corpus = corpora.make(HALVES)
    result = corpora.run(Split(valid=0.2, test=0.1), corpus)
    parts = parts_of(corpora, result)
    assert result.parts == ("train", "valid", "test")
    assert sum(map(len, parts.values())) == 1000
    assert set.union(*parts.values()) == set(corpora.ids(corpus))
    assert abs(len(parts["valid"]) - 200) < 4 * (1000 * 0.2 * 0.8) ** 0.5
    assert abs(len(parts["test"]) - 100) < 4 * (1000 * 0.1 * 0.9) ** 0.5
    names = [f"{part}-0000{n}.parquet" for part in ("train", "valid", "test") for n in (0, 1)]
    assert [shard.name for shard in result.shards] == names
    assert result.ledger.to_json()["kept"] == 1000


def test_adding_documents_moves_none(corpora):
    """A document's part does not depend on the others."""
    small = parts_of(corpora, corpora.run(Split(valid=0.2), corpora.make({"0": ["x"] * 300})))
    large = parts_of(corpora, corpora.run(Split(valid=0.2), corpora.make({"3": ["z"] * 99, "0": ["x"] * 500})))
    assert {name for name in large["valid"] if name in small["train"] | small["valid"]} == small["valid"]


def test_a_larger_share_only_takes_from_train(corpora):
    """Raising one share keeps what both valid and test had."""
    corpus = corpora.make(HALVES)
    first = parts_of(corpora, corpora.run(Split(valid=0.1, test=0.1), corpus))
    wider = parts_of(corpora, corpora.run(Split(valid=0.1, test=0.3), corpus))
    assert first["valid"] == wider["valid"]
    assert first["test"] < wider["test"]


def test_the_seed_decides(corpora):
    """Another seed gives another split, the same one the same."""
    corpus = corpora.make(HALVES)
    once, again, other = (parts_of(corpora, corpora.run(Split(valid=0.5), corpus, seed)) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_groups_stay_together(corpora):
    """With `by`, all documents of one value are in one part; those without a value stand alone."""
    texts = [str(n % 50) for n in range(450)] + [""] * 50
    corpus = corpora.make({"0": texts, "1": texts}, meta=lambda text: {"site": int(text)} if text else {})
    result = corpora.run(Split(valid=0.3, by="site"), corpus)
    found = {}
    for part in result.parts:
        for name in corpora.ids(result, part):
            found.setdefault(texts[int(name.partition("/")[2])], []).append(part)
    alone = found.pop("")
    assert all(len(parts) == 18 and len(set(parts)) == 1 for parts in found.values())
    assert {parts[0] for parts in found.values()} == {"train", "valid"}
    assert set(alone) == {"train", "valid"}


def test_a_key_that_nobody_has_is_refused(corpora):
    """The message lists the keys there are."""
    corpus = corpora.make({"0": ["a"]}, meta=lambda text: {"site": text})
    with pytest.raises(StepError, match=r"step\.by: no document has 'sight'") as error:
        corpora.run(Split(by="sight"), corpus)
    assert "one of: site" in str(error.value)


def test_shares_leave_something_for_train_and_test_is_left_out_at_zero():
    """Together they stay below one; the parts are known before the step runs."""
    with pytest.raises(ValueError, match="leave nothing for train"):
        Split(valid=0.6, test=0.4)
    assert Split().parts({"corpus": ()}) == ("train", "valid")
    assert Split(test=0.1).parts({"corpus": ()}) == ("train", "valid", "test")


def test_an_empty_part_is_said(corpora):
    """Two documents and a hundredth of a percent: valid is empty, and the log says so."""
    result = corpora.run(Split(valid=0.0001), corpora.make({"0": ["a", "b"]}))
    assert corpora.ids(result, "valid") == []
    assert corpora.logs == ["the part valid got none of 2 documents; give it a larger share"]


def test_nothing_to_split(corpora):
    """A corpus without documents gives empty parts."""
    result = corpora.run(Split(), corpora.make({}))
    assert (result.parts, result.num_rows, corpora.logs) == (("train", "valid"), 0, [])


DATED = {"2023-12-31T23:59:59Z": "train", "2024-01-01": "valid", "2023": "train", "2024-06": "test", "soon": None}


def test_by_time_the_past_is_for_learning(corpora):
    """Before `valid_from` train, then valid, from `test_from` test; a zone counts; without a date rejected."""
    dated = {**DATED, "2024-01-01T00:30:00+01:00": "train", "": None}
    corpus = corpora.make({"0": list(dated)[:3], "1": list(dated)[3:]}, meta=lambda t: {"date": t} if t else {})
    split = Split(time="date", valid_from="2024-01-01", test_from="2024-06-01")
    result = corpora.run(split, corpus)
    assert result.parts == ("train", "valid", "test")
    found = {
        text: part
        for part in result.parts
        for text in result.__class__(result.path, part=part).scan().collect()["text"]
    }
    assert found == {text: part for text, part in dated.items() if part}
    rejects = result.rejects().collect()
    assert sorted(rejects["text"]) == ["", "soon"]
    assert set(rejects["reason"]) == {"no-date"}
    assert result.ledger.to_json()["rejected"] == {"no-date": 2}


def test_by_time_from_unix_seconds(corpora):
    """1704067200 is the first second of 2024."""
    corpus = corpora.make({"0": ["1704067199", "1704067200"]}, meta=lambda text: {"created_utc": int(text)})
    result = corpora.run(Split(time="created_utc", valid_from="2024"), corpus)
    assert (corpora.ids(result, "train"), corpora.ids(result, "valid")) == (["0/0"], ["0/1"])


def test_time_and_shares_exclude_each_other(corpora):
    """What would not count is refused, as are dates that are none or in the wrong order."""
    for settings, said in (
        ({"time": "date"}, "needs valid_from"),
        ({"time": "date", "valid_from": "2024", "valid": 0.2}, "no shares"),
        ({"time": "date", "valid_from": "2024", "by": "site"}, "no groups"),
        ({"valid_from": "2024"}, "name the date in time"),
        ({"time": "date", "valid_from": "May"}, "is no date"),
        ({"time": "date", "valid_from": "2024", "test_from": "2023"}, "not after"),
    ):
        with pytest.raises(ValueError, match=said):
            Split(**settings)
    with pytest.raises(StepError, match="no document has 'date' with a date that can be read"):
        corpora.run(Split(time="date", valid_from="2024"), corpora.make({"0": ["x"]}))
