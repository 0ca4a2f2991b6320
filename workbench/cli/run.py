"""`workbench run`: run what is missing, and say where each result lies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.table import Command, Options, set_option

if TYPE_CHECKING:
    from workbench.session import Session
    from workbench.store.runs import RunRecord

NUM_FIGURES = 6  # columns of numbers beside each variant of a sweep
STATUSES = ("interrupted", "failed", "running", "done")  # the worst of several runs stands for all


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@set_option
@click.option("--until", metavar="STEP", help="Only this step and what it needs.")
@click.option("--locked", is_flag=True, help="Refuse to run unless all is as in the newest finished run.")
@click.option("--executor", metavar="NAME", help="Who runs the steps: local, inline, torchrun.")
@click.pass_context
def run(ctx: click.Context, /, file: Path, overrides: tuple[str, ...], **how: Any) -> None:
    """Run the pipeline FILE: only the steps whose results are not in the store."""
    from workbench.engine.progress import watcher
    from workbench.session import Session

    options = ctx.ensure_object(Options)
    session = Session(options.store)
    records: dict[str, RunRecord] = {}
    for variant in session.variants(file, overrides):
        if variant.label:
            click.echo(f"{variant.label}", err=True)
        observers = [watcher(sys.stderr)]
        records[variant.label] = session.run(variant.graph, observers=observers, overrides=variant.overrides, **how)
    options.answer(describe_records(records), lambda: _print_records(session, records))
    if options.debug:
        _print_tracebacks(records)
    ctx.exit(max(record.exit_status for record in records.values()))


def describe_records(records: dict[str, RunRecord]) -> dict[str, Any]:
    """Return the JSON document: the run and its steps; for a sweep every result once, and each run by itself."""
    from workbench.showing import describe_run

    described = {label: describe_run(record) for label, record in records.items()}
    last = list(described.values())[-1]
    if len(described) == 1:
        return last
    distinct: dict[str, Any] = {}
    for item in described.values():
        for step in item["steps"]:
            distinct.setdefault(step["fingerprint"], step)
    status = min((item["status"] for item in described.values()), key=STATUSES.index)
    variants = [{"label": label, **item} for label, item in described.items()]
    return {**last, "status": status, "steps": list(distinct.values()), "variants": variants}


def _print_records(session: Session, records: dict[str, RunRecord]) -> None:
    from workbench.cli.printing import lines, say
    from workbench.wording import duration, size

    for record in records.values():
        rows = [
            (step.name, step.status, duration(step.seconds or None), size(step.peak_bytes or None), _near(step.path))
            for step in record.steps
        ]
        lines(["step", "status", "time", "memory", "result"], rows, numbers=[2, 3])
        say(f"run {record.id} {record.status} in {duration(record.seconds)}")
        say()
    if len(records) > 1:
        _print_sweep(session, records)


def _print_sweep(session: Session, records: dict[str, RunRecord]) -> None:
    from workbench.cli.printing import table
    from workbench.wording import number

    figures = {label: session.figures(record) for label, record in records.items()}
    names = [name for values in figures.values() for name in values]
    varying = [name for name in dict.fromkeys(names) if len({values.get(name) for values in figures.values()}) > 1]
    shown = varying[:NUM_FIGURES]
    rows = [
        (label, records[label].status, *(number(values.get(name)) for name in shown))
        for label, values in figures.items()
    ]
    table(["variant", "status", *shown], rows, numbers=range(2, 2 + len(shown)))


def _near(path: str) -> str:
    """Return a path as seen from here, when that is shorter."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if path and Path(path).is_relative_to(here) else path


def _print_tracebacks(records: dict[str, RunRecord]) -> None:
    for record in records.values():
        for step in record.steps:
            if step.traceback:
                sys.stderr.write(f"{step.name}:\n{step.traceback}\n")
