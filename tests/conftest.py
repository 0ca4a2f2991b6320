"""What all tests share: no network, no home of this machine, few threads."""

import os

import pytest

for name, value in {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "2",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}.items():
    os.environ.setdefault(name, value)


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the store of this folder."""
    monkeypatch.setenv("WORKBENCH_STORE", str(tmp_path_factory.mktemp("store")))
