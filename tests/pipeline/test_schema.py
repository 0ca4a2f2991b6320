"""The JSON Schema accepts what the checks accept, and knows the same options."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from workbench.pipeline.schema import json_schema
from workbench.pipeline.yaml_nodes import parse_yaml
from workbench.registry import Registry

jsonschema = pytest.importorskip("jsonschema", reason="comes with jupyter; nothing of the core needs it")

RIGHT = """\
workbench: 1
name: t
seed: 1
steps:
  raw: {use: source/words, with: {paths: [a], max_bad: 10_000}}
  clean: {use: filter/several, inputs: raw, with: {filters: [{use: filter/length, with: {min_words: 3}}]}}
  split: {use: corpus/halves, inputs: clean, run: {workers: 2}}
  bpe: {use: tokenizer/plain, inputs: split.train}
  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}
  base: {use: train/learn, inputs: ids, with: {architecture: {use: architecture/decoder}, optimizer: {lr: 1e-3}}}
  page: {use: exporter/page, inputs: [raw, clean]}
sweep: {base.with.optimizer.lr: [1e-4, 3e-4]}
"""
WRONG = [
    ("workbench: 1", "workbench: 2"),
    ("seed: 1", "sede: 1"),
    ("source/words", "source/word"),
    ("paths: [a], ", ""),
    ("max_bad: 10_000", "max_bad: no"),
    ("max_bad: 10_000", "max_bad: -1"),
    ("min_words: 3", "min_wrds: 3"),
    ("{use: filter/length, ", "{use: source/words, "),
    ("inputs: {corpus: split, tokenizer: bpe}", "inputs: split"),
    ("tokenizer: bpe}", "tokenizr: bpe}"),
    ("lr: 1e-3", "lr: fast"),
    ("lr: 1e-3", "lrr: 1"),
    ("architecture/decoder", "objective/next"),
    ("workers: 2", "workers: 0"),
    ("use: train/learn", "use: architecture/decoder"),
    ("[1e-4, 3e-4]", "[]"),
]


@pytest.fixture
def validator(registry: Registry) -> Any:
    """Return a validator of the schema over the test components."""
    schema = json_schema(registry)
    return jsonschema.Draft202012Validator(schema)


def test_a_right_pipeline_is_valid(validator: Any) -> None:
    """Short forms, nested components, grouped digits and sweeps among it."""
    assert list(validator.iter_errors(parse_yaml(RIGHT, "x").plain)) == []


@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_pipeline_is_not(change: tuple[str, str], validator: Any) -> None:
    """What the checks refuse in shape, an editor marks."""
    assert change[0] in RIGHT
    assert list(validator.iter_errors(parse_yaml(RIGHT.replace(*change), "x").plain))


def test_the_schema_is_one(registry: Registry) -> None:
    """Of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(json_schema(registry))


def test_components_and_options_are_described(registry: Registry) -> None:
    """An editor can show what each is for."""
    schema = json_schema(registry)
    use = schema["$defs"]["step"]["properties"]["use"]
    assert dict(zip(use["enum"], use["markdownEnumDescriptions"], strict=True))["filter/old"] == "old"
    assert schema["$defs"]["run"]["properties"]["workers"]["description"] == "processes for shard-parallel work"
    assert schema["$defs"]["with.source.words"]["properties"]["max_bad"]["default"] == 1000


def test_the_installed_components_give_a_schema_without_torch() -> None:
    """All of them, in a fresh process that imports nothing heavy."""
    command = (
        "import sys; from workbench.registry import Registry; from workbench.pipeline.schema import json_schema;"
        "import json; r = Registry.discover(); json.dumps(json_schema(r));"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)), len(r.refs()) > 20)"
    )
    ran = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] True"
