"""plugins, init, schema and lab."""

import json
import sys

import click
import pytest
from click.testing import CliRunner

from workbench.catalog import describe_settings, examine
from workbench.cli.lab import lab_command
from workbench.cli.root import root
from workbench.contracts.references import ComponentRef
from workbench.registry import Registry, missing_packages


def answer(*arguments: str, status: int = 0):
    result = CliRunner().invoke(root, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_list():
    """Every component stands in the list; a kind chooses its own."""
    everything = [item["id"] for item in answer("plugins", "list")["components"]]
    assert everything == sorted(everything)
    assert "corpus/split" in everything
    filters = [item["id"] for item in answer("plugins", "list", "filter")["components"]]
    assert filters == [name for name in everything if name.startswith("filter/")]
    assert "did you mean 'filter'" in answer("plugins", "list", "fitler", status=2)["error"]["message"]


def test_show():
    """A component shows its ports and settings, with bounds, defaults and what they count as."""
    card = answer("plugins", "show", "filter/word-count")
    assert (card["id"], card["output"], card["inputs"]) == ("filter/word-count", "corpus", {"corpus": "corpus"})
    assert card["settings"][0] == {
        "name": "min_words",
        "type": "integer, ≥ 0",
        "default": 50,
        "required": False,
        "meaning": "fewest words",
        "mark": "threshold",
    }
    printed = CliRunner().invoke(root, ["plugins", "show", "filter/word-count"]).stdout
    assert "Rae et al. 2021" in printed


def test_show_groups_and_parts():
    """Settings in groups stand under their group; a setting that takes a component names its kind."""
    settings = {item["name"]: item for item in answer("plugins", "show", "train/pretrain")["settings"]}
    assert settings["optimizer"]["type"] == "group"
    assert settings["optimizer.lr"]["type"].startswith("number")
    assert settings["architecture"]["type"] == "architecture"
    assert settings["architecture"]["required"] is True


def test_show_prints_what_matters_first():
    """What must be given stands first, optional ports say so, and marks are explained where there are any."""
    printed = CliRunner().invoke(root, ["plugins", "show", "train/pretrain"]).stdout
    assert "takes       tokens (optional), corpus (optional), teacher (model, optional)\n" in printed
    assert printed[printed.index("\nsetting") :].splitlines()[2].startswith("architecture ")
    assert "runtime: how fast, never what." in printed
    assert "threshold:" not in printed
    assert "runtime:" not in CliRunner().invoke(root, ["plugins", "show", "source/text"]).stdout


def test_every_component_can_be_described():
    """The card of every installed component is JSON with words for every type; a missing extra is named with pip's command."""
    refs = Registry.discover().refs()
    assert len(refs) > 50
    for ref in (ref for ref in refs if missing_packages(ref)):
        assert "pip install" in answer("plugins", "show", ref.id, status=3)["error"]["advice"]
    for name in (ref.id for ref in refs if not missing_packages(ref)):
        card = answer("plugins", "show", name)
        for setting in card["settings"]:
            assert "<class" not in setting["type"], (name, setting)
            assert "typing." not in setting["type"], (name, setting)


def test_doctor_when_all_is_well():
    """A healthy installation gives status 0 and says what it runs on."""
    health = answer("plugins", "doctor")
    assert health["problems"] == []
    assert health["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "cpu" in health["devices"]
    assert health["versions"]["torch"]


def test_doctor_names_what_is_broken():
    """A component whose module is missing is a problem; one that lacks a package is named with it."""
    registry = Registry.discover(
        core=[
            ComponentRef("corpus", "gone", "workbench.no_such_module:Gone", "gone"),
            ComponentRef("corpus", "lacking", "workbench.x:Y", "lacking", requires=("no_such_package:no-such",)),
        ]
    )
    health = examine(registry)
    assert [line for line in health.problems if line.startswith("corpus/gone: ")]
    assert health.missing["corpus/lacking"] == ["no-such"]


def test_settings_of_a_class():
    """Optional, list, choice and nested settings have words."""
    from typing import Literal

    from pydantic import BaseModel, Field

    from workbench.contracts.filters import Filter

    class Group(BaseModel):
        rate: float = Field(0.5, gt=0, le=1)

    class Everything(BaseModel):
        paths: tuple[str, ...] = Field(min_length=1)
        top: int | None = None
        mode: Literal["a", "b"] = "a"
        filters: tuple[Filter, ...] = ()
        group: Group = Group()

    found = [(setting.name, setting.type, setting.required) for setting in describe_settings(Everything)]
    assert found == [
        ("paths", "list of text, length ≥ 1", True),
        ("top", "integer | null", False),
        ("mode", "a | b", False),
        ("filters", "list of filter", False),
        ("group", "group", False),
        ("group.rate", "number, > 0, ≤ 1", False),
    ]


def test_new_plugin(tmp_path):
    """`plugins new` writes a package; the same name again is refused."""
    written = answer("plugins", "new", "legal-text", "--in", str(tmp_path))
    assert (tmp_path / "workbench-legal-text" / "pyproject.toml").exists()
    assert str(tmp_path / "workbench-legal-text" / "pyproject.toml") in written["files"]
    answer("plugins", "new", "legal-text", "--in", str(tmp_path), status=2)
    answer("plugins", "new", "Bad Name", "--in", str(tmp_path), status=2)


def test_what_comes_next_can_be_copied(tmp_path):
    """The command that `init` and `plugins new` name works in a folder with spaces, and installs what the tests need."""
    folder = tmp_path / "my 语料"
    shown = CliRunner().invoke(root, ["init", str(folder)]).stdout
    assert shown.endswith(f"next: cd '{folder}' && workbench run pipeline.yaml\n")
    shown = CliRunner().invoke(root, ["plugins", "new", "legal-text", "--in", str(folder)]).stdout
    made = folder / "workbench-legal-text"
    assert shown.endswith(f"next: pip install -e '{made}[test]' && python -m pytest '{made}'\n")


def test_init_writes_a_pipeline_that_checks(tmp_path):
    """`init` writes a pipeline without mistakes, and never over a file that is there."""
    folder = tmp_path / "My Corpus"
    assert len(answer("init", str(folder))["files"]) == 3
    assert answer("check", str(folder / "pipeline.yaml")) == {"errors": []}
    assert "name: my-corpus" in (folder / "pipeline.yaml").read_text()
    assert (folder / ".gitignore").read_text() == ".workbench/\n"
    refused = answer("init", str(folder), status=2)["error"]
    assert "would be overwritten" in refused["message"]


def test_init_corpus_runs(tmp_path):
    """The corpus steps of the starter run on its sample, and each filter has something to do."""
    answer("init", str(tmp_path / "a"))
    file, store = str(tmp_path / "a" / "pipeline.yaml"), str(tmp_path / "store")
    ran = answer("run", file, "--until", "split", "--executor", "inline", "--store", store)
    assert ran["status"] == "done"
    ledgers = {name: answer("show", f"last:{name}", "--store", store)["ledger"] for name in ("clean", "unique")}
    assert ledgers["clean"]["rejected"] == {"too-few-words": 1}
    assert ledgers["clean"]["edited"]["pii"] == {"email": 1}
    assert sum(ledgers["unique"]["rejected"].values()) == 1


def test_schema():
    """`schema` writes a JSON Schema, with or without --json."""
    document = answer("schema")
    assert document["$schema"].startswith("https://json-schema.org/")
    assert json.loads(CliRunner().invoke(root, ["schema"]).stdout) == document


def test_lab_listens_on_this_machine_alone():
    """JupyterLab is started on 127.0.0.1."""
    command = lab_command("here", 8899, opens_browser=False)
    assert command[1:] == ["-m", "jupyterlab", "here", "--ip=127.0.0.1", "--port=8899", "--no-browser"]


@pytest.mark.parametrize(
    "name", ["run", "plan", "check", "show", "trace", "runs", "store", "plugins", "init", "notebook"]
)
def test_help_explains_itself(name):
    """The help of a command fits a terminal of 80 columns and names its options."""
    result = CliRunner().invoke(root, [name, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert all(len(line) <= 80 for line in click.unstyle(result.stdout).splitlines())


def test_help_of_the_schema_shows_lines_to_copy():
    """What is to be copied stands in lines of its own, and no markup is left."""
    shown = CliRunner().invoke(root, ["schema", "--help"], terminal_width=80).stdout
    assert "\n    workbench schema > workbench.schema.json\n" in shown
    assert "\\b" not in shown
