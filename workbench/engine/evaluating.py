"""Run an evaluator: check that it can judge the model, check its scores, write the report and its page.

A score without n, interval and baseline is refused here, so that none can be published by accident.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from workbench.artifacts.pages import Page
from workbench.artifacts.report import write_scores
from workbench.errors import PluginError, StepError
from workbench.files.atomic import write_text

if TYPE_CHECKING:
    from workbench.artifacts import Model
    from workbench.contracts.context import Context
    from workbench.contracts.evaluation import Evaluator, Score, Scores

TABLE_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")  # it becomes a file name


def run(evaluator: Evaluator, ctx: Context) -> None:
    """Evaluate the `model` input, if it has one, on the `heldout` input and write the report into `ctx.output`."""
    model = ctx.inputs.get("model")
    if model is not None:
        check_head(evaluator, model, ctx.step)
    scores = evaluator.evaluate(model, ctx.inputs.get("heldout"), ctx)
    check_scores(scores, evaluator.component_id)
    write_scores(ctx.output, scores, model=model.fingerprint if model is not None else "")
    page = Page(f"{ctx.step}: {evaluator.component_id}", f"Scores of {_judged(ctx)}")
    write_text(ctx.output / "report.html", page.report(scores).render())


def _judged(ctx: Context) -> str:
    """Return what was judged, in words: the model's step, else the steps of the first port."""
    if "model" in ctx.inputs:
        return f"the model of step {ctx.inputs['model'].step or 'unknown'}"
    port, given = next(iter(ctx.inputs.items()))
    steps = [item.step or "unknown" for item in (given if isinstance(given, list) else [given])]
    return f"{port}: {', '.join(steps)}"


def check_head(evaluator: Evaluator, model: Model, where: str) -> None:
    """Raise `StepError` when the evaluator cannot judge a model with this head."""
    head = model.card["head"]
    if evaluator.heads and head not in evaluator.heads:
        raise StepError(
            f"{evaluator.component_id} cannot judge a model with a {head} head",
            where=where,
            expected=f"a model with a head among {', '.join(evaluator.heads)}",
        )


def check_scores(scores: Scores, where: str) -> None:
    """Raise `PluginError` unless there is something to report and every score can be judged."""
    if not scores.scores and not scores.tables:
        raise PluginError("it reported neither a score nor a table", where=where)
    names = [score.name for score in scores.scores]
    for score in scores.scores:
        fault = _fault(score)
        if not fault and names.count(score.name) > 1:
            fault = "its name stands there twice"
        if fault:
            raise PluginError(
                f"the score {score.name!r} cannot be judged: {fault}",
                where=where,
                expected="a finite value, n > 0, low ≤ value ≤ high, and a baseline (or why there is none)",
            )
    for name in (*scores.tables, *(drawn.name for drawn in scores.pictures)):
        if not TABLE_NAME.match(name):
            raise PluginError(
                f"the name {name!r} of a table or picture cannot be a file name",
                where=where,
                expected="lower-case words joined by hyphens",
            )


def _fault(score: Score) -> str:
    numbers = {"value": score.value, "low": score.low, "high": score.high, "baseline": score.baseline}
    unusable = [name for name, number in numbers.items() if number is not None and not math.isfinite(number)]
    if unusable:
        return f"{unusable[0]} is {numbers[unusable[0]]}"
    if score.n <= 0:
        return f"n is {score.n}"
    if not score.low <= score.value <= score.high:
        return f"the interval {score.low:g} to {score.high:g} does not hold the value {score.value:g}"
    if not score.baseline_name:
        return "no baseline, and no baseline_name that says why"
    return ""
