"""`workbench check`: every mistake in a pipeline file, at once."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.failing import describe_problems
from workbench.cli.table import Command, Options


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-s", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting: base.with.lr=1e-3."
)
@click.pass_context
def check(ctx: click.Context, file: Path, overrides: tuple[str, ...]) -> None:
    """Find every mistake in the pipeline FILE: exit status 0 when there is none, 2 otherwise."""
    from workbench.cli.printing import note, say
    from workbench.errors import PipelineError
    from workbench.session import Session
    from workbench.wording import count

    options = ctx.ensure_object(Options)
    try:
        graph = Session(options.store).read(file, overrides)
    except PipelineError as error:
        if not options.json:
            raise
        options.answer({"errors": describe_problems(error)}, lambda: None)
        ctx.exit(error.exit_status)
    for warning in graph.warnings:
        note(f"{warning}")
    options.answer({"errors": []}, lambda: say(f"{file}: {count(len(graph.steps), 'step')}, no mistakes"))
