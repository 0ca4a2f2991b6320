"""What every command shares: options, errors, exit statuses."""

import importlib.metadata
import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from workbench.cli.root import root
from workbench.cli.table import Command, CommandTable
from workbench.errors import EnvironmentProblem, StepError

HERE = __name__


@click.command(cls=Command)
@click.argument("how")
def fail(how: str) -> None:
    """Fail."""
    print("printed by a component")  # noqa: T201  # what a plugin may do
    errors = {
        "step": StepError("it broke", where="step clean", expected="luck", advice="try again"),
        "machine": EnvironmentProblem("the disk is full", where="/data"),
        "stop": KeyboardInterrupt(),
        "surprise": ValueError("a strange value\nsecond line"),
        "file": PermissionError(13, "Permission denied", "/data/x"),
        "hostile": StepError("\x1b[31mred\u202e"),
    }
    raise errors[how]


failing = CommandTable("failing", {"fail": (f"{HERE}:fail", "Fail.")})


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(failing, [*arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    "how,status", [("step", 1), ("machine", 3), ("stop", 130), ("surprise", 1), ("file", 3), ("hostile", 1)]
)
def test_exit_status(how, status):
    """Every failure ends with its exit status, in at most five lines and without a traceback."""
    code, stdout, stderr = run("fail", how)
    assert code == status
    assert stdout == "printed by a component\n"
    assert len(stderr.strip().splitlines()) <= 5
    assert "Traceback" not in stderr


def test_message_says_where_what_expected_and_advice():
    """The parts of an error stand in the message, in this order."""
    assert run("fail", "step")[2] == "step clean: it broke\n  expected: luck\n  do: try again\n"


def test_unforeseen_error_is_one_line_and_how_to_see_more():
    """An unforeseen error tells its kind and its first line."""
    lines = run("fail", "surprise")[2].splitlines()
    assert lines == [
        "unexpected ValueError: a strange value",
        "  do: run again with --debug to see where it comes from",
    ]


def test_debug_shows_the_traceback():
    """With --debug, and only then, there is a traceback."""
    assert "Traceback (most recent call last)" in run("fail", "surprise", "--debug")[2]


def test_nothing_in_a_message_acts_on_the_terminal():
    """Escapes and bidi controls in a message are shown, not sent."""
    assert run("fail", "hostile")[2] == "\\x1b[31mred<U+202E>\n"


@pytest.mark.parametrize("arguments", [("--json", "fail", "step"), ("fail", "step", "--json")])
def test_json_error_is_the_only_thing_on_stdout(arguments):
    """With --json, before or after the command, stdout holds one document, whatever a component prints."""
    code, stdout, stderr = run(*arguments)
    assert code == 1
    assert json.loads(stdout) == {
        "error": {"message": "it broke", "where": "step clean", "expected": "luck", "advice": "try again"}
    }
    assert stderr == "printed by a component\n"


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
        (["runs", "lst"], "unknown command 'lst'; did you mean 'list'?"),
        (["plan", "x.yaml", "--untill", "a"], "unknown option '--untill'; did you mean '--until'?"),
        (["--sotre", "x"], "unknown option '--sotre'; did you mean '--store'?"),
        (["plan"], "missing argument 'FILE'"),
    ],
)
def test_wrong_command_line(arguments, message):
    """A wrong command line ends with status 2 and the nearest right word."""
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_wrong_command_line_in_json():
    """Also a command line that cannot be parsed answers with a document when --json stands in it."""
    result = CliRunner().invoke(root, ["--json", "rnu"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == "unknown command 'rnu'; did you mean 'run'?"


def test_alone_it_shows_its_help():
    """`workbench` without a word shows the commands."""
    result = CliRunner().invoke(root, [])
    assert result.exit_code == 0
    assert "Commands:" in result.stdout


def test_version():
    """`--version` answers with the version of the installed package, as text and as JSON."""
    version = importlib.metadata.version("workbench")
    assert CliRunner().invoke(root, ["--version"]).stdout == f"workbench {version}\n"
    assert json.loads(CliRunner().invoke(root, ["--version", "--json"]).stdout) == {"version": version}


def test_every_command_has_help_and_the_shared_options():
    """Every command imports, explains itself, and takes --store, --json and --debug."""
    seen = 0
    waiting = [(root, click.Context(root, info_name="workbench"))]
    while waiting:
        table, context = waiting.pop()
        for name in table.list_commands(context):
            command = table.get_command(context, name)
            assert command is not None
            assert command.help
            options = {word for option in command.params for word in option.opts}
            assert {"--store", "--json", "--debug"} <= options
            seen += 1
            if isinstance(command, CommandTable):
                waiting.append((command, click.Context(command, parent=context, info_name=name)))
    assert seen >= 21


def test_reader_who_leaves_is_no_error(finished):
    """`workbench … | head` ends quietly."""
    command = f"{sys.executable} -m workbench show last:clean --store {finished.store} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
