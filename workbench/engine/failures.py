"""Errors on their way from a component to a person: made `WorkbenchError`s, sent as JSON, made errors again."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.errors import EnvironmentProblem, Interrupted, StepError, WorkbenchError
from workbench.files.atomic import is_disk_full
from workbench.files.text import safe_line

MAX_LINE = 300
TAIL_BYTES = 4096
FIELDS = ("what", "where", "expected", "advice")


def as_workbench_error(error: BaseException, where: str, log: Path | None = None) -> WorkbenchError:
    """Return what a component raised as an error that names the step and where to read on."""
    if isinstance(error, WorkbenchError):
        error.place_in(where)
        return error
    see = f"see {log}" if log else ""
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("stopped", where=where, advice="run the same command again to go on")
    if isinstance(error, SystemExit):
        return StepError(f"the component called sys.exit({error.code!r})", where=where, advice=see)
    if isinstance(error, MemoryError):
        return EnvironmentProblem("there is not enough memory", where=where, advice="fewer workers or smaller batches")
    if is_disk_full(error):
        return EnvironmentProblem("the disk is full", where=where, advice="free some space, run again")
    said = safe_line(str(error), MAX_LINE)
    return StepError(f"{type(error).__name__}: {said}" if said else type(error).__name__, where=where, advice=see)


def to_json(error: WorkbenchError, cause: BaseException | None = None) -> dict[str, Any]:
    """Return the parts of an error as JSON values, with the traceback of `cause`."""
    parts = {name: getattr(error, name) for name in FIELDS}
    return {"type": type(error).__name__, **parts, "traceback": _traceback(cause or error)}


def from_json(value: dict[str, Any]) -> WorkbenchError:
    """Return the error that `to_json` described; a type nobody knows becomes a `StepError`."""
    cls = getattr(errors, value["type"], StepError)
    if not (isinstance(cls, type) and issubclass(cls, WorkbenchError)) or cls is errors.PipelineError:
        cls = StepError
    error = cls(value["what"], where=value["where"], expected=value["expected"], advice=value["advice"])
    error.__notes__ = [value["traceback"]]
    return error


def traceback_of(error: WorkbenchError) -> str:
    """Return the traceback of an error, also of one that happened in another process."""
    notes = getattr(error, "__notes__", [])
    return "\n".join(notes) if notes else _traceback(error)


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, safe to show; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((safe_line(line.strip(), MAX_LINE) for line in reversed(lines) if line.strip()), "")


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
