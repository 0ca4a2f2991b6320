"""The same shards come out for any order and number of workers."""

import json
import random

import pytest

from workbench.contracts.context import call_task
from workbench.testing import small_corpus, trial
from workbench.testing.artifacts import small_component
from workbench.testing.trials import digest_of

TEXTS = ["a", "one two", "一二三四", "# # #", "…", "one two", "", *["three words here"] * 6]
CHAIN = [{"use": "filter/word-count", "with": {"min_words": 2}}, {"use": "filter/gopher-quality"}]


def shuffled(function, tasks):
    """Run the tasks in another order, and give the results in theirs."""
    order = list(range(len(tasks)))
    random.Random(3).shuffle(order)
    done = {number: call_task(function, json.loads(json.dumps(tasks[number]))) for number in order}
    return (done[number] for number in range(len(tasks)))


@pytest.mark.parametrize(
    "use,settings",
    [
        ("filter/chain", {"filters": CHAIN}),
        ("filter/exact-dedup", {}),
        ("filter/minhash-dedup", {"keep": "highest", "by": "num_words", "measure": {"use": "filter/word-count"}}),
    ],
    ids=["rows", "corpus", "clusters"],
)
def test_same_bytes_for_any_order_and_number_of_workers(tmp_path, monkeypatch, use, settings):
    """Shards done one after the other, in another order, or by 2 and 4 processes, give the same files."""
    corpus = small_corpus(tmp_path / "in", TEXTS, num_shards=5)
    component = small_component(use, **settings)
    digests = {
        digest_of(trial(component, {"corpus": corpus}, tmp_path / str(workers), workers=workers).path)
        for workers in (1, 2, 4)
    }
    monkeypatch.setattr("workbench.testing.trials.map_inline", shuffled)
    digests.add(digest_of(trial(component, {"corpus": corpus}, tmp_path / "shuffled").path))
    assert len(digests) == 1
