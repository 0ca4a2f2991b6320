"""What a command costs: wall time, and the CPU time of all its processes, also of those it leaves to end by themselves."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): children of children that end become children of this process


@dataclass(frozen=True)
class Effort:
    """One run of a pipeline.

    Attributes:
        report: What `workbench run --json` printed.
        wall: Seconds from its start to its end.
        cpu: CPU seconds of it and of every process it started.
    """

    report: dict[str, Any]
    wall: float
    cpu: float

    def seconds(self, step: str) -> float:
        """Return the wall time of a step."""
        return float(next(found["seconds"] for found in self.report["steps"] if found["name"] == step))


def run(folder: Path, *settings: str, store: str = "store", until: str | None = None) -> Effort:
    """Run `pipeline.yaml` of the folder, with settings `KEY=VALUE`, up to the step `until`."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    chosen = [word for setting in settings for word in ("-s", setting)]
    chosen += ["--until", until] if until else []
    command = [sys.executable, "-m", "workbench", "run", "pipeline.yaml", "--json", "--store", store, *chosen]
    spent, started = _spent(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - started
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return Effort(json.loads(done.stdout), wall, _spent() - spent)


def load() -> str:
    """Return how busy the machine is: with more running processes than cores wall time says nothing."""
    return f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
