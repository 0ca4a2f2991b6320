"""`workbench schema`: the JSON Schema of pipeline files, for completion in an editor."""

from __future__ import annotations

import json

import click

from workbench.cli.table import Command, Options


@click.command(cls=Command)
@click.pass_obj
def schema(options: Options) -> None:
    """Write the JSON Schema of pipeline files over the components installed here.

    Put the output into a file, and name it in the first line of a pipeline, so that an editor completes and checks:

    \b
      workbench schema > workbench.schema.json
      # yaml-language-server: $schema=workbench.schema.json
    """  # noqa: D301  # the character itself tells click not to wrap what follows
    from workbench.session import Session

    document = Session(options.store).schema()
    options.answer(document, lambda: click.echo(json.dumps(document, indent=1)))
