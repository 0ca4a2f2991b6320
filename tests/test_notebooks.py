"""The notebooks are in step with their sources and with the pipeline files they stand for."""

import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

import workbench as wb

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"


def built_by(name: str) -> wb.Pipeline:
    """Return the pipeline that a notebook builds: its cells, without those that only run or show something."""
    names: dict[str, object] = {}
    for cell in jupytext.read(NOTEBOOKS / f"{name}.py").cells:
        if cell.cell_type == "code":
            code = cell.source.replace("run = p.run()\nrun", "")
            if code.startswith("import") or " = " in code:
                exec(compile(code, name, "exec"), names)
    pipeline = names["p"]
    assert isinstance(pipeline, wb.Pipeline)
    return pipeline


def test_the_quickstart_notebook_is_the_quickstart_pipeline():
    """Both forms have the same steps and the same fingerprints."""
    notebook = built_by("01_quickstart").fingerprints
    assert notebook == wb.load(NOTEBOOKS / "pipelines" / "quickstart.yaml").fingerprints
    assert len(notebook) == 15


def test_notebooks_are_in_step():
    """Every .ipynb is what its .py says, without outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "notebooks.sync", "--check"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((NOTEBOOKS / "pipelines").glob("*.yaml")), ids=lambda path: path.name)
def test_every_pipeline_is_valid(path):
    """`workbench check` finds nothing in the pipelines that are shipped."""
    assert wb.load(path).fingerprints
