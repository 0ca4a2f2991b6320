"""How a failure reaches the person: a message of at most five lines and an exit status, never a traceback unasked.

A mistake in a pipeline is one line each, with its place; an error nobody foresaw is one line and how to see more.
"""

from __future__ import annotations

import errno
import sys
import traceback
from typing import Any

import click

from workbench.errors import EnvironmentProblem, Interrupted, PipelineError, UnknownName, UsageError, WorkbenchError

REMEDIES = {
    errno.EACCES: "name a folder you may write to, or change who may read and write this one",
    errno.EPERM: "name a folder you may write to, or change who may read and write this one",
    errno.ENOTDIR: "name a place whose folder is there, or can be made: a part of this path is a file",
    errno.EROFS: "name a folder on a disk that can be written",
    errno.ENOSPC: "free some space, or name a folder on another disk",
    errno.EDQUOT: "free some space, or name a folder on another disk",
}


def as_workbench_error(error: BaseException) -> WorkbenchError:
    """Return the error that tells a user what `error` means."""
    if isinstance(error, WorkbenchError):
        return error
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Interrupted("stopped", advice="run the same command again to go on; finished steps are kept")
    if isinstance(error, click.ClickException):
        return _usage_error(error)
    if isinstance(error, OSError) and error.errno is not None:
        what = error.strerror or errno.errorcode.get(error.errno, "?")
        return EnvironmentProblem(what, where=_file_of(error), advice=REMEDIES.get(error.errno, ""))
    kind = type(error).__name__
    first = (str(error).strip() or "no message").splitlines()[0]
    return WorkbenchError(
        f"unexpected {kind}: {first:.300}", advice="run again with --debug to see where it comes from"
    )


def describe(error: WorkbenchError) -> dict[str, Any]:
    """Return the JSON document for an error."""
    document: dict[str, Any] = {
        "error": {"message": error.what, "where": error.where, "expected": error.expected, "advice": error.advice}
    }
    if isinstance(error, PipelineError):
        document["errors"] = describe_problems(error)
    differences = getattr(error, "differences", None)
    return document if differences is None else {**document, "differences": list(differences)}


def describe_problems(error: PipelineError) -> list[dict[str, Any]]:
    """Return every mistake of a pipeline as JSON, in file order."""
    return [
        {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}
        for problem in error.problems
    ]


def show_failure(error: WorkbenchError) -> None:
    """Write the message to standard error, with nothing in it that a terminal would obey."""
    from workbench.files.text import safe_text

    for line in error.message.splitlines():
        click.echo(safe_text(line), err=True)


def show_traceback(error: BaseException) -> None:
    """Write the traceback to standard error."""
    traceback.print_exception(error, file=sys.stderr)


def _usage_error(error: click.ClickException) -> UsageError:
    context: click.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "workbench"
    if isinstance(error, click.NoSuchOption) and context is not None:
        known = [word for option in context.command.params for word in option.opts if word.startswith("-")]
        return UnknownName.among(
            "option", error.option_name, [*known, "--help"], where=command, advice=f"{command} --help"
        )
    what = error.format_message().rstrip(".")
    return UsageError(what[:1].lower() + what[1:], where=command, advice=f"{command} --help")


def _file_of(error: OSError) -> str:
    return str(error.filename) if error.filename is not None else ""
