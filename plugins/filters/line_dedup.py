"""Line deduplication: lines that stand elsewhere in the corpus before are cut out."""

from __future__ import annotations

from typing import ClassVar

from workbench_plugins.filters.unit_dedup import UnitDedup


class LineDedup(UnitDedup):
    """Cut every line that stands before in the corpus, with its line end.

    CCNet (Wenzek et al. 2020, section 3.1, where a line is called a paragraph) compares lines in lower case, without
    punctuation and with digits as 0, and drops all that it has seen: `normalisation: letters`. Lines with fewer than
    `min_characters` letters and digits stay, since "Yes." repeats without being copied.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str] = "line"
