"""Toxic text: insults, hatred, threats. Sources: Davidson et al. 2017 (labelled tweets), Deng et al. 2022 (Chinese)."""

from __future__ import annotations

from typing import ClassVar

from workbench_plugins.filters.labelled_filter import LabelledFilter


class Toxicity(LabelledFilter):
    """Drop toxic documents, by a classifier trained on labelled ones, and by lists of words.

    `data` is a labelled corpus and `positive` names the labels that mean toxic; `lists` are files of words. What is
    toxic is what the labelled set calls so: a classifier of tweets with swear words finds swear words, and hatred
    without them hardly (see docs/decisions/0025-learned-filters.md). The score is the chance of being toxic where toxic
    and other documents are equally likely; in a corpus where one in a hundred is, `max_score` should be near 1.
    """

    version: ClassVar[int] = 1
    classes: ClassVar[tuple[str, str]] = ("toxic", "other")
