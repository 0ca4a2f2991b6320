"""Two processes train what one does: the same losses, whether each holds the weights or half of them."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from safetensors.numpy import load_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from train_once import context, pretraining  # noqa: E402
from train_together import OTHERS, SETTINGS, STOPPED_AT, other, splitting, stopping  # noqa: E402

from workbench.errors import Interrupted  # noqa: E402
from workbench.training import reporting  # noqa: E402


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokens) -> Path:
    """The folder of one process (`one`, `one-t5`, …) and of two (`held`, `split`, `stopped`, `t5`, …).

    One process alone began `begun`, and two go on from there.
    """
    folder = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporting, "SECONDS_BETWEEN", 0.0)
        with pytest.raises(Interrupted):
            splitting().run(stopping(context(folder / "begun", tokens)))
    command = [sys.executable, str(HERE / "train_together.py"), str(tokens.path), str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    children = [subprocess.Popen([*command, str(rank), "2"], env=env) for rank in range(2)]
    pretraining(1e9, dropout=0.0, **SETTINGS).run(context(folder / "one", tokens))
    for name in OTHERS:
        other(name).run(context(folder / f"one-{name}", tokens))
    assert [child.wait(240) for child in children] == [0, 0]
    return folder


def frame(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / name / "output" / "metrics.parquet")


@pytest.mark.parametrize("name", ["held", "split"])
@pytest.mark.parametrize("column", ["loss", "valid_loss", "gradient_norm", "accuracy", "tokens"])
def test_two_processes_have_the_numbers_of_one(trained, name, column):
    """Seven rows, three micro-batches, two processes: shares of 2, 1, 1, 1, 1 and 1 rows, some of them without labels."""
    one, two = (frame(trained, which)[column].drop_nulls().to_list() for which in ("one", name))
    assert two == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("name", list(OTHERS))
@pytest.mark.parametrize("column", ["loss", "valid_loss", "gradient_norm"])
def test_split_models_of_other_families_have_the_numbers_of_one(trained, name, column):
    """An encoder, and encoder-decoders, whose encoder the mask compiler runs outside of the model's `forward`."""
    one, two = (frame(trained, which)[column].drop_nulls().to_list() for which in (f"one-{name}", name))
    assert two == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("name", ["held", "split"])
def test_two_processes_leave_the_weights_of_one(trained, name):
    if name == "split":  # it keeps the best ones, which are the last as the valid loss falls to the end
        valid = frame(trained, name)["valid_loss"].drop_nulls().to_list()
        assert valid[-1] == min(valid)
    one, two = (load_file(trained / which / "output" / "model.safetensors") for which in ("one", name))
    assert one.keys() == two.keys()
    assert max(abs(one[key] - two[key]).max() for key in one) < 2e-4


def test_split_weights_go_on_with_the_same_bytes(trained):
    """Stopped by the user, process 0 alone hearing it; checkpoint written by both, without a pickle; started again."""
    assert [(trained / "stopped" / f"interrupted-{rank}").exists() for rank in range(2)] == [True, True]
    assert [path.name for path in (trained / "stopped" / "partial").glob("step-*.json")] == [
        f"step-{STOPPED_AT:08d}.json"
    ]
    parts = sorted(path.suffix for path in (trained / "stopped" / "partial").glob("*.parts/*"))
    assert set(parts) == {".safetensors"}
    assert len(parts) == 2

    def digests(name):
        files = sorted((trained / name / "output").iterdir())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert digests("stopped") == digests("split")


@pytest.mark.parametrize("column", ["loss", "valid_loss", "gradient_norm"])
def test_two_processes_go_on_from_what_one_began(trained, column):
    """Its checkpoint holds whole tensors, of which each process takes its parts."""
    one, two = (frame(trained, which)[column].drop_nulls().to_list() for which in ("one", "begun"))
    assert two == pytest.approx(one, abs=1e-5)
    assert not list((trained / "begun" / "partial").glob("*.parts"))  # nothing was saved since


def test_one_process_goes_on_from_what_two_began(trained, tokens, tmp_path):
    """It reads the parts of both, and calls none of them damaged."""
    shutil.copytree(trained / "stopped" / "partial", tmp_path / "alone" / "partial")
    ctx, said = context(tmp_path / "alone", tokens), []
    ctx.emit = lambda event, fields: said.append(fields["message"]) if event == "step-log" else None
    splitting().run(ctx)
    assert said[0] == f"going on after step {STOPPED_AT}"
    one, two = (frame(folder, name)["loss"].to_list() for folder, name in ((tmp_path, "alone"), (trained, "split")))
    assert one == pytest.approx(two, abs=1e-5)
