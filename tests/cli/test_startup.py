"""Starting is cheap: what a command does not need is not imported."""

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {"pydantic", "polars", "torch", "transformers", "workbench_plugins", "rich", "numpy", "pluggy"}


def imported(*arguments: str) -> set[str]:
    """Return the top-level packages that a command line imports."""
    command = [sys.executable, "-X", "importtime", "-m", "workbench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_help_imports_nothing_heavy():
    """`workbench --help` imports click, and no library, plugin or component."""
    found = imported("--help")
    assert "click" in found
    assert found & HEAVY == set()


def test_check_does_not_import_torch(tmp_path: Path):
    """Checking a pipeline with training steps imports the components, but not torch."""
    (tmp_path / "data.jsonl").write_text('{"text": "a"}\n')
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text("""workbench: 1
steps:
  raw: {use: source/jsonl, with: {paths: [data.jsonl]}}
  bpe: {use: tokenizer/byte-bpe, inputs: raw}
  ids: {use: tokens/pack, inputs: {corpus: raw, tokenizer: bpe}}
  base:
    use: train/pretrain
    inputs: {tokens: ids}
    with: {architecture: {use: architecture/llama}, objective: {use: objective/causal}}
  scores: {use: evaluator/perplexity, inputs: {model: base, heldout: raw}}
  out: {use: exporter/huggingface, inputs: base}
""")
    found = imported("check", str(pipeline))
    assert "workbench_plugins" in found
    assert found & {"torch", "transformers", "peft", "datasets", "sklearn", "matplotlib"} == set()


def test_cached_run_imports_no_torch(finished):
    """A run in which everything is cached starts no worker and imports neither torch nor transformers."""
    found = imported("run", str(finished.file), "--store", str(finished.store))
    assert found & {"torch", "transformers"} == set()
