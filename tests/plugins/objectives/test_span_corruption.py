"""Span corruption: spans of the right size, and what is read and written."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.objectives.documents import documents_of, writing_inputs
from workbench_plugins.objectives.span_corruption import SpanCorruption
from workbench_plugins.objectives.spans import cut, mark_spans, random_spans

from workbench.api import Examples, StepError, Vocab


def test_the_example_of_the_paper(marked):
    """Raffel et al. 2020, figure 2: `for inviting` and `last` are cut out of eleven words."""
    words = np.arange(5, 16)  # Thank you for inviting me to your party last week .
    read, written = mark_spans(words, [(2, 4), (8, 9)], marked)
    assert read.tolist() == [5, 6, 50, 9, 10, 11, 12, 51, 14, 15]
    assert written.tolist() == [50, 7, 8, 51, 13, 52]


@pytest.mark.parametrize("length", [2, 3, 7, 100, 512])
def test_spans_have_the_share_and_the_number_of_the_paper(length):
    """round(0.15 · n) tokens in round(tokens / 3) spans, apart from each other and from the begin."""
    for seed in range(20):
        spans = random_spans(length, 0.15, 3.0, np.random.default_rng(seed))
        inside = max(1, round(0.15 * length))
        assert sum(end - start for start, end in spans) == inside
        assert len(spans) == max(1, round(inside / 3))
        edges = [0, *(edge for span in spans for edge in span)]
        assert all(b > a for a, b in pairwise(edges))
        assert edges[-1] <= length


def test_every_way_of_cutting_is_equally_likely():
    """Four into two parts: (1, 3), (2, 2), (3, 1), each a third of the time within four deviations."""
    rng = np.random.default_rng(1)
    counts = np.bincount([int(cut(4, 2, rng)[0]) for _ in range(3000)], minlength=4)[1:]
    assert np.abs(counts - 1000).max() < 4 * math.sqrt(3000 * 2 / 9)


def test_documents_stay_apart(row, marked):
    """Each document has its own marks from 0, and what is read and written of it has its number."""
    given = row(np.arange(5, 25), [30], np.arange(31, 45), length=40)
    batch = SpanCorruption(marks=10).collate(Examples([given], marked), np.random.default_rng(1))
    for number, document in enumerate(documents_of(given), start=1):
        read = batch["input_ids"][batch["segment_ids"] == number].tolist()
        written = batch["labels"][batch["decoder_segment_ids"] == number].tolist()
        pieces = {}
        for token in written:
            if token >= 50:
                pieces[token] = []
            else:
                pieces[list(pieces)[-1]].append(token)
        restored = [token for place in read for token in (pieces[place] if place >= 50 else [place])]
        assert restored == document.tolist()
        assert list(pieces) == list(range(50, 50 + len(pieces)))
    assert not (batch["decoder_segment_ids"] == 2).any()  # of a document of one token nothing is written


def test_the_decoder_begins_anew_with_each_document(row, marked, ctx):
    """It reads the start token, then what it has to write one place later: pad for T5, the end token for BART."""
    batch = SpanCorruption(marks=10).collate(
        Examples([row(np.arange(5, 25), np.arange(31, 45))], marked), np.random.default_rng(1)
    )
    for component, start in ((T5(layers=1, width=16, heads=2), 0), (Bart(layers=1, width=16, heads=2), 1)):
        model = component.build(marked, ctx).eval()
        seen = []
        model.get_decoder().embed_tokens.register_forward_pre_hook(
            lambda _module, given, seen=seen: seen.append(given[0])
        )
        model(**writing_inputs(model, batch))
        for number in (1, 2):
            own = batch["decoder_segment_ids"] == number
            assert seen[0][own].tolist() == [start, *batch["labels"][own].tolist()[:-1]]


def test_equal_logits_give_the_logarithm_of_the_vocabulary(row, marked, constant):
    """A model that knows nothing pays ln V nats for each written token."""
    batch = SpanCorruption(marks=10).collate(Examples([row(np.arange(5, 25))], marked), np.random.default_rng(1))
    loss, _ = SpanCorruption(marks=10).loss(constant([0.0] * 60, writes=True), batch)
    assert loss.item() == pytest.approx(math.log(60), rel=1e-6)


def test_packed_documents_cost_what_they_cost_alone(row, marked, ctx):
    """The loss of a packed row is the mean over its documents' written tokens, each read alone."""
    torch.manual_seed(1)
    model = Bart(layers=1, width=16, heads=2).build(marked, ctx).eval()
    objective = SpanCorruption(marks=10)
    documents = [np.arange(5, 25), np.arange(31, 45)]
    packed = objective.collate(Examples([row(*documents)], marked), np.random.default_rng(1))
    total = count = 0
    for number in (1, 2):
        batch = {}
        for name, segments in (("input_ids", "segment_ids"), ("labels", "decoder_segment_ids")):
            own = packed[segments] == number
            batch |= {name: packed[name][own][None], segments: torch.ones(1, int(own.sum()), dtype=torch.int64)}
        total += objective.loss(model, batch)[0].item() * batch["labels"].numel()
        count += batch["labels"].numel()
    assert objective.loss(model, packed)[0].item() == pytest.approx(total / count, abs=1e-5)


def test_too_few_marks_are_said(row):
    """A model that was not made for it has no marks."""
    with pytest.raises(StepError, match="mark 0 is asked for, but the model has 0"):
        SpanCorruption().collate(
            Examples([row(np.arange(5, 25))], Vocab(size=50, max_length=32, pad=0)), np.random.default_rng(1)
        )
