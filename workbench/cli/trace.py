"""`workbench trace`: the way of a document, or the documents behind a training step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.table import Command, Options

if TYPE_CHECKING:
    from workbench.trace import BatchTrace, DocumentTrace


@click.command(cls=Command)
@click.argument("document", metavar="[DOC-ID]", required=False)
@click.option("--run", "run", metavar="RUN", help="Follow it through this run [the newest that has it].")
@click.option("--batch", metavar="RUN:STEP:N", help="The documents that training step N of STEP saw: last:base:100.")
@click.pass_obj
def trace(options: Options, document: str | None, run: str | None, batch: str | None) -> None:
    """Follow a document from its source through every step; DOC-ID is its id or the start of it.

    `workbench show last:STEP` shows documents with their ids. With --batch, name the documents that a training step
    saw. RUN is an id, the start of one, or `last`.
    """
    from workbench.session import Session

    if (document is None) == (batch is None):
        raise click.UsageError("Give either DOC-ID or --batch RUN:STEP:N")
    session = Session(options.store)
    if batch is not None:
        seen = session.trace_batch(batch)
        options.answer(seen.to_json(), lambda: _print_batch(seen))
    elif document is not None:
        found = session.trace_document(document, run)
        options.answer(found.to_json(), lambda: _print_document(found))


def _print_document(found: DocumentTrace) -> None:
    from workbench.cli.printing import facts, heading, passage, say, table

    heading(f"document {found.id}")
    place = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in found.place.items()]
    facts([("from", found.source), *place, ("run", found.run)])
    say()
    table(["step", "component", "what happened"], [(step.name, step.component, step.summary) for step in found.steps])
    for step in found.steps:
        if step.outcome == "rejected" and step.details.get("signals"):
            say()
            heading(f"what {step.name} measured")
            table(
                ["signal", "value"],
                [(name, _value(value)) for name, value in step.details["signals"].items()],
                numbers=[1],
            )
    say()
    passage("text as read", found.first)
    if found.last != found.first:
        say()
        passage("text as it went on", found.last)


def _print_batch(seen: BatchTrace) -> None:
    from workbench.cli.printing import heading, say, table
    from workbench.wording import count

    heading(f"{seen.step} step {seen.number}: {count(len(seen.documents), 'document')}")
    table(["document", "source", "begins"], [(item["id"], item["source"], item["begins"]) for item in seen.documents])
    say()
    say(f"run {seen.run}")


def _value(value: Any) -> str:
    from workbench.wording import number

    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
