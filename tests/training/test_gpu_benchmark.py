"""The benchmark for GPUs runs where there is none, with a tiny model, and its sums are right."""

import os
import subprocess
import sys
from pathlib import Path

from tests.training.test_card import VOCAB

ROOT = Path(__file__).parents[2]


def test_it_runs_on_a_cpu():
    command = [sys.executable, "-m", "benchmarks.gpu_training", "--sizes", "tiny", "--device", "cpu"]
    done = subprocess.run(
        [*command, "--steps", "1", "--rounds", "1"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| tiny")]
    assert [row[1].strip() for row in rows] == ["loop", "Trainer"]
    assert all(float(row[2].replace(",", "")) > 0 for row in rows)


def test_the_models_are_as_large_as_they_are_called(tmp_path):
    """Without making their weights: 124 million and about a billion, with 50,304 words."""
    import torch

    from benchmarks.gpu_training import SIZES, make
    from benchmarks.training import Rows

    def weights(label):
        size = SIZES[label]
        rows = Rows.__new__(Rows)
        rows.vocab = type(VOCAB)(size.vocabulary, size.context, 0, 1)
        with torch.device("meta"):
            return sum(parameter.numel() for parameter in make(size, rows, "sdpa").parameters())

    assert 110e6 < weights("124m") < 140e6
    assert 0.9e9 < weights("1b") < 1.3e9
