"""A pool of light worker processes that run `module:function` over JSON tasks.

Results come in the order of the tasks, whatever the number of workers; a few tasks are in flight for each worker, so
that a slow one at the head holds back memory and not the whole list. A worker that dies ends the map, after the results
of the tasks before, with an error that names the task; nothing waits for ever. The process that waits for the results may
be one of the workers: it then does its share in a thread, and one process less is started and held in memory.
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self

from workbench.contracts.context import call_task, map_inline
from workbench.engine.failures import from_json, last_line
from workbench.engine.processes import WorkerProcess, portable
from workbench.errors import Interrupted, WorkerDied
from workbench.files.text import safe_line
from workbench.registry import Registry, shared_registry

IN_FLIGHT = 4  # finished or running tasks for each worker, ahead of the one that is next in order
POLL_SECONDS = 0.2
MAX_TASK = 200  # characters of a task in a message


class WorkerPool:
    """Worker processes, started when they are first needed and kept until `close`.

    Args:
        workers: How many processes at most; with one, everything runs in this process.
        registry: Where the workers find components; default: that of this process.
        takes_part: Whether this process is one of the workers.
    """

    def __init__(self, workers: int, registry: Registry | None = None, *, takes_part: bool = False) -> None:
        self._workers = workers
        self._takes_part = takes_part
        self._registry = registry
        self._idle: list[WorkerProcess] = []
        self._peaks: dict[int, int] = {}
        self._log: Path | None = None
        self._is_cancelled: Callable[[], bool] = lambda: False
        self._isolated = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def attend(self, log: Path, is_cancelled: Callable[[], bool], *, isolated: bool = False) -> None:
        """Serve one step from now on.

        Args:
            log: Where its workers print.
            is_cancelled: Says whether it is to stop.
            isolated: Whether no task may run in this process, because one may end it.
        """
        self._log = log
        self._is_cancelled = is_cancelled
        self._isolated = isolated

    def map(self, function: str, tasks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the result of every task, in order.

        One task, or one worker, needs no other process, unless the step or the task says `isolated`. Nor do tasks that
        all say `light`, unless there are processes already: they run in threads of this one, see `mapping.map_shards`.
        Raises what a task raises, and `WorkerDied` when a worker dies.
        """
        isolated = self._isolated or any(task.get("isolated") for task in tasks)
        if not isolated:
            if self._workers == 1 or len(tasks) <= 1:
                yield from map_inline(function, tasks)
                return
            if not self._idle and all(task.get("light") for task in tasks):
                yield from self._in_threads(function, tasks)
                return
        own = _OwnThread() if self._takes_part and not isolated else None
        flight = _Flight(self, function, tasks, own)
        try:
            yield from flight.results()
        finally:
            flight.land()

    def _in_threads(self, function: str, tasks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        with ThreadPoolExecutor(self._workers, "workbench-light") as threads:
            for result in threads.map(partial(call_task, function), tasks):  # those not begun end with an error
                self.check_cancelled()
                yield result

    def take_peak(self) -> int:
        """Return the peak memory of all workers since the last call, added up."""
        total = sum(self._peaks.values())
        self._peaks.clear()
        return total

    def close(self) -> None:
        """End the workers."""
        while self._idle:
            self._idle.pop().close()

    def borrow(self) -> WorkerProcess:
        """Return an idle worker, or a new one."""
        if self._idle:
            return self._idle.pop()
        return WorkerProcess(1, portable((self._registry or shared_registry()).refs()), self._log)

    def give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker that has nothing to do."""
        self._idle.append(worker)

    @property
    def num_workers(self) -> int:
        """How many processes may run at once."""
        return self._workers

    @property
    def is_cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self._is_cancelled()

    @property
    def log(self) -> Path | None:
        """Where the workers print."""
        return self._log

    def note_peak(self, worker: WorkerProcess, peak_bytes: int) -> None:
        """Remember the most memory that a worker held."""
        self._peaks[worker.pid] = max(peak_bytes, self._peaks.get(worker.pid, 0))

    def check_cancelled(self) -> None:
        """Raise `Interrupted` when the user asked to stop."""
        if self.is_cancelled:
            raise Interrupted("stopped", advice="run the same command again to go on")


class _OwnThread:
    """The share of this process in a map: one task at a time, in a thread, so that the others are served meanwhile."""

    def __init__(self) -> None:
        self._ready, self._done = os.pipe()
        self._thread = ThreadPoolExecutor(1, "workbench-task")
        self._future: Future[dict[str, Any]] = Future()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._ready

    def start(self, function: str, task: dict[str, Any]) -> None:
        """Begin a task."""
        self._future = self._thread.submit(call_task, function, task)
        self._future.add_done_callback(lambda _: os.write(self._done, b"."))

    def result(self) -> dict[str, Any]:
        """Return what came of the task, or raise what it raised."""
        os.read(self._ready, 1)
        return self._future.result()

    def close(self) -> None:
        """Wait for the task that is at work, if any."""
        self._thread.shutdown()
        os.close(self._ready)
        os.close(self._done)


class _Flight:
    """One map under way."""

    def __init__(
        self, pool: WorkerPool, function: str, tasks: Sequence[dict[str, Any]], own: _OwnThread | None
    ) -> None:
        self._pool = pool
        self._function = function
        self._tasks = tasks
        self._own = own
        self._free = own  # None while it is at work
        self._own_task = 0
        self._busy: dict[WorkerProcess, int] = {}
        self._next = 0
        self._finished: dict[int, dict[str, Any] | WorkerDied] = {}

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the results in the order of the tasks."""
        for wanted in range(len(self._tasks)):
            while wanted not in self._finished:
                self._start(wanted + IN_FLIGHT * self._pool.num_workers)
                self._collect()
            result = self._finished.pop(wanted)
            if isinstance(result, WorkerDied):
                raise result
            yield result

    def land(self) -> None:
        """End the workers that are still at work; the others stay warm.

        The own thread cannot be ended. It is waited for, so that nothing writes into the step's folder afterwards, but
        not when the user asked to stop: the process then ends with it.
        """
        for worker in self._busy:
            worker.kill()
        self._busy.clear()
        if self._own is not None and not (self._free is None and self._pool.is_cancelled):
            self._own.close()

    def _start(self, limit: int) -> None:
        last = min(limit, len(self._tasks))
        others = self._pool.num_workers - (self._own is not None)
        while self._next < last and len(self._busy) < others:
            worker = self._pool.borrow()
            log = str(self._pool.log) if self._pool.log else ""
            worker.send({"call": {"function": self._function, "task": self._tasks[self._next], "log": log}})
            self._busy[worker] = self._next
            self._next += 1
        if self._next < last and self._free is not None:
            self._free.start(self._function, self._tasks[self._next])
            self._free, self._own_task = None, self._next
            self._next += 1

    def _collect(self) -> None:
        own = self._own if self._free is None else None
        descriptors = [worker.channel.fileno() for worker in self._busy] + ([own.fileno()] if own else [])
        ready = select.select(descriptors, [], [], POLL_SECONDS)[0]
        self._pool.check_cancelled()
        if own and own.fileno() in ready:
            self._free = own
            self._finished[self._own_task] = own.result()
        for worker in [worker for worker in self._busy if worker.channel.fileno() in ready]:
            self._take(worker)

    def _take(self, worker: WorkerProcess) -> None:
        index = self._busy[worker]
        try:
            answer = worker.receive()
        except EOFError:
            self._finished[index] = self._death(worker, index)
            return
        del self._busy[worker]
        self._pool.give_back(worker)
        assert answer is not None, "a wait without a limit gives a message"
        if "error" in answer:
            raise from_json({**answer["error"], "where": answer["error"]["where"] or self._place(index)})
        self._pool.note_peak(worker, answer["peak_bytes"])
        self._finished[index] = answer["result"]

    def _place(self, index: int) -> str:
        return f"{self._function}, task {index + 1} of {len(self._tasks)}"

    def _death(self, worker: WorkerProcess, index: int) -> WorkerDied:
        del self._busy[worker]
        said = last_line(self._pool.log) if self._pool.log else ""
        ending = worker.ending()
        worker.channel.close()
        death = WorkerDied(
            f"a worker died ({ending}) in {self._place(index)}: "
            + safe_line(json.dumps(self._tasks[index], ensure_ascii=False), MAX_TASK)
            + (f"\n  last line: {said}" if said else ""),
            advice=f"see {self._pool.log}" if self._pool.log else "",
        )
        death.ending = ending
        return death
