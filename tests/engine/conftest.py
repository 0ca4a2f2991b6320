"""What the tests of the engine share."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The components of `engine_parts`, under the name by which workers find them too."""
    monkeypatch.syspath_prepend(HERE)
    if "engine_parts" not in sys.modules:
        importlib.import_module("engine_parts")
    return sys.modules["engine_parts"]


@pytest.fixture
def program() -> list[str]:
    """The command that runs a pipeline of these components in a process of its own."""
    return [sys.executable, str(HERE / "engine_parts.py")]
