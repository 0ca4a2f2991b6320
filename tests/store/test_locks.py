"""Rules of the locks: one holder, and a dead one is replaced at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.errors import Interrupted
from workbench.store.locks import Locks

HOLD = (
    "import sys, time; from pathlib import Path; from workbench.store.locks import Locks\n"
    "with Locks(Path(sys.argv[1])).held('x'):\n"
    "    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock `x`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_killed_holder_is_replaced_at_once(tmp_path, holder):
    """Whoever waits is told once, and goes on within a second of the holder's death."""
    told = []
    threading.Timer(0.5, holder.kill).start()
    started = time.monotonic()
    with Locks(tmp_path).held("x", waiting=lambda: told.append(1)):
        waited = time.monotonic() - started
    assert told == [1]
    assert 0.4 < waited < 1.5 + 4  # R9: replaced within 5 s, on a busy machine too


def test_a_file_is_deleted_under_its_lock(tmp_path, monkeypatch):
    """Else somebody could take the lock between the look and the deletion, and hold a file that is gone."""
    locks = Locks(tmp_path)
    with locks.held("x"):
        pass
    taken, plain = [], Path.unlink

    def unlink(path, *, missing_ok):
        with Locks(tmp_path).attempt("x") as is_free:
            taken.append(is_free)
        plain(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    locks.discard("x")
    assert (taken, locks.path("x").exists()) == ([False], False)


def test_a_lock_that_is_held_stays(tmp_path, holder):
    """Whoever holds it, also this process for as long as it lives."""
    locks = Locks(tmp_path)
    locks.keep("own")
    locks.discard("own")
    locks.discard("x")
    assert (locks.is_held("own"), locks.path("own").exists(), locks.path("x").exists()) == (True, True, True)


def test_waiting_can_be_stopped(tmp_path, holder):
    """A request to stop ends the waiting."""
    with pytest.raises(Interrupted), Locks(tmp_path).held("x", is_cancelled=lambda: True):
        pass


def test_attempt(tmp_path, holder):
    """An attempt says whether the lock was free, and never waits."""
    locks = Locks(tmp_path)
    with locks.attempt("x") as held, locks.attempt("y") as other:
        assert (held, other) == (False, True)
    assert locks.is_held("x")
    assert not locks.is_held("y")
    assert not locks.is_held("never")


def test_again_in_the_same_thread(tmp_path):
    """A holder may take its lock again; it is free only when it has given back both."""
    locks = Locks(tmp_path)
    with locks.held("x"):
        with locks.held("x"):
            pass
        assert Locks(tmp_path).is_held("x")
    assert not Locks(tmp_path).is_held("x")


def test_two_threads_exclude_each_other(tmp_path):
    """Threads of one process do not share a lock."""
    locks = Locks(tmp_path)
    seen = []
    with locks.held("x"):
        thread = threading.Thread(target=lambda: seen.append(locks.is_held("x")))
        thread.start()
        thread.join()
    assert seen == [True]
