"""A third-party distribution: written by the scaffold, built, installed in a clean environment, found and run."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.testing.scaffold import write_plugin

EXAMPLE = Path(__file__).parent / "example_plugin"


def files_of(folder: Path) -> dict[str, str]:
    """Return name → content of what git would keep of a folder."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and not any(part in name for part in ("__pycache__", ".egg-info", "build/", ".workbench")):
            found[name] = file.read_text("utf-8")
    return found


def test_the_example_is_what_the_scaffold_writes(tmp_path):
    """The example distribution stays what `workbench plugins new example` gives."""
    write_plugin("example", tmp_path)
    assert files_of(tmp_path / "workbench-example") == files_of(EXAMPLE)


@pytest.mark.parametrize("name", ["Legal", "two words", "-x", "x_y", ""])
def test_a_bad_name_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="lower-case words joined by hyphens"):
        write_plugin(name, tmp_path)


def test_a_folder_in_use_is_left_alone(tmp_path):
    """Nothing is overwritten."""
    write_plugin("legal-text", tmp_path)
    with pytest.raises(UsageError, match="not empty"):
        write_plugin("legal-text", tmp_path)


def run(*command, **options):
    """Run a program and return what it printed; show its errors when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the Python of a clean environment with the built wheel of the example in it."""
    folder = tmp_path_factory.mktemp("clean")
    write_plugin("example", folder)
    source = folder / "workbench-example"
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", source)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "env")
    python = folder / "env" / "bin" / "python"
    # The workbench and what it needs are lent from this environment; the example comes from its wheel alone.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    lent = sysconfig.get_path("purelib")
    (Path(site) / "lent.pth").write_text(f"import site; site.addsitedir({lent!r})\n")
    (wheel,) = (folder / "dist").glob("*.whl")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python, source


def test_the_installed_plugin_is_found(installed, tmp_path):
    """The wheel's entry point is enough for the registry, the schema and the command line."""
    python, _ = installed
    listed = json.loads(run(python, "-m", "workbench", "plugins", "list", "filter", "--json", cwd=tmp_path))
    assert "filter/example" in json.dumps(listed)
    here = run(sys.executable, "-m", "workbench", "plugins", "list", "filter", "--json", cwd=tmp_path)
    assert "filter/example" not in here


def test_its_own_tests_pass(installed):
    """The tests that the scaffold wrote pass in the clean environment."""
    python, source = installed
    printed = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=source)
    assert " passed" in printed
    assert "failed" not in printed


def test_its_pipeline_runs(installed, tmp_path):
    """The pipeline that the scaffold wrote runs and keeps the two paragraphs of letters."""
    python, source = installed
    command = ("-m", "workbench", "run", "pipeline.yaml", "--json", "--store", tmp_path / "store")
    done = json.loads(run(python, *command, cwd=source))
    assert [step["status"] for step in done["steps"]] == ["ran", "ran"]
    shown = json.loads(run(python, "-m", "workbench", "show", "last:kept", "--json", "--store", tmp_path / "store"))
    expected = {"read": 3, "kept": 2, "rejected": {"too-few-letters": 1}, "quarantined": 0}
    assert {name: shown["ledger"][name] for name in expected} == expected
