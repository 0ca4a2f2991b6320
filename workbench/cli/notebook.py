"""`workbench notebook`: the Python form of a pipeline file, as a notebook."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.table import Command, Options, set_option


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@set_option
@click.option("--out", type=click.Path(path_type=Path), metavar="NOTEBOOK", help="Where [FILE, ending in .ipynb].")
@click.pass_obj
def notebook(options: Options, file: Path, overrides: tuple[str, ...], out: Path | None) -> None:
    """Write the pipeline FILE as a notebook: the same steps, a cell for each, the same results in the store.

    NOTEBOOK ends in .ipynb, or in .py for text cells (py:percent). One that is there is never written over.
    """
    from workbench.session import Session

    target = file.with_suffix(".ipynb") if out is None else out
    cells = Session(options.store).write_notebook(file, target, overrides)
    options.answer({"path": str(target), "cells": cells}, lambda: _print_written(target))


def _print_written(target: Path) -> None:
    import shlex

    from workbench.cli.printing import say

    say(str(target))
    say()
    say(f"next: workbench lab {shlex.quote(str(target.parent))}")
