"""The shapes of commands: a table that imports late, and the options every command takes.

`--store`, `--json` and `--debug` may stand before or after the name of the command; what stands last counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from importlib import import_module
from typing import Any, NoReturn

import click

Entries = Mapping[str, tuple[str, str]]


class Options:
    """What every command is given: where the store is, and how to answer.

    Attributes:
        store: The folder of the store; None for `WORKBENCH_STORE` or `.workbench`.
        json: Whether the answer is one JSON document.
        debug: Whether an error shows its traceback.
    """

    def __init__(self) -> None:
        self.store: str | None = None
        self.json = False
        self.debug = False
        self._document: Any = None

    @classmethod
    def foreseen(cls, arguments: Sequence[str]) -> Options:
        """Return what the arguments ask for, known before they are parsed, so that a wrong line is answered well."""
        options = cls()
        words = arguments[: arguments.index("--")] if "--" in arguments else arguments
        options.json = "--json" in words
        options.debug = "--debug" in words
        return options

    def answer(self, document: Any, show: Callable[[], None]) -> None:
        """Give the result of a command: as the JSON document, or by calling `show` to print it."""
        if self.json:
            self._document = document
        else:
            show()

    def fail(self, error: BaseException) -> int:
        """Tell what went wrong; return the exit status."""
        from workbench.cli import failing

        if self.debug:
            failing.show_traceback(error)
        known = failing.as_workbench_error(error)
        self.answer(failing.describe(known), lambda: failing.show_failure(known))
        return known.exit_status

    def write_document(self) -> None:
        """Write the document of the answer, if there is one, to standard output."""
        if self._document is not None:
            from workbench.cli.document import write_document

            write_document(sys.stdout, self._document)


def leave_quietly() -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not complain when it ends."""
    with suppress(OSError, ValueError):  # a stream without a file descriptor has nothing buffered by the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Command(click.Command):
    """A command that takes the options every command takes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *_shared_options()]

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Give the context one `Options` that all levels share."""
        if parent is None:
            extra.setdefault("obj", Options())
        return super().make_context(info_name, args, parent, **extra)


class CommandTable(Command, click.Group):
    """A group of commands, known by name and one line, imported when called.

    Args:
        name: The word on the command line.
        entries: Command → (`module:attribute`, one line of help).
        settings: What `click.Group` takes.
    """

    def __init__(self, name: str, entries: Entries, **settings: Any) -> None:
        super().__init__(name, **settings)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the table."""
        del ctx
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None for a name that is not in the table."""
        del ctx
        if cmd_name not in self._entries:
            return None
        module, _, attribute = self._entries[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing what it names."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._entries.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one name the nearest."""
        name = args[0]
        if name not in self._entries and not ctx.resilient_parsing and not name.startswith("-"):
            from workbench.errors import UnknownName

            raise UnknownName.among(
                "command", name, self._entries, where=ctx.command_path, advice=f"{ctx.command_path} --help"
            )
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # it always leaves: there is no other mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command line and leave with its exit status: 0, 1, 2, 3 or 130."""
        given = list(sys.argv[1:] if args is None else args)
        options = Options.foreseen(given)
        with redirect_stdout(sys.stderr) if options.json else nullcontext():  # stdout is for the document alone
            try:
                status = super().main(given, prog_name, **{**extra, "standalone_mode": False, "obj": options})
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # all become a message and an exit status
                status = options.fail(error)
        try:
            options.write_document()
            sys.stdout.flush()
        except BrokenPipeError:
            leave_quietly()
        sys.exit(status if isinstance(status, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help when nothing is asked."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command; a reader who has gone (`| head`) ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            leave_quietly()
            raise click.exceptions.Exit(0) from None


def _shared_options() -> list[click.Option]:
    return [
        click.Option(
            ["--store"],
            metavar="DIR",
            expose_value=False,
            callback=_remember("store"),
            help="Folder of results [.workbench, or WORKBENCH_STORE].",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember("json"),
            help="Answer with one JSON document.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_remember("debug"),
            help="Show the traceback of an error.",
        ),
    ]


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        del parameter
        if value:
            setattr(ctx.ensure_object(Options), name, value)

    return callback


set_option = click.option(
    "-s",
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting: -s base.with.optimizer.lr=1e-3",
)
"""The option `-s KEY=VALUE` of the commands that read a pipeline."""
