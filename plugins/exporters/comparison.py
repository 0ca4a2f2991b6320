"""One page that sets several models side by side: their curves in one picture, each score of all of them in another.

Special here: which report judges which model is read from the report itself, so that no two can be mixed up; a score is
compared only under the same name; models that lack it are named; differences of size or budget are said, not hidden.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from workbench_plugins.exporters.comparison_pictures import Curve, Row, curves, scored
from workbench_plugins.exporters.model_card import facts, in_words
from workbench_plugins.exporters.paired import difference

from workbench.api import Exporter, Field, Page, Port, StepError, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workbench.api import Context, Model, Report

ALIKE = 1.05  # parameters or tokens that differ by more than this factor are pointed out
SHOWN = ("objective", "parameters", "training steps", "tokens seen")
ABOUT_LOSSES = (
    "A loss is a mean over the tokens that were to be predicted, and every objective asks for other ones, with other "
    "tokens to go by. So a line can be compared with itself and with others of the same objective; that it lies lower "
    "than one of another objective says nothing."
)


class Comparison(Exporter):
    """Write a self-contained page that compares models: cards, curves over tokens, and every score they share."""

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "models": Port("model", many=True, about="in the order they are shown"),
        "reports": Port("report", optional=True, many=True, about="of evaluators that judged these models"),
    }

    title: str = Field("Models side by side", min_length=1, description="heading of the page")

    def export(self, artifact: Any, path: Path, ctx: Context) -> None:
        """Write `index.html`. Raises `StepError` for a report that judges none of the models."""
        models: list[Model] = ctx.inputs["models"]
        found = by_score(models, ctx.inputs.get("reports") or [], ctx.step)
        page = Page(self.title, f"{len(models)} models side by side: {', '.join(model.step for model in models)}.")
        glance(page, found)
        cards(page, models)
        trainings(page, models)
        for name, rows in found.items():
            score(page, name, rows, models)
        remarks(page, ctx.inputs.get("reports") or [])
        write_text(path / "index.html", page.render())


def by_score(models: Sequence[Model], reports: Sequence[Report], where: str) -> dict[str, list[Row]]:
    """Return the rows of each score, in the order of the models; a model judged twice is named with the reports."""
    order = {model.fingerprint: number for number, model in enumerate(models)}
    names = {model.fingerprint: model.step for model in models}
    found: defaultdict[str, list[tuple[int, str, Row]]] = defaultdict(list)
    for report in reports:
        if report.model not in order:
            raise StepError(
                f"the report of step {report.step} judges none of these models",
                where=f"{where}.reports",
                expected=f"reports of evaluators on {', '.join(names.values())}",
            )
        told = report.by_document
        for one in report.scores:
            documents = None if told is None else told.filter(pl.col("score") == one.name)
            row = Row(names[report.model], one, None if documents is None or documents.is_empty() else documents)
            found[one.name].append((order[report.model], report.step, row))
    result = {}
    for name, rows in found.items():
        times = Counter(row.model for _, _, row in rows)
        result[name] = [
            replace(row, model=f"{row.model} ({step})") if times[row.model] > 1 else row
            for _, step, row in sorted(rows, key=lambda item: item[0])
        ]
    return result


def glance(page: Page, found: Mapping[str, Sequence[Row]]) -> None:
    """Add which model is best by each score, and which ones cannot be told from it.

    Two models are told apart by their difference on the same documents, where these are known, else by their intervals.
    """
    page.section("At a glance")
    points = []
    for name, rows in found.items():
        best, one = best_of(rows), best_of(rows).score
        others = [(row, difference(row.documents, best.documents)) for row in rows if row is not best]
        like = [row.model for row, found in others if found is not None and found.holds_zero]
        near = [row.model for row, found in others if found is None and _overlap(row, best)]
        said = [f"on the same documents {', '.join(like)} cannot be told from it"] if like else []
        said += [f"the intervals of {', '.join(near)} overlap with it"] if near else []
        if not said:
            paired = bool(others) and all(found is not None for _, found in others)
            said = ["no other is as good on the same documents" if paired else "no other interval reaches it"]
        points.append(
            f"{name}: {best.model} is {'highest' if one.higher_is_better else 'lowest'} with {one.value:.4g} "
            f"(95 % interval {one.low:.4g} to {one.high:.4g}, n = {one.n:,}); {'; '.join(said)}."
        )
    page.points(points or ["No score was given."])


def best_of(rows: Sequence[Row]) -> Row:
    """Return the row with the best score, the first of equal ones."""
    sign = 1 if rows[0].score.higher_is_better else -1
    return max(rows, key=lambda row: sign * row.score.value)


def _overlap(one: Row, other: Row) -> bool:
    return one.score.low <= other.score.high and other.score.low <= one.score.high


def differences(page: Page, name: str, rows: Sequence[Row]) -> bool:
    """Add how each model differs from the best one on the same documents; return whether all could be compared so."""
    best = best_of(rows)
    others = [row for row in rows if row is not best]
    found = [(row.model, difference(row.documents, best.documents)) for row in others]
    table = [
        {
            "model": model,
            f"{name}, less that of {best.model}": f"{one.value:+.4g}",
            "95 % interval": f"{one.low:+.4g} to {one.high:+.4g}",
            "documents": one.n,
            "told apart": "no" if one.holds_zero else "yes",
        }
        for model, one in found
        if one is not None
    ]
    if table:
        page.table(f"{name} on the same documents as {best.model}, the best", pl.DataFrame(table))
    return bool(others) and len(table) == len(others)


def cards(page: Page, models: Sequence[Model]) -> None:
    """Add what each model is, and where they are not on one footing."""
    page.section("The models")
    rows = [
        {"model": model.step, "what it is": kind_of(model)}
        | {name: facts(model).get(name, "–").removeprefix("objective/") for name in SHOWN}
        for model in models
    ]
    page.table("What was trained on what", pl.DataFrame(rows))
    notes = []
    neural = [model for model in models if model.card.get("family") != "static"]
    for key, name in (("parameters", "parameters"), ("tokens", "tokens seen")):
        values = {model.step: int(model.card[key]) for model in neural if model.card.get(key)}
        if values and max(values.values()) > ALIKE * min(values.values()):
            few, many = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
            notes.append(
                f"the networks differ in {name}: from {values[few]:,} ({few}) to {values[many]:,} ({many}), "
                f"a factor of {values[many] / values[few]:.2f}"
            )
    if len(neural) < len(models):
        notes.append("a static model has no layers: its parameters are what it counted, and it reads its text once")
    page.notes(notes)


def kind_of(model: Model) -> str:
    """Return what `config.json` calls a network, or the settings of a static model."""
    config = model.read_json("config.json")
    known = config.get("architecture") if model.card.get("family") == "static" else config.get("model_type")
    return in_words(known).removeprefix("architecture/") if known is not None else str(model.card.get("family", "–"))


def trainings(page: Page, models: Sequence[Model]) -> None:
    """Add the curves of all models over the tokens they read."""
    drawn = []
    for model in models:
        measured = model.metrics().drop_nulls(["tokens", "loss"])
        if measured.height > 1:
            tokens, losses = measured["tokens"].to_numpy(), measured["loss"].to_numpy()
            drawn.append(Curve(model.step, tokens, losses))
    if not drawn:
        return
    page.section("Training")
    page.text(ABOUT_LOSSES)
    page.picture(
        curves(drawn),
        alt="Lines of the training loss over tokens. "
        + " ".join(f"{one.model}: from {one.losses[0]:.3g} to {one.losses[-1]:.3g}." for one in drawn),
        caption="Training loss over the tokens read: the mean over a twentieth of all steps.",
    )
    left_out = [model.step for model in models if model.step not in {one.model for one in drawn}]
    page.notes([f"without a curve, as fewer than two steps were measured: {', '.join(left_out)}"] if left_out else [])


def score(page: Page, name: str, rows: Sequence[Row], models: Sequence[Model]) -> None:
    """Add one score of all models that have it."""
    one = rows[0].score
    page.section(f"{name[:1].upper()}{name[1:]}")
    said = " ".join(
        f"{row.model}: {row.score.value:.4g} ({row.score.low:.4g} to {row.score.high:.4g})." for row in rows
    )
    direction = "higher" if one.higher_is_better else "lower"
    page.picture(
        scored(name, rows),
        alt=f"Bars of {name} with intervals. {said}",
        caption=f"{name}, {direction} is better, with 95 % intervals; the upright stroke is the baseline.",
    )
    table = [
        {
            "model": row.model,
            name: row.score.value,
            "95 % interval": f"{row.score.low:.4g} to {row.score.high:.4g}",
            "baseline": row.score.baseline,
            "what the baseline is": row.score.baseline_name,
            "n": row.score.n,
        }
        for row in rows
    ]
    page.table(f"{name}, {direction} is better", pl.DataFrame(table, infer_schema_length=None))
    has = {row.model for row in rows} | {row.model.partition(" (")[0] for row in rows}
    lacking = [model.step for model in models if model.step not in has]
    notes = [f"not measured for {', '.join(lacking)}"] if lacking else []
    if len({row.score.n for row in rows}) > 1:
        notes.append("n differs: these were not judged on the same items, so their scores cannot be compared")
    is_paired = differences(page, name, rows)
    if is_paired:
        notes.append(
            "differences are over the same documents, which are hard or easy for all models alike; each interval is for "
            "its own pair, and the best was chosen by the same numbers"
        )
    elif len(rows) > 1 and len({row.score.n for row in rows}) == 1:
        notes.append(
            "an interval says how the score varies with the items; where all were judged on the same ones, as equal n "
            "suggests, they rise and fall together, and a difference is surer than overlapping intervals make it look"
        )
    page.notes(notes)


def remarks(page: Page, reports: Sequence[Report]) -> None:
    """Add what the evaluators had to say, each remark once with the reports it stands in."""
    said: defaultdict[str, list[str]] = defaultdict(list)
    for report in reports:
        for note in report.notes:
            said[note].append(report.step)
    if said:
        page.section("How it was measured")
        page.notes([f"{note} ({', '.join(steps)})" for note, steps in said.items()])
