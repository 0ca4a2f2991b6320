"""Quality by example: a linear classifier that tells good text from ordinary text.

Brown et al. 2020 (appendix A) and Touvron et al. 2023 filter web text by a linear classifier trained to tell curated
text from a crawl; fastText (Joulin et al. 2017) is the usual one. Here it is trained in the step itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import polars as pl
from workbench_plugins.filters.learned_filter import LearnedFilter

from workbench.api import Field, Port, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.api import Context, Corpus


class ClassifierQuality(LearnedFilter):
    """Keep documents that look more like the `good` corpus than like the `ordinary` one.

    The score is the chance that a document is good when good and ordinary ones are equally likely. The classifier
    learns whatever tells the two corpora apart, so they should be of the same languages, and no markup or header should
    stand in one only. Without the two inputs, `classifier` names the folder of one trained before.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "good": Port("corpus", optional=True, many=True, whole=True, about="documents as they should be"),
        "ordinary": Port("corpus", optional=True, many=True, whole=True, about="documents as they come"),
    }
    classes: ClassVar[tuple[str, str]] = ("good", "ordinary")
    min_score: Annotated[float, Threshold] = Field(0.5, ge=0, le=1, description="score that a document needs")

    def examples(self, ctx: Context) -> tuple[Iterable[pl.DataFrame], Iterable[pl.DataFrame]] | None:
        """Return the batches of the two inputs; raises `StepError` unless both or none are there."""
        good, ordinary = (_texts(ctx.inputs.get(name) or []) for name in self.classes)
        given = [name for name in self.classes if ctx.inputs.get(name)]
        if len(given) == 1 or (not given and self.classifier is None):
            raise StepError(
                f"there is {given[0] if given else 'nothing'} to learn from{' alone' if given else ''}",
                where=ctx.step,
                expected="both inputs, good and ordinary, or the setting classifier",
            )
        return (good, ordinary) if given else None

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what scores too low."""
        return {"low-quality": pl.col("score") < self.min_score}


def _texts(corpora: list[Corpus]) -> Iterable[pl.DataFrame]:
    return (batch for corpus in corpora for batch in corpus.batches(["text"]))
