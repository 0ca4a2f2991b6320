"""What filters with a linear classifier share: its settings, where it comes from, and that it is kept with the signals.

A classifier is trained in the step, from further inputs, or taken from the folder of one that was: `learned` of an
earlier step's signals, or a copy of its two files. Either way the step keeps both files beside its signals, says in the
log how well it does on what was held out, and works on if the folder goes away.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import PrivateAttr, model_validator
from workbench_plugins.filters.classifier import CARD, Classifier, ClassifierScore, NGrams, load_classifier
from workbench_plugins.filters.classifier_training import LEAST, Learning, draw, train
from workbench_plugins.filters.named_files import digests_of, path_of

from workbench.api import Field, RowFilter, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

    from workbench.api import Context, KernelColumn


class LearnedFilter(RowFilter):
    """Base of filters that score documents by a classifier they trained."""

    stochastic: ClassVar[bool] = True
    classes: ClassVar[tuple[str, str]]  # what the positive and the negative class are called in messages

    classifier: str | None = Field(None, description="folder of a classifier to use instead of training one")
    documents: int = Field(20_000, ge=10, le=2_000_000, description="texts of either class that are learned from")
    characters: int = Field(10_000, ge=20, le=1_000_000, description="how much of a text is looked at, from its start")
    word_ngrams: int = Field(2, ge=1, le=5, description="words in an n-gram, at most")
    unspaced_ngrams: int = Field(3, ge=1, le=8, description="characters in one, in scripts without spaces, at most")
    character_ngrams: tuple[int, int] = Field((3, 5), description="characters of a word in an n-gram: from, to")
    bucket_bits: int = Field(20, ge=10, le=26, description="n-grams fall into 2 to the power of this many buckets")
    epochs: int = Field(5, ge=1, le=100, description="passes over the texts")
    rate: float = Field(2.0, gt=0, le=100, description="learning rate of FTRL-Proximal")
    l2: float = Field(1.0, ge=0, description="penalty on the squares of the weights")
    _learned: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.character_ngrams
        if not 1 <= low <= high <= 8:  # noqa: PLR2004 - as long as other n-grams
            raise ValueError(f"character_ngrams is {[low, high]}; expected from, to with 1 <= from <= to <= 8")
        return self

    @abstractmethod
    def examples(self, ctx: Context) -> tuple[Iterable[pl.DataFrame], Iterable[pl.DataFrame]] | None:
        """Return batches of positive and of negative documents; None when no input brings any."""

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digests of the classifier's files, when one is named."""
        return digests_of(base, [self.classifier] if self.classifier else [], digest)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Train the classifier, or take the one that is named, and write it into `folder`."""
        found = self.examples(ctx)
        if self.classifier is None:
            if found is not None:
                self.trained(found, ctx).save(folder)
            return
        if found is not None:
            raise StepError(
                "there are documents to learn from and a classifier too",
                where=ctx.step,
                advice="take away the setting classifier, or the inputs",
            )
        taken = load_classifier(path_of(ctx.base, self.classifier))
        self.check(taken, ctx)
        taken.save(folder)

    def check(self, taken: Classifier, ctx: Context) -> None:
        """Raise `StepError` when the classifier tells other classes apart than those of this filter."""
        classes = taken.facts.get("classes")
        if classes != list(self.classes):
            raise StepError(
                f"this classifier tells {' from '.join(map(str, classes or ['?']))}",
                where=f"{ctx.step}, classifier {self.classifier}",
                expected=f"one that tells {' from '.join(self.classes)}",
            )

    def trained(self, found: tuple[Iterable[pl.DataFrame], Iterable[pl.DataFrame]], ctx: Context) -> Classifier:
        """Return a classifier trained on these batches, and log how it does on what was held out."""
        salt = ctx.rng_for("sample").bytes(16)
        samples = [draw(frames, self.documents, salt, self.characters) for frames in found]
        for name, sample in zip(self.classes, samples, strict=True):
            if sample.height < LEAST:
                raise StepError(
                    f"there are {sample.height} {name} texts to learn from, each counted once",
                    where=ctx.step,
                    expected=f"{LEAST} or more; some thousands for scores worth having",
                )
        low, high = self.character_ngrams
        ngrams = NGrams(self.word_ngrams, self.unspaced_ngrams, low, high, self.characters, 1 << self.bucket_bits)
        learning = Learning(self.epochs, self.rate, self.l2)
        classifier = train(samples[0], samples[1], ngrams, learning, ctx.rng_for("order"))
        classifier.facts["classes"] = list(self.classes)
        ctx.log(wording(classifier))
        return classifier

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the classifier that `fit` wrote."""
        learned = self.model_copy()
        learned._learned = folder  # noqa: SLF001 - its own copy
        return learned

    def signals(self) -> Mapping[str, KernelColumn]:
        """Return the score of the classifier."""
        learned = self._learned
        return {"score": ClassifierScore(learned if learned and (learned / CARD).exists() else None).column("score")}


def wording(classifier: Classifier) -> str:
    """Return what there is to say about a classifier in one line."""
    facts = classifier.facts
    held, (positive, negative) = facts["held_out"], facts["classes"]
    both = f", {facts['in_both']} of them in both" if facts["in_both"] else ""
    useless = "" if classifier.slope else "; it learned nothing that holds for other texts, so every score is 0.5"
    return (
        f"learned to tell {facts['texts']['positive']} {positive} from {facts['texts']['negative']} {negative} texts"
        f"{both}; on {held['n']} held out: AUC {held['auc']} ({held['auc_interval'][0]} to {held['auc_interval'][1]}), "
        f"accuracy {held['accuracy']} ({held['accuracy_interval'][0]} to {held['accuracy_interval'][1]}), "
        f"larger class {held['accuracy_baseline']}{useless}"
    )
