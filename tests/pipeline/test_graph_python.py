"""A pipeline file as a notebook."""

import json
from pathlib import Path

import nbformat
import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.pipeline.graph_python import HANDLE_NAMES, WIDTH, Cell, as_percent
from workbench.session import Session

PIPELINES = Path(__file__).parents[2] / "notebooks" / "pipelines"
ODD = """workbench: 1
name: odd
seed: 7
steps:
  scores: {use: evaluator/perplexity, inputs: {model: base, heldout: p.valid}}
  both: {use: corpus/concat, inputs: [a-b, a_b]}
  a-b: {use: source/jsonl, with: {paths: ["data 语料.jsonl"], columns: [], text: "a'b"}}
  a_b: {use: source/text, with: {paths: [data*]}, run: {workers: 2}}
  p: {use: corpus/split, inputs: both, with: {valid: 0.25}}
  class:
    use: filter/chain
    inputs: p.train
    with:
      filters:
        - use: filter/pii
  print: {use: tokenizer/byte-bpe, inputs: {corpus: p.train}, with: {vocab_size: 300}}
  ids: {use: tokens/pack, inputs: {tokenizer: print, corpus: p}, with: {context: 64}}
  base:
    use: train/pretrain
    inputs: ids
    with:
      architecture: {use: architecture/llama, with: {layers: 1, width: 32}}
      objective: {use: objective/causal}
      optimizer: {lr: 3e-4, clip: null}
      budget: {steps: 2}
sweep: {base.with.optimizer.lr: [1e-3, 3e-4]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what the pipelines read."""
    (tmp_path / "data 语料.jsonl").write_text('{"a\'b": "one"}\n')
    monkeypatch.delenv("WORKBENCH_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def executed(notebook: Path) -> wb.Pipeline:
    """Return the pipeline that the cells before the plan build, run where the notebook lies."""
    cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    names: dict = {}
    for source in cells[: cells.index("p.plan()")]:
        exec(source, names)
    return names["p"]


@pytest.mark.parametrize("name", ["odd", *sorted(file.stem for file in PIPELINES.glob("*.yaml"))])
def test_the_same_pipeline(name, folder):
    """The cells build the graph of the file: steps, inputs, settings, run options, sweep; nothing is too wide."""
    text = ODD if name == "odd" else (PIPELINES / f"{name}.yaml").read_text()
    (folder / "file.yaml").write_text(text, "utf-8")
    session = Session()
    graph = session.read(folder / "file.yaml")
    assert session.write_notebook(folder / "file.yaml", folder / "file.ipynb") == len(graph.steps) + 7 + bool(
        graph.sweep
    )
    nbformat.validate(nbformat.read(folder / "file.ipynb", as_version=4))
    made = executed(folder / "file.ipynb").graph
    assert dict(made.steps) == dict(graph.steps)
    assert list(made.steps) == list(graph.steps)
    assert (made.name, made.seed, dict(made.sweep), made.base) == (
        graph.name,
        graph.seed,
        dict(graph.sweep),
        graph.base,
    )
    lines = [line for cell in json.loads((folder / "file.ipynb").read_text())["cells"] for line in cell["source"]]
    assert max(map(len, lines)) <= WIDTH + 20


def test_elsewhere_it_finds_the_same_files_and_results(folder, monkeypatch):
    """In another folder it names the store and the folder that paths start from."""
    (folder / "file.yaml").write_text(ODD, "utf-8")
    (folder / "books").mkdir()
    session = Session(folder / "results")
    session.write_notebook(folder / "file.yaml", folder / "books" / "odd.ipynb")
    monkeypatch.chdir(folder / "books")
    made = executed(folder / "books" / "odd.ipynb")
    assert made.session.root.resolve() == session.root.resolve()
    assert made.session.identify(made.graph) == session.identify(session.read(folder / "file.yaml"))


def test_overrides_are_in_it(folder):
    """What `-s` changes is written as changed."""
    (folder / "file.yaml").write_text(ODD, "utf-8")
    Session().write_notebook(folder / "file.yaml", folder / "n.py", ["ids.with.context=32"])
    text = (folder / "n.py").read_text("utf-8")
    assert "context=32" in text
    assert text.startswith("# %% [markdown]\n# # odd\n#\n# The pipeline of `file.yaml`")


def test_a_notebook_is_never_written_over(folder):
    """What is there stays, and an ending that is no notebook's is refused."""
    (folder / "file.yaml").write_text("workbench: 1\nsteps:\n  raw: {use: source/text, with: {paths: [a]}}\n")
    (folder / "mine.ipynb").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.ipynb: would be overwritten"):
        Session().write_notebook(folder / "file.yaml", folder / "mine.ipynb")
    with pytest.raises(UsageError, match=r"\.ipynb or \.py at its end"):
        Session().write_notebook(folder / "file.yaml", folder / "n.txt")
    assert (folder / "mine.ipynb").read_text() == "mine"


def test_text_cells():
    """Lines of a markdown cell are comments, empty ones without a space behind."""
    assert as_percent([Cell("markdown", "a\n\nb")]) == "# %% [markdown]\n# a\n#\n# b\n"


def test_parts_that_are_called_like_something_of_a_handle_are_written_as_items():
    """Every public name of a handle is known to the writer, so `split.head` never means a part."""
    handle = wb.Pipeline("p").source.jsonl(paths=["a"])
    own = {name for name in (*dir(type(handle)), *vars(handle)) if not name.startswith("_")}
    assert own == set(HANDLE_NAMES)
