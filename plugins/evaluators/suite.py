"""Several evaluators in one step: those given, or every one that fits the model's head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from workbench_plugins.evaluators.classification import ClassificationScores
from workbench_plugins.evaluators.perplexity import Perplexity

from workbench.api import Evaluator, Field, Port, Scores, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.api import Context, Corpus, Model

DEFAULT = (Perplexity, ClassificationScores)


class Suite(Evaluator):
    """Run several evaluators on one model and put their scores together."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model"),
        "heldout": Port("corpus", about="documents the model has not seen"),
        "train": Port("corpus", optional=True, about="documents that baselines learn from"),
    }

    evaluators: tuple[Evaluator, ...] = Field((), description="default: perplexity or classification, as the head asks")

    def evaluate(self, model: Model, data: Corpus, ctx: Context) -> Scores:
        """Return the scores, tables and notes of every evaluator, under its name where there are several."""
        chosen = self.fitting(model.card["head"], ctx.step)
        check_inputs(chosen, ctx)
        merged = Scores()
        names = numbered([name_of(evaluator) for evaluator in chosen])
        for name, evaluator in zip(names, chosen, strict=True):
            found = evaluator.evaluate(model, data, replace(ctx, component_id=f"{ctx.component_id}/{name}"))
            is_alone = len(chosen) == 1
            merged.scores += [
                score if is_alone else replace(score, name=f"{name}: {score.name}") for score in found.scores
            ]
            merged.pictures += [
                drawn if is_alone else replace(drawn, name=f"{name}-{drawn.name}") for drawn in found.pictures
            ]
            merged.tables |= {key if is_alone else f"{name}-{key}": table for key, table in found.tables.items()}
            merged.notes += found.notes if is_alone else [f"{name}: {note}" for note in found.notes]
            if found.by_document is not None:
                told = (
                    found.by_document
                    if is_alone
                    else found.by_document.with_columns(score=f"{name}: " + pl.col("score"))
                )
                merged.by_document = told if merged.by_document is None else merged.by_document.vstack(told)
        return merged

    def fitting(self, head: str, where: str) -> list[Evaluator]:
        """Return the evaluators that can judge a model with this head.

        Raises `StepError` when a given one cannot, or when there is none.
        """
        unfit = [evaluator for evaluator in self.evaluators if not _fits(evaluator, head)]
        if unfit:
            raise StepError(
                f"evaluator {name_of(unfit[0])} cannot judge a model with a {head} head",
                where=where,
                expected=f"a head among {', '.join(unfit[0].heads)}",
            )
        chosen = list(self.evaluators) or [cls() for cls in DEFAULT if head in cls.heads]
        if not chosen:
            raise StepError(
                f"no evaluator is known for a {head} head", where=where, advice="name some in the setting `evaluators`"
            )
        return chosen


def check_inputs(evaluators: Sequence[Evaluator], ctx: Context) -> None:
    """Raise `StepError` when an evaluator needs an input that the step does not have."""
    for evaluator in evaluators:
        for name, port in evaluator.inputs.items():
            if name not in (*Evaluator.inputs, *ctx.inputs) and not port.optional:  # model and heldout are always there
                takes = ", ".join(Suite.inputs)
                raise StepError(
                    f"evaluator {name_of(evaluator)} needs the input {name!r}",
                    where=ctx.step,
                    expected=f"an input {name!r} of this step" if name in Suite.inputs else f"some of: {takes}",
                    advice="" if name in Suite.inputs else "give it a step of its own",
                )


def name_of(evaluator: Evaluator) -> str:
    """Return the name an evaluator is registered under, or that of its class."""
    return evaluator.component_id.rpartition("/")[2] or type(evaluator).__name__.lower()


def numbered(names: list[str]) -> list[str]:
    """Return the names with a number behind those that stand there again.

    >>> numbered(["a", "b", "a"])
    ['a', 'b', 'a-2']
    """
    return [
        name if names[:place].count(name) == 0 else f"{name}-{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]


def _fits(evaluator: Evaluator, head: str) -> bool:
    return not evaluator.heads or head in evaluator.heads
