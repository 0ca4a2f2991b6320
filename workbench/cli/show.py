"""`workbench show`: look at a run or at a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workbench.cli.table import Command, Options

if TYPE_CHECKING:
    from workbench.showing import View


@click.command(cls=Command)
@click.argument("reference", metavar="[RUN[:STEP[.PART]]]", default="last")
@click.pass_obj
def show(options: Options, reference: str) -> None:
    """Look at a run, or at the result of a step: last, last:clean, last:split.valid.

    RUN is an id (workbench runs list), the start of one, or `last`, the newest, which is meant when nothing is named.

    A corpus shows its ledger, numbers and a few documents; a model its card and curve; a report its scores.
    """
    from workbench.session import Session

    view = Session(options.store).show(reference)
    options.answer(view.document, lambda: print_view(view))


def print_view(view: View) -> None:
    """Print a view."""
    from workbench.cli.printing import facts, heading, passage, say, table

    heading(view.title)
    facts(view.facts)
    for grid in view.grids:
        say()
        heading(grid.title)
        headers, rows = grid.drawn("#")
        table(headers, rows, numbers=grid.numbers)
    for sample in view.passages:
        say()
        passage(sample.heading, sample.text)
