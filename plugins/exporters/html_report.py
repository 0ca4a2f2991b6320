"""One page that tells what became of the text and what the models can do; for a stranger, in a browser, offline.

Special here: everything is in one file, without scripts; text from corpora and models is escaped and made visible;
what was thrown away is shown beside what was kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from workbench_plugins.exporters.model_card import facts
from workbench_plugins.exporters.pictures import cascade, loss_curve, shares

from workbench.api import Exporter, Field, Page, Port, StepError, safe_text, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workbench.api import Context, Corpus, Model, Report, Score

SHOWN_CHARACTERS = 700
TABLE_ROWS = 60  # of a describing report; longer tables stand on its own page
SAMPLES = {"prompt", "continuation"}  # a table with these columns holds texts a model wrote
KEPT, TRAINED = "what each step kept and why it dropped the rest", "how training went"


class HtmlReport(Exporter):
    """Write a self-contained page about corpora, models and reports."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpora": Port("corpus", optional=True, many=True, whole=True, about="in the order of the text's way"),
        "models": Port("model", optional=True, many=True),
        "reports": Port("report", optional=True, many=True),
    }

    title: str = Field("From text to a model", min_length=1, description="heading of the page")
    samples: int = Field(4, ge=0, le=100, description="documents shown of those kept, and of those rejected by a step")

    def export(self, artifact: Any, path: Path, ctx: Context) -> None:
        """Write `index.html` from `ctx.inputs`. Raises `StepError` when there is nothing to tell."""
        corpora, models, reports = (ctx.inputs.get(port) or [] for port in self.inputs)
        if not (corpora or models or reports):
            raise StepError(
                "there is nothing to report on", where=ctx.step, expected=f"one of {', '.join(self.inputs)}"
            )
        page = Page(self.title, f"Here: {', '.join(_contents(corpora, models, reports))}.")
        glance(page, corpora, models, reports)
        if corpora:
            ledgers(page, corpora)
        if models:
            trainings(page, models)
        written(page, reports)
        judged(page, reports)
        described(page, reports)
        if corpora and self.samples:
            self.documents(page, corpora, ctx)
        write_text(path / "index.html", page.render())

    def documents(self, page: Page, corpora: Sequence[Corpus], ctx: Context) -> None:
        """Add documents of the last corpus, and some that each step rejected."""
        page.section("Documents kept and rejected")
        last = corpora[-1]
        page.heading(f"Kept to the end (step {last.step})")
        for row in _sample(last.scan(), last.num_rows, self.samples, ctx, f"kept {last.step}"):
            page.quote(_cut(row["text"]), source=row["source"])
        for corpus in corpora:
            rejects = corpus.rejects().filter(pl.col("text").is_not_null())  # what was not drawn has none
            count = int(rejects.select(pl.len()).collect().item())
            if not count:
                continue
            page.heading(f"Rejected by step {corpus.step}")
            for row in _sample(rejects, count, self.samples, ctx, f"rejected {corpus.step}"):
                page.quote(_cut(row["text"]), source=f"{row['filter']}: {row['reason']} — {row['source']}")


def _contents(corpora: Sequence[Corpus], models: Sequence[Model], reports: Sequence[Report]) -> list[str]:
    """Return what the page tells, in the order of its sections."""
    samples = any(set(table.columns) >= SAMPLES for report in reports for table in report.tables.values())
    told = {
        KEPT: bool(corpora),
        TRAINED: bool(models),
        "what the models write": samples,
        "how they score": any(report.scores for report in reports),
        "what the corpora hold": any(report.pictures and not report.scores for report in reports),
    }
    return [what for what, is_there in told.items() if is_there]


def glance(page: Page, corpora: Sequence[Corpus], models: Sequence[Model], reports: Sequence[Report]) -> None:
    """Add the few numbers to take away."""
    page.section("At a glance")
    found = []
    if corpora:
        first, last = corpora[0].ledger, corpora[-1].ledger
        joined = any(after.ledger.read > before.ledger.kept for before, after in pairwise(corpora))
        said = f"Of {first.read:,} records read, {last.kept:,} documents were kept to the end."
        if joined:  # a step on the way takes in more than the one before it left
            said = f"Step {corpora[0].step} read {first.read:,} records; step {corpora[-1].step} holds {last.kept:,} documents."
        found.append(said)
    for model in models:
        card = facts(model)
        size = f"{card['parameters']} parameters" if "parameters" in card else "a model"
        learned = card.get("parameters that learned")
        part = f", of which {learned} learned" if learned and learned != card.get("parameters") else ""
        found.append(f"{model.step}: {size}{part}.")
    found += [f"{report.step}: {sentence(score)}" for report in reports for score in headline(report.scores)]
    page.points(found)


def headline(scores: Sequence[Score]) -> list[Score]:
    """Return the first score, and the one of another model on the same items that it stands beside."""
    return list(scores[:1]) + [score for score in scores[1:] if score.name.endswith(f": {scores[0].name}")]


def sentence(score: Score) -> str:
    """Return a score with everything it takes to judge it, in one sentence."""
    beside = f"; {score.baseline_name}: {score.baseline:.4g}" if score.baseline is not None else ""
    direction = "" if score.higher_is_better else ", lower is better"
    return (
        f"{score.name} {score.value:.4g} (95 % interval {score.low:.4g} to {score.high:.4g}, "
        f"n = {score.n:,}{direction}{beside})."
    )


