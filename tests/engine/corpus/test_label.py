"""Labels: from a meta key or a column, the most frequent of the train part."""

import json

import pytest

from workbench.engine.corpus.label import Label
from workbench.errors import StepError


def labelled(corpora, shards):
    """Return a corpus whose texts are also the value of the meta key `topic`."""
    return corpora.make(shards, meta=lambda text: {"topic": text} if text else {})


def labels_of(corpus):
    return corpus.scan().collect()["label"].to_list()


def test_top_labels_of_the_train_part(corpora):
    """Counted by hand: train has a 3, b 2, c 2, d 1; top 2 is a and b (b before c); valid's many d do not count."""
    shards = {
        "train-0": ["a", "b", "c", "a", ""],
        "train-1": ["d", "a", "c", "b"],
        "valid-0": ["d", "d", "d", "d", "b"],
    }
    result = corpora.run(Label(key="topic", top=2), labelled(corpora, shards))
    assert labels_of(result) == ["a", "b", "a", "a", "b", "b"]
    assert result.parts == ("train", "valid")
    assert result.ledger.to_json()["rejected"] == {"label-not-kept": 7, "no-label": 1}
    rejects = result.rejects().collect()
    assert json.loads(rejects["reasons"][0]) == ["label: label-not-kept"]
    assert rejects["text"].to_list()[:2] == ["c", ""]


def test_rare_labels_go(corpora):
    """With `min_documents: 2`, a label of one document is not kept; without parts all count."""
    result = corpora.run(Label(key="topic", min_documents=2), labelled(corpora, {"0": ["a", "b", "a"]}))
    assert labels_of(result) == ["a", "a"]


def test_a_column_comes_before_meta(corpora):
    """`source` is a column."""
    result = corpora.run(Label(key="source"), labelled(corpora, {"0": ["a"]}))
    assert labels_of(result) == ["s"]


def test_numbers_become_text_and_lists_are_no_label(corpora):
    """A label is one text: 3 is `3`, true is `true`; a list, an object and null are none."""
    values = [3, True, 0.5, ["x"], {"y": 1}, None]
    corpus = corpora.make({"0": list("abcdef")}, meta=lambda text: {"k": values["abcdef".index(text)]})
    result = corpora.run(Label(key="k"), corpus)
    assert labels_of(result) == ["3", "true", "0.5"]
    assert result.ledger.to_json()["rejected"] == {"no-label": 3}


def test_a_key_that_nobody_has_is_refused(corpora):
    """The message lists the keys there are."""
    with pytest.raises(StepError, match=r"step\.key: no document has 'topics'") as error:
        corpora.run(Label(key="topics"), labelled(corpora, {"0": ["a"]}))
    assert "one of: topic" in str(error.value)
