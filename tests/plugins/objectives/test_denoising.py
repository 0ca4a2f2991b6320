"""Denoising: what each kind of noise does to a document, and that it is written as it was."""

import numpy as np
import pytest
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.objectives.denoising import Denoising

from workbench.api import Examples, StepError, Vocab

PIECES = ("<pad>", "<eos>", "<mask>", ".", "。", *"abcdefghij")
VOCAB = Vocab(size=len(PIECES), max_length=64, pad=0, eos=1, mask=2, pieces=PIECES)
LONG = np.random.default_rng(1).integers(5, 15, 400)


def damage(noise, document, seed=1, **settings):
    return Denoising(noise=(noise,), **settings).damage(np.asarray(document), VOCAB, np.random.default_rng(seed))


def test_what_is_written_is_the_document(row):
    """Labels are the documents as they were, each beside its damaged form."""
    batch = Denoising().collate(Examples([row(LONG[:20], LONG[20:30])], VOCAB), np.random.default_rng(1))
    assert batch["labels"][0].tolist() == LONG[:30].tolist()
    assert batch["decoder_segment_ids"][0].tolist() == [1] * 20 + [2] * 10


def test_infilling_replaces_a_third_by_few_masks():
    """30 % of the tokens go, into Poisson(3) spans of one mask each; the rest keeps its order."""
    masks = []
    for seed in range(30):
        found = damage("infilling", LONG, seed)
        kept = found[found != 2]
        assert len(kept) == 400 - 120
        assert _is_subsequence(kept, LONG)
        masks.append(int((found == 2).sum()))
    assert np.mean(masks) == pytest.approx(120 / 3, rel=0.1)  # spans of mean length 3, empty ones among them


def test_masking_and_deletion():
    """Masking keeps the length; deletion does not, and leaves something."""
    masked, deleted = damage("masking", LONG), damage("deletion", LONG)
    assert len(masked) == 400
    assert (masked == 2).mean() == pytest.approx(0.3, abs=0.07)
    assert len(deleted) == pytest.approx(280, abs=30)
    assert _is_subsequence(deleted, LONG)
    assert len(damage("deletion", [5], probability=0.99)) == 1


def test_sentences_change_places():
    """Three sentences, English and Chinese, stay whole."""
    document = [5, 6, 3, 7, 4, 8, 9, 3]
    orders = {tuple(damage("sentences", document, seed).tolist()) for seed in range(60)}
    sentences = ((5, 6, 3), (7, 4), (8, 9, 3))
    expected = {
        sum((sentences[i] for i in order), ())
        for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    }
    assert orders == expected


def test_rotation_begins_elsewhere():
    """Every token is a begin once."""
    found = {tuple(damage("rotation", [5, 6, 7], seed).tolist()) for seed in range(40)}
    assert found == {(5, 6, 7), (6, 7, 5), (7, 5, 6)}


def test_a_tokenizer_without_mask_token_gets_a_mark(row):
    """The model's first mark stands for what is missing."""
    vocab = Vocab(size=16, max_length=64, pad=0, eos=1, num_marks=1, pieces=PIECES)
    batch = Denoising(noise=("masking",)).collate(Examples([row(LONG[:20])], vocab), np.random.default_rng(1))
    assert (batch["input_ids"] == 15).any()


def _is_subsequence(part, whole):
    rest = iter(whole.tolist())
    return all(token in rest for token in part.tolist())


def test_a_row_that_outgrows_the_model_is_said(row, ctx, marked):
    """With spans of mostly no token, masks are put in until BART's table of positions ends: an error that says so."""
    objective, examples = Denoising(mean_span=0.1), Examples([row(*[np.arange(5, 9)] * 8)], marked)
    batch = objective.collate(examples, np.random.default_rng(1))
    model = Bart(layers=1, width=16).build(marked, ctx)
    with pytest.raises(
        StepError, match=r"a row of \d+ tokens came out of the objective, but the model knows 64 positions"
    ):
        objective.loss(model, batch)
