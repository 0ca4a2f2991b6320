"""The worker process: `python -m workbench.engine.worker READ WRITE`.

It reads JSON messages from one descriptor and answers on another. A message holds a whole step (`{"step": task}`),
one call (`{"call": {"function", "task", "log"}}`), or `{"cancel": true}`. What components print goes to the log file
that the task names. The worker ends when its coordinator does, however that ends: the pipe closes, and where the
system can, it sends a kill.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from workbench.contracts.context import call_task
from workbench.contracts.references import ComponentRef
from workbench.engine import memory
from workbench.engine.channel import Channel, Message
from workbench.engine.failures import as_workbench_error, to_json
from workbench.registry import Registry, share_registry, shared_registry

PR_SET_PDEATHSIG = 1  # prctl(2)


class Worker:
    """The state of a worker between tasks.

    Args:
        channel: Leads to the coordinator.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._log = ""
        self._pools: dict[int, Any] = {}

    def serve(self) -> None:
        """Answer messages until the coordinator is gone."""
        greeting = self._channel.receive() or {}
        sys.path[:] = greeting["path"]
        refs = [ComponentRef(**_tuples(value)) for value in greeting["components"]]
        share_registry(Registry.of(refs))
        threading.Thread(target=self._listen, name="workbench-listener", daemon=True).start()
        import_module("workbench.engine.dispatch")  # every task needs it; the coordinator prepares the first meanwhile
        while True:
            message = self._inbox.get()
            if "step" in message:
                self._channel.send(self._step(message["step"]))
            else:
                self._channel.send(self._call(message["call"]))

    def _listen(self) -> None:
        """Take in messages while the main thread works; leave at once when the coordinator has gone."""
        while True:
            try:
                message = self._channel.receive() or {}
            except (EOFError, OSError):
                os._exit(0)
            if "cancel" in message:
                self._cancelled.set()
            else:
                self._cancelled.clear()
                self._inbox.put(message)

    def _call(self, call: dict[str, Any]) -> Message:
        self._redirect(call["log"])
        memory.reset_peak()
        try:
            answer: Message = {"result": call_task(call["function"], call["task"])}
        except BaseException as error:  # noqa: BLE001  # sys.exit and the like must not end the worker
            answer = self._failure(error, "")
        _flush()
        return {**answer, "peak_bytes": memory.peak_bytes()}

    def _step(self, task: dict[str, Any]) -> Message:
        from workbench.engine.dispatch import Surroundings, perform
        from workbench.pipeline.settings import component_from_json

        self._redirect(task["log"])
        memory.reset_peak()
        threads = set(threading.enumerate())
        pool = self._pool(task["workers"])
        pool.attend(Path(task["log"]), self._cancelled.is_set, isolated=task["isolated"])
        around = Surroundings(self._emit, pool.map, self._cancelled.is_set)
        try:
            component = component_from_json(shared_registry(), {"use": task["use"], "with": task["settings"]})
            answer: Message = {"facts": perform(component, task, around)}
        except BaseException as error:  # noqa: BLE001  # sys.exit and the like must not end the worker
            answer = self._failure(error, f"step {task['step']}")
        _flush()
        left = [thread for thread in threading.enumerate() if thread not in threads and not thread.daemon]
        return {
            **answer,
            "peak_bytes": memory.peak_bytes() + pool.take_peak(),
            "held_bytes": memory.held_bytes(),
            "threads_left": len(left),
        }

    def _pool(self, workers: int) -> Any:
        """Return the pool for so many workers, kept warm; another size replaces it."""
        from workbench.engine.pool import WorkerPool

        for size in [size for size in self._pools if size != workers]:
            self._pools.pop(size).close()
        if workers not in self._pools:
            self._pools[workers] = WorkerPool(workers, takes_part=True)
        return self._pools[workers]

    def _emit(self, event: str, fields: dict[str, Any]) -> None:
        self._channel.send({"event": event, "fields": fields})

    def _failure(self, error: BaseException, where: str) -> Message:
        shown = as_workbench_error(error, where, Path(self._log) if self._log else None)
        answer = to_json(shown, error)
        with suppress(OSError):  # where the disk is full, the log cannot take it either
            print(answer["traceback"], file=sys.stderr)  # noqa: T201  # standard error is the step's log here
        return {"error": answer}

    def _redirect(self, log: str) -> None:
        """Send standard output and error, also of code that is not Python, to the file."""
        if log == self._log:
            return
        _flush()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)
        self._log = log


def main() -> None:
    """Serve the coordinator that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    Worker(Channel(int(sys.argv[1]), int(sys.argv[2]))).serve()


def _die_with_parent() -> None:
    """Ask Linux for a kill when the parent's thread ends; elsewhere the closed pipe has to do."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _tuples(value: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


if __name__ == "__main__":
    main()
