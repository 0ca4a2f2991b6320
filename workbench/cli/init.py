"""`workbench init`: a folder to start from."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

import click

from workbench.cli.table import Command, Options

STARTER = {
    "pipeline.yaml": "starter_pipeline.tmpl",
    "data/sample.jsonl": "starter_sample.txt",
    ".gitignore": "starter_gitignore.tmpl",
}


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def init(options: Options, folder: Path) -> None:
    """Write a small pipeline with sample data into DIR. It runs as it is, in about half a minute."""
    written = write_starter(folder)
    options.answer(
        {"path": str(folder), "files": [str(file) for file in written]}, lambda: _print_written(folder, written)
    )


def write_starter(folder: Path) -> list[Path]:
    """Write the starter files. Raises `UsageError`, before anything is written, when one of them is there."""
    from workbench.errors import UsageError
    from workbench.files.atomic import write_text

    targets = {folder / name: template for name, template in STARTER.items()}
    taken = [str(path) for path in targets if path.exists()]
    if taken:
        raise UsageError(
            f"{', '.join(taken)} would be overwritten",
            where=str(folder),
            advice="choose another folder; nothing was written",
        )
    for path, template in targets.items():
        content = (files("workbench.cli") / template).read_text("utf-8")
        write_text(path, content.replace("@name@", _pipeline_name(folder)))
    return list(targets)


def _pipeline_name(folder: Path) -> str:
    """Return the folder's name as a pipeline may bear it."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "pipeline"


def _print_written(folder: Path, written: list[Path]) -> None:
    from workbench.cli.printing import say

    for path in written:
        say(str(path))
    say()
    say(f"next: cd {shlex.quote(str(folder))} && workbench run pipeline.yaml")
