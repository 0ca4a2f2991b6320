"""Rules of the pool: results in the order of the tasks, errors that name the task, no hanging."""

from __future__ import annotations

import os
import threading

import pytest

from workbench.engine.pool import WorkerPool
from workbench.errors import Interrupted, StepError, WorkbenchError
from workbench.registry import Registry


@pytest.fixture
def pool(parts, tmp_path):
    with WorkerPool(2, Registry.of(parts.REFS)) as pool:
        pool.attend(tmp_path / "log", lambda: False)
        yield pool


TASKS = [{"number": number} for number in range(12)]


def test_order(pool):
    """The first task takes longest and still comes first; both workers take part; peaks are known."""
    results = list(pool.map("engine_parts:square", TASKS))
    assert [result["number"] for result in results] == [n * n for n in range(12)]
    assert len({result["pid"] for result in results}) == 2
    assert pool.take_peak() > 20 << 20
    assert pool.take_peak() == 0


def test_a_worker_that_dies(pool):
    """A killed worker ends the map with the function and the task; the pool works again afterwards."""
    with pytest.raises(
        StepError,
        match=r"a worker died \(signal 9; out of memory\?\) in engine_parts:die_at_seven, "
        r'task 8 of 12: \{"number": 7\}',
    ):
        list(pool.map("engine_parts:die_at_seven", TASKS))
    assert len(list(pool.map("engine_parts:square", TASKS))) == 12


def test_a_task_that_raises(pool):
    """An error keeps its message and names the task."""
    with pytest.raises(WorkbenchError, match="engine_parts:fail_at_seven, task 8 of 12: ValueError: seven"):
        list(pool.map("engine_parts:fail_at_seven", TASKS))


def test_one_task_needs_no_process(pool, monkeypatch):
    """A single task, or a single worker, runs in this process."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert [result["number"] for result in pool.map("engine_parts:square", TASKS[3:4])] == [9]
    with WorkerPool(1) as single:
        assert len(list(single.map("engine_parts:square", TASKS))) == 12


def test_light_tasks_run_in_threads(pool, monkeypatch):
    """Tasks that all say so need no process; results come in order, and an error ends the map."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process was started"))
    light = [{**task, "light": True} for task in TASKS]
    results = list(pool.map("engine_parts:square", light))
    assert [result["number"] for result in results] == [n * n for n in range(12)]
    assert {result["pid"] for result in results} == {os.getpid()}
    with pytest.raises(ValueError, match="seven"):
        list(pool.map("engine_parts:fail_at_seven", light))


def test_light_tasks_that_are_isolated_do_not(pool, tmp_path):
    """Where a process died on the step before, no task runs in this one."""
    pool.attend(tmp_path / "log", lambda: False, isolated=True)
    results = list(pool.map("engine_parts:square", [{**task, "light": True} for task in TASKS]))
    assert os.getpid() not in {result["pid"] for result in results}


def test_this_process_takes_part(parts, tmp_path):
    """Of two workers one is this process; order and errors are the same, and nothing runs on after an error."""
    with WorkerPool(2, Registry.of(parts.REFS), takes_part=True) as pool:
        pool.attend(tmp_path / "log", lambda: False)
        results = list(pool.map("engine_parts:square", TASKS))
        assert [result["number"] for result in results] == [n * n for n in range(12)]
        pids = {result["pid"] for result in results}
        assert len(pids) == 2
        assert os.getpid() in pids
        light = list(pool.map("engine_parts:square", [{**task, "light": True} for task in TASKS]))
        assert len({result["pid"] for result in light}) == 2  # there are processes, so they are used
        with pytest.raises((ValueError, WorkbenchError), match="seven"):
            list(pool.map("engine_parts:fail_at_seven", TASKS))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("workbench-task")]


def test_stop(pool, tmp_path):
    """A request to stop ends the map, and no worker stays behind at work."""
    asked = threading.Event()
    pool.attend(tmp_path / "log", asked.is_set)
    results = pool.map("engine_parts:square", TASKS)
    next(results)
    asked.set()
    with pytest.raises(Interrupted):
        list(results)


def test_leaving_early(pool):
    """Who stops listening half-way leaves no answers behind for the next map."""
    next(pool.map("engine_parts:square", TASKS))
    assert [result["number"] for result in pool.map("engine_parts:square", TASKS[::-1])][-1] == 0
