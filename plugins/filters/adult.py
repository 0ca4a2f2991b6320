"""Adult text: pornography and what leads to it. Source: Raffel et al. 2020, section 2.2 (pages with words of a list)."""

from __future__ import annotations

from typing import ClassVar

from workbench_plugins.filters.labelled_filter import LabelledFilter


class Adult(LabelledFilter):
    """Drop adult documents, by a classifier trained on labelled ones, and by lists of words.

    `data` is a labelled corpus and `positive` names the labels that mean adult; `lists` are files of words. The default
    of no listed word is the rule of Raffel et al. 2020, which drops medicine and news too; `max_listed_words` or
    `max_listed_share` is the milder way. The score is the chance of being adult where adult and other documents are
    equally likely; in a corpus where one in a hundred is, `max_score` should be near 1.
    """

    version: ClassVar[int] = 1
    classes: ClassVar[tuple[str, str]] = ("adult", "other")
