"""The notebooks are in step with their sources and with the pipeline files they stand for."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

import workbench as wb

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"


def built_by(name: str) -> wb.Pipeline:
    """Return the pipeline that a notebook builds: its imports and the assignments of `p` and of its steps."""
    names: dict[str, object] = {}
    for cell in jupytext.read(NOTEBOOKS / f"{name}.py").cells:
        statements = ast.parse(cell.source).body if cell.cell_type == "code" else []
        wanted = [statement for statement in statements if isinstance(statement, ast.Import) or is_step(statement)]
        exec(compile(ast.Module(wanted, []), name, "exec"), names)
    pipeline = names["p"]
    assert isinstance(pipeline, wb.Pipeline)
    return pipeline


def is_step(statement: ast.stmt) -> bool:
    """Return whether a statement is `store = …`, `p = wb.Pipeline(…)` or `x = p.kind.name(…)`."""
    code = ast.unparse(statement)
    return bool(re.match(r"store = |p = wb\.|\w+ = p\.\w+\.\w+\(", code))


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """Return a folder like `notebooks`, with the pipeline of web corpora and a small sample to run it on."""
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "pipelines").mkdir()
    shutil.copy(NOTEBOOKS / "pipelines" / "web-corpus.yaml", folder / "pipelines")
    sys.path.insert(0, str(NOTEBOOKS))
    import web_sample

    web_sample.write_sample(folder / "pipelines" / "data", ("pluggy", "click", "opencc"), folder / "store", articles=30)
    yield folder
    sys.path.remove(str(NOTEBOOKS))


def test_the_curation_notebook_is_the_web_corpus_pipeline(web, monkeypatch):
    """Both forms have the same steps and the same fingerprints."""
    monkeypatch.chdir(web)
    notebook = built_by("02_curate_a_corpus").fingerprints
    assert notebook == wb.load(web / "pipelines" / "web-corpus.yaml").fingerprints
    assert len(notebook) == 20


def test_the_web_corpus_comes_out_as_it_says(web):
    """From archives to a mixture: menus, notices and addresses of sites are gone, proportions hold, Chinese is there."""
    pipeline = wb.load(web / "pipelines" / "web-corpus.yaml", store=web / "store")
    run = pipeline.run(executor="inline")
    assert run.status == "done"
    assert {"en", "zh"} <= set(run["tagged"].artifact.scan().collect()["language"])
    frame = run["mixed"].artifact.scan().collect()
    sizes = dict(frame.select("mixture", frame["text"].str.len_chars()).group_by("mixture").sum().rows())
    assert set(sizes) == {"web", "encyclopedia", "books"}
    text = "\n".join(frame["text"])
    assert "cookies to give you the best experience" not in text
    assert "webmaster@" not in text
    assert "You may also like" not in text


def test_the_quickstart_notebook_is_the_quickstart_pipeline():
    """Both forms have the same steps and the same fingerprints."""
    notebook = built_by("01_quickstart").fingerprints
    assert notebook == wb.load(NOTEBOOKS / "pipelines" / "quickstart.yaml").fingerprints
    assert len(notebook) == 15


def test_the_comparison_notebook_is_the_paradigms_pipeline():
    """Both forms have the same steps and the same fingerprints."""
    notebook = built_by("03_compare_paradigms").fingerprints
    assert notebook == wb.load(NOTEBOOKS / "pipelines" / "paradigms.yaml").fingerprints
    assert len(notebook) == 33


def test_notebooks_are_in_step():
    """Every .ipynb is what its .py says, without outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "notebooks.sync", "--check"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((NOTEBOOKS / "pipelines").glob("*.yaml")), ids=lambda path: path.name)
def test_every_pipeline_is_valid(path):
    """`workbench check` finds nothing in the pipelines that are shipped."""
    assert len(wb.load(path).graph.steps) > 1
