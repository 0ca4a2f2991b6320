"""`workbench`: the table of commands.

Special here: the table is names and one line of help each, so that `workbench --help` imports click and nothing
else. A command's module is imported when the command is called.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from workbench.cli.table import CommandTable, Options


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's call
    del parameter
    if value:
        from workbench.machine import installed_version

        version = installed_version("workbench")
        ctx.ensure_object(Options).answer({"version": version}, lambda: click.echo(f"workbench {version}"))
        ctx.exit()


VERSION = click.Option(
    ["--version"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)

root = CommandTable(
    "workbench",
    {
        "run": ("workbench.cli.run:run", "Run what is missing of a pipeline."),
        "plan": ("workbench.cli.plan:plan", "Say what would run, and why."),
        "check": ("workbench.cli.check:check", "Find every mistake in a pipeline file."),
        "show": ("workbench.cli.show:show", "Look at a run, or at the result of a step."),
        "trace": ("workbench.cli.trace:trace", "Follow a document, or the documents of a training step."),
        "runs": ("workbench.cli.runs:runs", "List, compare and reproduce runs."),
        "store": ("workbench.cli.store:store", "Verify, clean and measure the store."),
        "plugins": ("workbench.cli.plugins:plugins", "List, describe, examine and start plugins."),
        "init": ("workbench.cli.init:init", "Start a folder with a small pipeline that runs."),
        "schema": ("workbench.cli.schema:schema", "Write the JSON Schema of pipeline files."),
        "notebook": ("workbench.cli.notebook:notebook", "Write a pipeline file as a notebook."),
        "lab": ("workbench.cli.lab:lab", "Open JupyterLab on this folder."),
    },
    help="From real text to a tuned, evaluated language model, every step recorded.",
    params=[VERSION],
    epilog="Start with: workbench init my-corpus",
)


def main() -> None:
    """Run the command line and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    root.main(prog_name="workbench")
