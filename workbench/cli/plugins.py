"""`workbench plugins`: what is installed, what it takes, what is wrong with it, and a new one."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.printing import facts, say, table
from workbench.cli.table import Command, CommandTable, Options
from workbench.contracts.references import KINDS

if TYPE_CHECKING:
    from workbench.catalog import ComponentCard, Health

HERE = __name__
MARKS = {
    "threshold": "only decides, trying another reruns no measurement",
    "runtime": "how fast, never what",
}

plugins = CommandTable(
    "plugins",
    {
        "list": (f"{HERE}:list_components", "List components, all or of one kind."),
        "show": (f"{HERE}:show_component", "Describe a component and its settings."),
        "doctor": (f"{HERE}:doctor", "Load everything and say what is wrong."),
        "new": (f"{HERE}:new_plugin", "Write a new plugin package with tests that pass."),
    },
    help="List, describe, examine and start plugins.",
)


@click.command("list", cls=Command, epilog=f"Kinds: {', '.join(KINDS)}")
@click.argument("kind", required=False, metavar="[KIND]")
@click.pass_obj
def list_components(options: Options, kind: str | None) -> None:
    """List every component that is installed, or those of one KIND."""
    from workbench.catalog import reference_json
    from workbench.errors import UnknownName
    from workbench.registry import shared_registry

    if kind is not None and kind not in KINDS:
        raise UnknownName.among("kind", kind, KINDS)
    refs = [reference_json(ref) for ref in shared_registry().refs(kind)]
    options.answer({"components": refs}, lambda: _print_components(refs))


@click.command("show", cls=Command)
@click.argument("use", metavar="KIND/NAME")
@click.pass_obj
def show_component(options: Options, use: str) -> None:
    """Describe KIND/NAME: what it does, what it takes and gives, and every setting."""
    from workbench.catalog import describe_component
    from workbench.registry import shared_registry

    card = describe_component(shared_registry(), use)
    options.answer(card.to_json(), lambda: _print_card(card))


@click.command(cls=Command)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Load every component, and say what is wrong. Exit status 0 when all is well, 1 when something is broken."""
    from workbench.catalog import examine
    from workbench.machine import describe_machine
    from workbench.registry import shared_registry

    health, machine = examine(shared_registry()), describe_machine()
    document = {"plugins": health.plugins, "problems": health.problems, "missing": health.missing, **machine}
    ctx.ensure_object(Options).answer(document, lambda: _print_health(health, machine))
    ctx.exit(1 if health.problems else 0)


@click.command("new", cls=Command)
@click.argument("name")
@click.option("--in", "folder", default=".", type=click.Path(file_okay=False, path_type=Path), help="Where [here].")
@click.pass_obj
def new_plugin(options: Options, name: str, folder: Path) -> None:
    """Write the package workbench-NAME: a component, its tests and what makes it installable."""
    from workbench.testing.scaffold import write_plugin

    files = write_plugin(name, folder)
    root = folder / f"workbench-{name}"
    options.answer({"path": str(root), "files": [str(file) for file in files]}, lambda: _print_new(root, files))


def _print_components(refs: list[dict[str, Any]]) -> None:
    rows = [(ref["id"], _summary(ref)) for ref in refs]
    table(["component", "what it is"], rows)


def _summary(ref: dict[str, Any]) -> str:
    also = f" (also {', '.join(ref['aliases'])})" if ref["aliases"] else ""
    deprecated = f" [deprecated: {ref['deprecated']}]" if ref["deprecated"] else ""
    return f"{ref['summary']}{also}{deprecated}"


def _print_card(card: ComponentCard) -> None:
    say(f"{card.ref.id}  version {card.version}")
    say()
    say(card.about)
    say()
    inputs = ", ".join(_port(name, words) for name, words in card.inputs.items())
    given = [
        ("takes", inputs),
        ("gives", card.output),
        ("deprecated", card.ref.deprecated),
        ("defined in", card.ref.target),
    ]
    facts([(name, value) for name, value in given if value])
    if card.settings:
        say()
        settings = sorted(card.settings, key=lambda item: not item.required)
        table(["setting", "type", "default", "counts as", "meaning"], [_setting_row(item) for item in settings])
    marks = [f"{mark}: {words}." for mark, words in MARKS.items() if any(item.mark == mark for item in card.settings)]
    if marks:
        say()
        say(" ".join(marks))


def _port(name: str, words: str) -> str:
    """Write a port and what it takes.

    >>> _port("heldout", "corpus"), _port("corpus", "corpus (optional)"), _port("teacher", "model (optional)")
    ('heldout (corpus)', 'corpus (optional)', 'teacher (model, optional)')
    """
    return words if words.partition(" ")[0] == name else f"{name} ({words.replace(' (optional)', ', optional')})"


def _setting_row(setting: Any) -> tuple[str, ...]:
    default = "(required)" if setting.required else "" if setting.type == "group" else default_words(setting.default)
    return (setting.name, setting.type, default, setting.mark, setting.meaning)


def default_words(value: Any) -> str:
    """Write a default as it would stand in a pipeline file.

    >>> default_words(None), default_words(0.5), default_words(True), default_words(["a"])
    ('null', '0.5', 'true', '["a"]')
    >>> default_words({"use": "filter/pii", "with": {}})
    'filter/pii'
    """
    if isinstance(value, dict) and "use" in value:
        return str(value["use"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _print_health(health: Health, machine: dict[str, Any]) -> None:
    rows = [
        (plugin["name"], f"{plugin['package']} {plugin['version']}", plugin["components"], plugin["error"] or "ok")
        for plugin in health.plugins
    ]
    table(["plugin", "package", "components", "state"], rows, numbers=[2])
    say()
    shown = {**machine, "devices": ", ".join(machine["devices"])}
    facts([(name, value) for name, value in shown.items() if name != "versions"])
    say()
    facts([(name, version or "not installed") for name, version in machine["versions"].items()])
    for component, packages in health.missing.items():
        say(f"{component} cannot be used: pip install {' '.join(packages)}")
    say()
    say("\n".join(f"problem: {problem}" for problem in health.problems) or "no problems found")


def _print_new(root: Path, files: list[Path]) -> None:
    say(f"{root}")
    for file in files:
        say(f"  {file.relative_to(root)}")
    say()
    say(f"next: pip install -e {shlex.quote(f'{root}[test]')} && python -m pytest {shlex.quote(str(root))}")
