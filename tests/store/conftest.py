"""A store with one object in it."""

from __future__ import annotations

import pytest

from workbench.store.objects import Store

FINGERPRINT = "ab" * 32


def put(store: Store, fingerprint: str = FINGERPRINT, text: str = "hello") -> None:
    """Commit an object with two files."""
    with store.lock(fingerprint), store.staging(fingerprint) as staging:
        (staging / "data" / "sub").mkdir()
        (staging / "data" / "text").write_text(text)
        (staging / "data" / "sub" / "manifest.json").write_text("{}")
        store.commit(fingerprint, staging, {"type": "export", "component": "exporter/x", "key": {"a": 1}, "parts": []})


@pytest.fixture
def fingerprint() -> str:
    """The name of the object."""
    return FINGERPRINT


@pytest.fixture
def store(tmp_path) -> Store:
    """The store."""
    store = Store(tmp_path)
    put(store)
    return store
