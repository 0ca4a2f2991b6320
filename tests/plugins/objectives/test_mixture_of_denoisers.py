"""UL2: which denoiser a document gets, and what it does to it."""

import numpy as np
import pytest
from pydantic import ValidationError
from workbench_plugins.objectives.mixture_of_denoisers import MixtureOfDenoisers

from workbench.api import Examples, Vocab

VOCAB = Vocab(size=700, max_length=512, pad=0, eos=1, num_marks=103)
R, S, X, FIRST = 597, 598, 599, 600
DOCUMENT = np.random.default_rng(1).integers(5, 597, 300)


def damage(seed, **shares):
    read, written = MixtureOfDenoisers(**shares).damage(DOCUMENT, VOCAB, np.random.default_rng(seed))
    return read.tolist(), written.tolist()


def test_short_spans():
    """R: 15 % of the tokens in spans of mean 3, so 15 of 300 tokens in 15 spans."""
    read, written = damage(1, short_share=1, rest_share=0)
    assert read[0] == R
    assert sum(token >= FIRST for token in read) == 15
    assert sum(token < FIRST for token in written) == 45


def test_the_rest_is_written():
    """S: one span, and it reaches to the end."""
    read, written = damage(1, short_share=0, rest_share=1)
    assert (read[0], read[-1]) == (S, FIRST)
    assert read[1:-1] + written[1:-1] == DOCUMENT.tolist()


def test_extreme_spans():
    """X: spans of mean 32 (45 tokens in one), or half of all tokens."""
    found = {sum(token < FIRST for token in damage(seed, short_share=0, rest_share=0)[1]) for seed in range(20)}
    assert found == {45, 150}
    assert damage(1, short_share=0, rest_share=0)[0][0] == X


def test_shares_of_the_denoisers(row):
    """40 % R, 20 % S, 40 % X by default, within three deviations of 1000 documents."""
    rows = [row(*[np.arange(5, 15)] * 100) for _ in range(10)]
    batch = MixtureOfDenoisers().collate(Examples(rows, VOCAB), np.random.default_rng(1))
    counts = [int((batch["input_ids"] == mark).sum()) for mark in (R, S, X)]
    assert counts == pytest.approx([400, 200, 400], abs=47)


def test_shares_above_one_are_refused():
    with pytest.raises(ValidationError, match="exceed 1 together"):
        MixtureOfDenoisers(short_share=0.8, rest_share=0.3)