def ledgers(page: Page, corpora: Sequence[Corpus]) -> None:
    """Add what each step read, kept, rejected and quarantined, with the reasons."""
    page.section("The way of the text")
    page.text("Every document that a step reads is kept, rejected for a reason that is written down, or quarantined.")
    counts = [(corpus.step, corpus.ledger) for corpus in corpora]
    page.picture(
        cascade(corpora),
        alt="Bars of documents for each step. "
        + " ".join(
            f"{step}: {ledger.read:,} read, {ledger.kept:,} kept, {ledger.rejected.total():,} rejected, "
            f"{ledger.quarantined:,} quarantined."
            for step, ledger in counts
        ),
        caption="Documents read by each step: kept, rejected, quarantined.",
    )
    rows = [
        {
            "step": step,
            "read": ledger.read,
            "kept": ledger.kept,
            "rejected": ledger.rejected.total(),
            "quarantined": ledger.quarantined,
            "share kept": f"{ledger.kept / ledger.read:.1%}" if ledger.read else "–",
        }
        for step, ledger in counts
    ]
    page.table("Read = kept + rejected + quarantined", pl.DataFrame(rows))
    _counts_table(
        page,
        "Why documents were rejected",
        [
            {"step": step, "reason": reason, "documents": count}
            for step, ledger in counts
            for reason, count in ledger.rejected.most_common()
            if count
        ],
    )
    _counts_table(
        page,
        "What was changed in documents",
        [
            {"step": step, "filter": name, "edit": kind, "edits": count}
            for step, ledger in counts
            for name, kinds in ledger.edited.items()
            for kind, count in kinds.most_common()
            if count
        ],
    )
    _counts_table(
        page,
        "Parts",
        [
            {"step": corpus.step, "part": part, "documents": sum(s.rows for s in corpus.shards if s.part == part)}
            for corpus in corpora
            if corpus.part is None
            for part in corpus.parts
        ],
    )


def _counts_table(page: Page, caption: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        page.table(caption, pl.DataFrame(rows))


def trainings(page: Page, models: Sequence[Model]) -> None:
    """Add each model's curve and card."""
    page.section("Training")
    for model in models:
        page.heading(f"Model of step {model.step}")
        curve = model.metrics()
        losses = curve["loss"].drop_nulls().to_list()
        if len(losses) > 1:
            page.picture(
                loss_curve(curve),
                alt=f"Line of the training loss over {len(losses):,} steps: from {losses[0]:.3g} at the first step "
                f"to {losses[-1]:.3g} at the last; the lowest is {min(losses):.3g}.",
                caption="Training loss: each step, and the mean over a twentieth of all steps.",
            )
        card = facts(model)
        page.table("Model card", pl.DataFrame({"fact": list(card), "value": list(card.values())}))


def written(page: Page, reports: Sequence[Report]) -> None:
    """Add the texts that models wrote."""
    told = [(report, table) for report in reports for table in report.tables.values() if set(table.columns) >= SAMPLES]
    if not told:
        return
    page.section("What the models write")
    for report, table in told:
        page.heading(f"Samples of step {report.step}").notes(report.notes)
        page.text("The bold beginning was given; the rest is the model's.")
        for row in table.iter_rows(named=True):
            page.quote(row["continuation"], given=row["prompt"])


def judged(page: Page, reports: Sequence[Report]) -> None:
    """Add scores beside their baselines, and the evaluators' tables."""
    told = [report for report in reports if report.scores]
    if not told:
        return
    page.section("Scores")
    page.text("An interval says where the score would lie for other documents of the same kind, 95 times out of 100.")
    for report in told:
        page.heading(f"Report of step {report.step}")
        scores = report.scores
        bounded = [score for score in scores if score.low >= -1 and score.high <= 1 and score.higher_is_better]
        if bounded:
            page.picture(
                shares(bounded),
                alt="Scores with intervals and baselines. " + " ".join(sentence(score) for score in bounded),
                caption="Scores with 95 % intervals; the tick is the baseline on the same documents.",
            )
        for drawn in report.pictures:
            page.picture(drawn.svg, alt=drawn.alt, caption=drawn.caption)
        page.scores("Scores beside their baselines", scores).notes(report.notes)
        for name, table in report.tables.items():
            if not table.is_empty() and not set(table.columns) >= SAMPLES:
                page.table(name.replace("-", " ").capitalize(), table)


def described(page: Page, reports: Sequence[Report]) -> None:
    """Add the pictures and notes of reports that describe and do not score: cards of corpora, audits of filters."""
    for report in reports:
        if report.scores or not report.pictures:
            continue
        page.section(f"Report of step {report.step}")
        for drawn in report.pictures:
            page.picture(drawn.svg, alt=drawn.alt, caption=drawn.caption)
        page.notes(report.notes)
        for name, table in report.tables.items():
            if 0 < table.height <= TABLE_ROWS:
                page.table(name.replace("-", " ").capitalize(), table)


def _sample(frame: pl.LazyFrame, total: int, number: int, ctx: Context, purpose: str) -> list[dict[str, Any]]:
    rng = ctx.rng_for(purpose)
    chosen = sorted(int(row) for row in rng.choice(total, size=min(number, total), replace=False))
    return [frame.slice(row, 1).collect().row(0, named=True) for row in chosen]


def _cut(text: str) -> str:
    return safe_text(text.strip(), SHOWN_CHARACTERS)
