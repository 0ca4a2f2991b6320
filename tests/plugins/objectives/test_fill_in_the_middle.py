"""Fill in the middle: the parts are all there, in the order of the paper, and the row keeps its length."""

import numpy as np
from workbench_plugins.objectives.fill_in_the_middle import FillInTheMiddle

from workbench.api import Examples

PRE, SUF, MID = 50, 51, 52


def rearranged(marked, spm, seed=1, document=None):
    given = np.array([*range(5, 25), 1]) if document is None else document
    return FillInTheMiddle(share=1, spm_share=spm).rearranged(given, marked, np.random.default_rng(seed)).tolist()


def test_psm_and_spm(marked):
    """PSM: PRE prefix SUF suffix MID middle; SPM: PRE SUF suffix MID prefix middle (Bavarian et al. 2022, section 3)."""
    for seed in range(20):
        psm, spm = rearranged(marked, 0, seed), rearranged(marked, 1, seed)
        body = list(range(5, 22))  # three of twenty tokens give way to the marks; the end token stays
        suf, mid = psm.index(SUF), psm.index(MID)
        prefix, suffix, middle = psm[1:suf], psm[suf + 1 : mid], psm[mid + 1 : -1]
        assert (psm[0], psm[-1], len(psm)) == (PRE, 1, 21)
        assert prefix + middle + suffix == body
        assert spm == [PRE, SUF, *suffix, MID, *prefix, *middle, 1]


def test_documents_are_cut_as_often_as_asked(marked, row):
    """Half of them; a document of five tokens never is."""
    documents = [np.arange(5, 15) for _ in range(400)]
    batch = FillInTheMiddle().collate(Examples([row(*documents)], marked), np.random.default_rng(1))
    assert 160 < int((batch["input_ids"] == MID).sum()) < 240
    assert rearranged(marked, 0, document=np.arange(5, 10)) == list(range(5, 10))


def test_labels_are_the_tokens_that_follow(marked, row):
    """Within documents, marks included; rows are as long as before."""
    batch = FillInTheMiddle(share=1).collate(
        Examples([row(np.arange(5, 15), np.arange(5, 17))], marked), np.random.default_rng(1)
    )
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    assert len(ids) == 22
    assert labels == [*ids[1:10], -100, *ids[11:], -100]
