"""What it costs to start: CPU time of `workbench --help` beside the bare interpreter and bare libraries.

    python -m benchmarks.startup

CPU time (user and system) of the child process, median of 20 after a warm-up. At most 7 times `python -c pass` is
allowed for `workbench --help`; a click group alone, which does nothing, is the row to compare with.
"""

import os
import resource
import statistics
import subprocess
import sys

ROUNDS = 20
ALLOWED = 7.0
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "argparse, one command": ["-c", "import argparse; argparse.ArgumentParser().parse_args([])"],
    "a click group's --help": ["-c", "import click; click.Group('g')(['--help'])"],
    "workbench --help": ["-m", "workbench", "--help"],
    "import pydantic": ["-c", "import pydantic; pydantic.BaseModel"],
    "import polars": ["-c", "import polars"],
}


def main() -> None:
    """Print the table; leave with status 1 when `workbench --help` costs more than is allowed."""
    figures = {name: median_seconds([sys.executable, *arguments]) for name, arguments in COMMANDS.items()}
    base = figures["python -c pass"]
    for name, seconds in figures.items():
        print(f"{name:<24} {seconds * 1000:7.1f} ms CPU  {seconds / base:5.1f} x")
    ratio = figures["workbench --help"] / base
    if ratio > ALLOWED:
        sys.exit(f"workbench --help costs {ratio:.1f} times python -c pass, more than {ALLOWED:.0f}")


def median_seconds(command: list[str]) -> float:
    """Return the median CPU time of a command, its modules compiled beforehand."""
    cpu_seconds(command)
    return statistics.median(cpu_seconds(command) for _ in range(ROUNDS))


def cpu_seconds(command: list[str]) -> float:
    """Run a command and return the CPU time it took."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
