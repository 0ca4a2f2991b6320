"""R5 and R10: a kill or a full disk at any write, flush or rename leaves nothing partial, and nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("how,stride,ending", [("kill", 1, 99), ("full", 3, 3)])
def test_a_fault_at_every_place(tmp_path, how, stride, ending):
    """Struck at the k-th call, the store holds whole objects only; the next run gives the undisturbed bytes."""
    command = [sys.executable, str(HERE / "faults.py"), str(tmp_path), how, str(stride)]
    results = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert len(results) > 80 // stride
    assert [result for result in results if result["problems"]] == []
    assert {result["exit"] for result in results[:-1]} == {ending}
    assert results[-1]["exit"] == 0
