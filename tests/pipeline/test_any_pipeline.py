"""No content of a pipeline file leads to a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import PipelineError
from workbench.pipeline.check import read_pipeline
from workbench.pipeline.yaml_nodes import parse_yaml
from workbench.pipeline.yaml_write import write_yaml
from workbench.registry import Registry

RIGHT = """\
workbench: 1
name: t
seed: 1
steps:
  raw: {use: source/words, with: {paths: [a]}}
  split: {use: corpus/halves, inputs: raw}
  bpe: {use: tokenizer/plain, inputs: split.train}
  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}
  base: {use: train/learn, inputs: {tokens: ids}, with: {architecture: {use: architecture/decoder}}}
"""
KEYS = st.sampled_from(
    [
        "use",
        "inputs",
        "with",
        "run",
        "filters",
        "paths",
        "architecture",
        "optimizer",
        "corpus",
        "tokens",
        "a",
        "raw",
        "1",
    ]
)
LEAVES: Any = st.sampled_from(["raw", "raw.train", "base", "filter/length", "architecture/decoder", "x", "", "."])
LEAVES |= st.sampled_from([0, -1, 1.5, True, None, 2**70, float("inf")])
ANYTHING: Any = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=10
)
PLACES = [("steps",), ("sweep",), *(("steps", name) for name in ("raw", "split", "ids", "base", "a"))]
PLACES += [("steps", name, key) for name in ("raw", "ids", "base", "split") for key in ("use", "inputs", "with", "run")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_no_pipeline_gives_a_traceback(places: list[tuple[tuple[str, ...], Any]], registry: Registry) -> None:
    """Anything in the place of anything is right, or a list of mistakes with places."""
    document = parse_yaml(RIGHT, "x").plain
    for path, value in places:
        inner = document
        for step in path[:-1]:
            inner = inner.setdefault(step, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner[path[-1]] = value
    text = write_yaml(document)
    try:
        graph = read_pipeline(Path("p.yaml"), text, registry)
    except PipelineError as error:
        problems = error.problems
        lines = text.splitlines()
        assert all(1 <= item.line <= len(lines) and 1 <= item.column <= len(lines[item.line - 1]) for item in problems)
    else:
        assert graph.steps
