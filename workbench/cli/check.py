"""`workbench check`: every mistake in a pipeline file, at once."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.failing import describe_problems
from workbench.cli.table import Command, Options, set_option


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@set_option
@click.option("--card", "with_cards", is_flag=True, help="Also say what the models cost, measured for a second each.")
@click.pass_context
def check(ctx: click.Context, file: Path, overrides: tuple[str, ...], *, with_cards: bool) -> None:
    """Find every mistake in the pipeline FILE: exit status 0 when there is none, 2 otherwise.

    With --card every model that it trains is built and tried: its parameters by part, the memory it needs with this
    batch, optimizer and tuning, operations for each token, and about how long training takes on this device.
    """
    from workbench.cli.printing import note, say
    from workbench.cli.show import print_view
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
    cards = Session(options.store).cards(graph) if with_cards else []
    document = {"errors": [], **({"cards": [card.document for card in cards]} if with_cards else {})}

    def answer() -> None:
        say(f"{file}: {count(len(graph.steps), 'step')}, no mistakes")
        for card in cards:
            say()
            print_view(card)

    options.answer(document, answer)
