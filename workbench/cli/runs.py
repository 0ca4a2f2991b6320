"""`workbench runs`: what was run, how two runs differ, and whether one comes out again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from workbench.cli.table import Command, CommandTable, Options

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.compare import Comparison, Reproduction
    from workbench.store.runs import RunRecord

HERE = __name__
HAS_RESULT = ("ran", "cached")

runs = CommandTable(
    "runs",
    {
        "list": (f"{HERE}:list_runs", "List every run, newest first."),
        "diff": (f"{HERE}:diff", "Compare two runs: settings, code, packages, ledgers, scores."),
        "reproduce": (f"{HERE}:reproduce", "Run a recorded pipeline again in an empty store and compare."),
    },
    help="List, compare and reproduce runs.",
)


@click.command("list", cls=Command)
@click.pass_obj
def list_runs(options: Options) -> None:
    """List every run, newest first."""
    from workbench.session import Session
    from workbench.showing import describe_run

    session = Session(options.store)
    records = session.runs.all()[::-1]
    document = {"runs": [describe_run(record) for record in records]}
    options.answer(document, lambda: _print_runs(records, session.root))


@click.command(cls=Command)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.pass_obj
def diff(options: Options, first: str, second: str) -> None:
    """Compare the runs A and B: settings, code, packages, ledgers and scores side by side.

    A and B are ids, starts of one, or `last`; `workbench runs list` lists them.
    """
    from workbench.session import Session

    comparison = Session(options.store).compare(first, second)
    options.answer(comparison.to_json(), lambda: _print_comparison(comparison))


@click.command(cls=Command)
@click.argument("run", metavar="RUN")
@click.pass_context
def reproduce(ctx: click.Context, run: str) -> None:
    """Run the recorded pipeline of RUN again in an empty store, and say for every step how it compares.

    RUN is an id, the start of one, or `last`. The exit status is 1 when a step came out different or could not be
    compared.
    """
    from workbench.engine.progress import watcher
    from workbench.session import Session

    options = ctx.ensure_object(Options)
    result = Session(options.store).reproduce(run, [watcher(sys.stderr)])
    options.answer(result.to_json(), lambda: _print_reproduction(result))
    ctx.exit(0 if result.is_reproduced else 1)


def _print_runs(records: list[RunRecord], root: Path) -> None:
    from workbench.cli.printing import say, table
    from workbench.wording import duration, listed

    if not records:
        say(f"no runs yet in {root}")
        return
    rows = [
        (record.id, record.name, record.status, duration(record.seconds), _tally(record), listed(record.overrides, 2))
        for record in records
    ]
    table(["run", "pipeline", "status", "time", "steps", "changed"], rows, numbers=[3])


def _tally(record: RunRecord) -> str:
    """Return how many steps ended how: always those with a result, the others when there are any."""
    statuses = [step.status for step in record.steps]
    counts = {status: statuses.count(status) for status in ("ran", "cached", "failed", "stopped", "skipped")}
    return ", ".join(f"{times} {status}" for status, times in counts.items() if times or status in HAS_RESULT)


def _print_comparison(comparison: Comparison) -> None:
    from workbench.cli.printing import facts, heading, say, table
    from workbench.wording import listed

    facts(
        [
            ("A", " ".join([comparison.first, *comparison.overrides[0]])),
            ("B", " ".join([comparison.second, *comparison.overrides[1]])),
        ]
    )
    say()
    table(
        ["step", "compared", "what changed from A to B"],
        [(step.name, step.status, listed(step.changes)) for step in comparison.steps],
    )
    for line in comparison.packages:
        say(line)
    rows = [(step.name, *figure) for step in comparison.steps for figure in step.figures]
    if rows:
        say()
        heading("Numbers that differ")
        table(["step", "number", "A", "B"], rows, numbers=[2, 3])


def _print_reproduction(result: Reproduction) -> None:
    from workbench.cli.printing import say, table

    table(["step", "verdict", "detail"], [(step.name, step.verdict, step.detail) for step in result.steps])
    for line in result.differences:
        say(f"not as it was: {line}")
    say()
    say(f"{result.run}: {'reproduced' if result.is_reproduced else 'not reproduced'}")
