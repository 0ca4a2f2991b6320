"""`workbench plan`: which steps would run, and why, without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.table import Command, Options, set_option

if TYPE_CHECKING:
    from workbench.pipeline.plan import Plan


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@set_option
@click.option("--until", metavar="STEP", help="Only this step and what it needs.")
@click.pass_obj
def plan(options: Options, file: Path, overrides: tuple[str, ...], until: str | None) -> None:
    """Say for every step of the pipeline FILE whether it is cached or will run, and why."""
    from workbench.session import Session

    session = Session(options.store)
    plans = {item.label: session.plan(item.graph, until) for item in session.variants(file, overrides)}
    options.answer(describe_plans(plans), lambda: _print_plans(plans))


def describe_plans(plans: dict[str, Plan]) -> dict[str, Any]:
    """Return the JSON document: the steps, each result once; for a sweep also the steps of each variant."""
    if len(plans) == 1:
        return next(iter(plans.values())).to_json()
    described = {label: item.to_json()["steps"] for label, item in plans.items()}
    distinct = {step["fingerprint"]: step for steps in described.values() for step in steps}
    return {
        "steps": list(distinct.values()),
        "variants": [{"label": label, "steps": steps} for label, steps in described.items()],
    }


def _print_plans(plans: dict[str, Plan]) -> None:
    from workbench.cli.printing import say, table
    from workbench.wording import count, listed

    to_run = set()
    for label, item in plans.items():
        if label:
            say(label)
        table(
            ["step", "component", "status", "why"],
            [(step.name, step.component, step.status, listed(step.reasons)) for step in item.steps],
        )
        say()
        to_run |= {step.fingerprint for step in item.steps if step.status == "run"}
    say(f"{count(len(to_run), 'step')} to run" if to_run else "nothing to run: every result is in the store")
