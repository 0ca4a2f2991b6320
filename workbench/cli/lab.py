"""`workbench lab`: JupyterLab on this folder, for this machine only."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from workbench.cli.table import Command, Options


@click.command(cls=Command)
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--port", default=8888, show_default=True, help="Port on 127.0.0.1; the next free one if it is taken.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.pass_obj
def lab(options: Options, folder: str, port: int, no_browser: bool) -> None:  # noqa: FBT001  # a flag of the command
    """Open JupyterLab on FOLDER (default: here). It listens on 127.0.0.1 alone."""
    from workbench.errors import MissingPackage

    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingPackage.for_component("workbench lab", ["jupyterlab"])
    if options.store is not None:
        os.environ["WORKBENCH_STORE"] = os.path.abspath(options.store)  # noqa: PTH100  # a child process reads it
    sys.stdout.flush()
    os.execv(sys.executable, lab_command(folder, port, opens_browser=not no_browser))  # noqa: S606  # no shell is wanted


def lab_command(folder: str, port: int, *, opens_browser: bool) -> list[str]:
    """Return the command that starts JupyterLab."""
    command = [sys.executable, "-m", "jupyterlab", folder, "--ip=127.0.0.1", f"--port={port}"]
    return command if opens_browser else [*command, "--no-browser"]
