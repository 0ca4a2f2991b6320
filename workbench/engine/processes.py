"""Worker processes, seen from the process that starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.contracts.references import ComponentRef
from workbench.engine.channel import Channel, Message

CLOSE_SECONDS = 5.0
THREAD_VARIABLES = (
    "POLARS_MAX_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def num_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerProcess:
    """One `python -m workbench.engine.worker`, in a process group of its own, so that Ctrl-C reaches us alone.

    Args:
        threads: How many threads its libraries may start; set before they are imported.
        components: What its registry holds.
        log: Where its standard output and error go until a task names another file.
    """

    def __init__(self, threads: int, components: Sequence[Mapping[str, Any]], log: Path | None) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self.channel = Channel(ours_in, ours_out)
        command = [sys.executable, "-P", "-m", "workbench.engine.worker", str(theirs_in), str(theirs_out)]
        try:
            with open(log or os.devnull, "ab") as output:  # noqa: PTH123  # devnull is no path on every system
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=(theirs_in, theirs_out),
                    process_group=0,
                    env=_environment(threads),
                )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self.send({"path": sys.path, "components": list(components)})

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message; that nobody is there any more shows at the next `receive`."""
        try:
            self.channel.send(message)
        except BrokenPipeError:
            return

    def receive(self, timeout_seconds: float | None = None) -> Message | None:
        """Return the next message, None when none came in time. Raises `EOFError` when the process is gone."""
        return self.channel.receive(timeout_seconds)

    def ending(self) -> str:
        """Wait for the end and say how it came, `signal 9` or `exit status 3`."""
        try:
            status = self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status >= 0:
            return f"exit status {status}"
        hint = "; out of memory?" if -status == signal.SIGKILL else ""
        return f"signal {-status}{hint}"

    def close(self) -> None:
        """Let it end, and end it when it does not."""
        self.channel.close()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()
        self.channel.close()


def portable(refs: Sequence[ComponentRef]) -> list[dict[str, Any]]:
    """Return the references that another process can import, as JSON values."""
    return [asdict(ref) for ref in refs if not ref.target.startswith("__main__:") and "<locals>" not in ref.target]


def _environment(threads: int) -> dict[str, str]:
    environment = dict(os.environ)
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    environment.setdefault("HF_HUB_OFFLINE", "1")  # nothing is fetched while a pipeline runs
    environment.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")  # all on this machine
    # Threads that wait by spinning take the processor from those they wait for as soon as anything else runs:
    # with one busy process beside it, training on two processors did 580 tokens a second, and 4,480 this way.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return environment
