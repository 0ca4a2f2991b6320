"""Run a pipeline over and over in forked children, each with a fault at another write, flush or rename.

Run as a program: `python faults.py FOLDER kill|full STRIDE`. Prints a JSON list with one entry for each place:
`{"place", "exit", "problems"}`. The faults are made here, around the functions of the system; the code
under test knows nothing of it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import engine_parts

from workbench.engine.execute import execute
from workbench.errors import EnvironmentProblem
from workbench.registry import Registry
from workbench.store.objects import Store
from workbench.store.runs import RunRecord, Runs

STEPS = """a: {use: corpus/write, with: {text: a}}
b: {use: corpus/write, with: {text: b}, inputs: {before: [a]}}"""
REGISTRY = Registry.of(engine_parts.REFS)
GRAPH, IDENTITIES = engine_parts.prepare(Path(), STEPS, REGISTRY)
KILLED = 99
FAILED_UNKINDLY = 98


class Faults:
    """Counts the calls that change the disk, and strikes at one of them."""

    def __init__(self, how: str, place: int) -> None:
        self.how = how
        self.place = place
        self.count = 0

    def install(self) -> None:
        """Put a counter around every function by which the store writes."""
        for name in ("fsync", "rename", "replace", "mkdir", "chmod"):
            setattr(os, name, self.around(getattr(os, name)))
        Path.write_bytes = lambda path, content: self.write_whole(path, content)  # noqa: PLW0108  # a method, bound to the path
        Path.write_text = lambda path, text, *_rest, **_named: self.write_whole(path, text.encode())

    def write_whole(self, path: Path, content: bytes) -> int:
        """Write a file; at the fault only its first half."""
        strikes = self.strikes()
        with path.open("wb") as file:
            file.write(content[: len(content) // 2] if strikes else content)
        if strikes:
            self.strike()
        return len(content)

    def around(self, function: Callable) -> Callable:
        """Return the function with the fault before it."""

        def struck(*given, **named):
            if self.strikes():
                self.strike()
            return function(*given, **named)

        return struck

    def strikes(self) -> bool:
        """Count one call and say whether it is the one; a full disk stays full."""
        self.count += 1
        return self.count == self.place or (self.how == "full" and self.count > self.place)

    def strike(self) -> None:
        """Die, or be out of space."""
        if self.how == "kill":
            os._exit(KILLED)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(root: Path) -> RunRecord:
    """Run the two steps in this process."""
    lock = {"steps": {name: {"key": identity.key} for name, identity in IDENTITIES.items()}}
    return execute(GRAPH, IDENTITIES, Store(root), Runs(root), registry=REGISTRY, executor="inline", lock=lock)


def child(root: Path, faults: Faults, report: Path) -> None:
    """Run the pipeline with the fault and leave how it ended."""
    faults.install()
    try:
        status = run(root).exit_status
    except EnvironmentProblem as error:
        status = error.exit_status
    except BaseException as error:  # noqa: BLE001  # whatever it is, the test wants to know
        fd = os.open(report, os.O_WRONLY | os.O_CREAT)
        os.write(fd, repr(error).encode())
        os._exit(FAILED_UNKINDLY)
    os._exit(status)


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and return its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(97)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def whole(root: Path) -> dict[str, bytes]:
    """Return the files of every object that the store calls whole."""
    store = Store(root)
    assert all(store.has(fingerprint) for fingerprint in store.objects()), "a partial object has its final name"
    return engine_parts.contents(root)


def examine(root: Path, how: str, expected: dict[str, bytes]) -> list[str]:
    """Return what is wrong after a fault, and after the next, undisturbed run."""
    problems = []
    left = whole(root)
    problems += [f"{name} differs" for name in left if left[name] != expected.get(name)]
    counts = {name: (root / "objects" / name).stat().st_mtime_ns for name in left}
    record = run(root)
    if record.status != "done":
        problems.append(f"the next run is {record.status}")
    if engine_parts.contents(root) != expected:
        problems.append("the next run gives other bytes")
    problems += [f"{n} was made again" for n, t in counts.items() if (root / "objects" / n).stat().st_mtime_ns != t]
    problems += [f"{path} is left over" for path in (root / "tmp").iterdir()]
    return problems


def main(folder: Path, how: str, stride: int) -> list[dict]:
    """Strike at every place."""
    run(folder / "undisturbed")
    expected = engine_parts.contents(folder / "undisturbed")
    results = []
    for place in range(1, 1000, stride):
        root, report = folder / "struck", folder / "report"
        shutil.rmtree(root, ignore_errors=True)
        report.unlink(missing_ok=True)
        status = in_child(lambda root=root, place=place, report=report: child(root, Faults(how, place), report))
        problems = examine(root, how, expected)
        if status == FAILED_UNKINDLY:
            problems.append(report.read_text())
        results.append({"place": place, "exit": status, "problems": problems})
        if status == 0:
            return results
    return results


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
