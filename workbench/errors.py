"""Every error a user can meet, in one hierarchy.

    WorkbenchError                     exit status 1
    ├── StepError                      1    a step ran and failed
    │   ├── DataError                  1    the input is worse than the step allows
    │   └── WorkerDied                 1    a process ended in the middle of its task
    ├── PluginError                    1    a plugin broke its contract
    ├── UsageError                     2    the command line or the call is wrong
    │   ├── UnknownName                2    no such component, step, run or option
    │   └── PipelineError              2    the pipeline file is wrong (carries every problem)
    ├── EnvironmentProblem             3    disk full, unreadable file
    │   ├── MissingPackage             3    an optional dependency is not installed
    │   └── DamagedObject              3    a stored object is not what its manifest says
    └── Interrupted                    130  stopped by the user

A message is at most five lines: where, what was given, what was expected or is available, what to do.
The parts stay available as attributes, so that a notebook or `--json` can show them in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class WorkbenchError(Exception):
    """Base of all errors that are shown to a user without a traceback.

    Args:
        what: What went wrong, one sentence without a full stop.
        where: File, line, step or component it concerns.
        expected: What would have been right, or what there is.
        advice: What to do now.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", expected: str = "", advice: str = "") -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.advice = advice
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """Return the whole message, at most five lines."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.advice:
            lines.append(f"  do: {self.advice}")
        return "\n".join("\n".join(lines).splitlines()[:5])

    def place_in(self, where: str) -> None:
        """Put `where` in front of where it was, once: `raw: a.csv` in `step raw` is `step raw: a.csv`."""
        if where not in self.where:
            name = where.removeprefix("step ")
            inner = "" if self.where == name else self.where.removeprefix(f"{name}: ")
            self.where = f"{where}: {inner}" if inner else where
        self.args = (self.message,)

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that an error survives a copy."""
        return (_rebuild, (type(self), dict(self.__dict__)))


def _rebuild(cls: type[WorkbenchError], state: dict[str, object]) -> WorkbenchError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    Exception.__init__(error, error.message)
    return error


class StepError(WorkbenchError):
    """Raise when a step ran and failed."""


class DataError(StepError):
    """Raise when the input holds more bad records than the step allows, or a container is damaged."""


class WorkerDied(StepError):
    """Raise when a worker process ended in the middle of its task.

    Attributes:
        ending: How it ended, `signal 11` or `exit status 3`.
        finished: The results of the tasks before the one it died on, in order, when it was one of a list.
    """

    ending: str = ""
    finished: Sequence[dict[str, Any]] = ()


class PluginError(WorkbenchError):
    """Raise when a plugin does not keep its contract."""


class UsageError(WorkbenchError):
    """Raise when a command or a call is wrong."""

    exit_status = 2


class UnknownName(UsageError):
    """Raise when something is asked for by a name nobody has."""

    @classmethod
    def among(cls, noun: str, given: str, known: Iterable[str], *, where: str = "", advice: str = "") -> UnknownName:
        """Build the message for a name that is not among the known ones.

        >>> print(UnknownName.among("filter", "gofer", ["gopher", "pii"]))
        unknown filter 'gofer'; did you mean 'gopher'?
          expected: one of: gopher, pii
        """
        names = sorted(known)
        shown = ", ".join([*names[:12], *(["…"] if names[12:] else [])])
        return cls(
            f"unknown {noun} {given!r}{did_you_mean(given, names)}",
            where=where,
            expected=f"one of: {shown}" if names else f"there is no {noun}",
            advice=advice,
        )


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a pipeline file. Line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class PipelineError(UsageError):
    """Raise when a pipeline is wrong; `problems` holds every mistake, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def message(self) -> str:
        """Return one line for each problem."""
        return "\n".join(map(str, self.problems))


class EnvironmentProblem(WorkbenchError):
    """Raise when the machine, not the pipeline, is at fault."""

    exit_status = 3


class MissingPackage(EnvironmentProblem):
    """Raise when a component needs a package that is not installed."""

    @classmethod
    def for_component(cls, component: str, packages: Sequence[str], extra: str = "") -> MissingPackage:
        """Name the packages that `component` lacks and the command that brings them."""
        install = f"'workbench[{extra}]'" if extra else " ".join(packages)
        return cls(
            f"{component} needs {', '.join(packages)}, which is not installed",
            advice=f"pip install {install}",
        )


class DamagedObject(EnvironmentProblem):
    """Raise when a stored object does not match its manifest."""


class Interrupted(WorkbenchError):
    """Raise when the user stopped the work."""

    exit_status = 130


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known name, or nothing.

    >>> did_you_mean("min_word", ["min_words", "max_words"])
    "; did you mean 'min_words'?"
    >>> did_you_mean("zzz", ["min_words"])
    ''
    """
    close = get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
