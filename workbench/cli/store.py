"""`workbench store`: is it whole, what may go, and what fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workbench.cli.table import Command, CommandTable, Options

if TYPE_CHECKING:
    from pathlib import Path

HERE = __name__
DAMAGED = 3  # as for any object that is not what its manifest says

store = CommandTable(
    "store",
    {
        "verify": (f"{HERE}:verify", "Read every result and find damaged ones."),
        "gc": (f"{HERE}:collect", "Delete what no run refers to."),
        "du": (f"{HERE}:usage", "Say what takes how much space."),
    },
    help="Verify, clean and measure the store.",
)


@click.command(cls=Command)
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Read every result whole, and set aside what is not as its manifest says. Exit status 3 when there is any."""
    from workbench.session import Session

    options = ctx.ensure_object(Options)
    session = Session(options.store)
    checked = session.verify()
    options.answer(checked, lambda: _print_verified(checked, session.root))
    ctx.exit(DAMAGED if checked["damaged"] else 0)


@click.command("gc", cls=Command)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.pass_obj
def collect(options: Options, dry_run: bool) -> None:  # noqa: FBT001  # a flag of the command
    """Delete what no recorded run refers to: unknown results, remains of killed processes, damaged results.

    To let go of a run and of what only that run needs, delete its folder in runs/ first.
    """
    from workbench.session import Session

    session = Session(options.store)
    gone = [vars(item) for item in (session.leftovers() if dry_run else session.collect())]
    freed = sum(item["size_bytes"] for item in gone)
    document = {"dry_run": dry_run, "size_bytes": freed, "deleted": gone}
    options.answer(document, lambda: _print_collected(document, session.root))


@click.command("du", cls=Command)
@click.pass_obj
def usage(options: Options) -> None:
    """Say what takes how much space, the largest first."""
    from workbench.session import Session

    session = Session(options.store)
    uses = [vars(use) for use in session.usage()]
    total = sum(use["size_bytes"] for use in uses)
    options.answer({"size_bytes": total, "uses": uses}, lambda: _print_usage(uses, total, session.root))


def _print_verified(checked: dict[str, Any], root: Path) -> None:
    from workbench.cli.printing import say, table
    from workbench.wording import count

    if checked["damaged"]:
        rows = [(item["name"], item["fingerprint"][:12], item["problem"]) for item in checked["damaged"]]
        table(["result", "fingerprint", "what is wrong"], rows)
        say()
    if not checked["verified"]:
        say(f"nothing to read: there are no results in {root}")
        return
    found = (
        f"{len(checked['damaged'])} damaged and set aside; the next run makes them anew"
        if checked["damaged"]
        else "all whole"
    )
    say(f"{count(checked['verified'], 'result')} read, {found}")


def _print_collected(document: dict[str, Any], root: Path) -> None:
    from workbench.cli.printing import say, table
    from workbench.wording import size

    rows = [(item["kind"], item["name"], size(item["size_bytes"])) for item in document["deleted"]]
    if rows:
        table(["kind", "name", "size"], rows, numbers=[2])
        say()
    freed = size(document["size_bytes"])
    said = f"{freed} would be freed" if document["dry_run"] else f"{freed} freed"
    say(said if rows else f"nothing to delete: runs refer to everything in {root}")


def _print_usage(uses: list[dict[str, Any]], total: int, root: Path) -> None:
    from workbench.cli.printing import say, table
    from workbench.wording import size

    rows = [
        (size(use["size_bytes"]), use["kind"], use["name"], use["fingerprint"][:12], str(use["runs"])) for use in uses
    ]
    if rows:
        table(["size", "kind", "name", "fingerprint", "runs"], rows, numbers=[0, 4])
        say()
    say(f"{size(total)} in all in {root}")
