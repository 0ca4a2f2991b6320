"""A checkpoint is whole or it is none."""

import pytest
import torch

from workbench.training.checkpoint import Checkpoints, State


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def checkpoints(tmp_path, lines) -> Checkpoints:
    return Checkpoints(tmp_path, 20.0, lines.append)


def state(step: int) -> State:
    return State(step, {"weight": torch.full((3,), float(step))}, {"tokens": step * 10})


def test_the_newest_comes_back_as_it_was_saved(checkpoints):
    checkpoints.save(state(4))
    found = checkpoints.newest()
    assert (found.step, found.facts) == (4, {"tokens": 40})
    assert found.tensors["weight"].tolist() == [4.0, 4.0, 4.0]


def test_the_last_two_are_kept(checkpoints, tmp_path):
    for step in (1, 2, 3):
        checkpoints.save(state(step))
    assert checkpoints.steps() == [2, 3]
    assert len(list(tmp_path.iterdir())) == 4


def test_there_may_be_none(checkpoints, lines):
    assert checkpoints.newest() is None
    assert lines == []


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_every_damage_is_found(checkpoints, tmp_path, lines, suffix, damage):
    for step in (1, 2):
        checkpoints.save(state(step))
    path = tmp_path / f"step-00000002.{suffix}"
    content = path.read_bytes()
    flipped = bytes([content[0] ^ 1]) + content[1:]
    path.write_bytes({"cut": content[:-5], "flipped": flipped, "empty": b"", "gone": b""}[damage])
    if damage == "gone":
        path.unlink()
    assert checkpoints.newest().step == 1
    assert lines == (
        []
        if (suffix, damage) == ("json", "gone")  # without its card it never was one
        else ["the checkpoint of step 2 is damaged: going back to the one before it"]
    )


def test_every_flipped_bit_of_the_card_is_found(checkpoints, tmp_path):
    checkpoints.save(state(2))
    card = tmp_path / "step-00000002.json"
    content = card.read_bytes()
    for place in range(len(content) - 1):  # the line end is no content
        card.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        found = checkpoints._read(2)
        assert found is None or (found.step, found.facts) == (2, {"tokens": 20})  # a space that became another


def test_a_save_that_was_killed_leaves_nothing_that_counts(checkpoints, tmp_path):
    """Weights without a card, and a temporary file: what kill -9 leaves behind."""
    checkpoints.save(state(1))
    (tmp_path / "step-00000002.safetensors").write_bytes(b"half")
    (tmp_path / ".step-00000003.safetensors.ab12.tmp").write_bytes(b"half")
    assert checkpoints.newest().step == 1
    assert not list(tmp_path.glob(".*.tmp"))


def test_saving_takes_a_small_share_of_the_time(tmp_path):
    """After a save that took a second the next one waits for twenty, even if asked for one each second."""
    checkpoints = Checkpoints(tmp_path, 1.0, print)
    assert not checkpoints.is_due()
    checkpoints._saved_at -= 1.5
    assert checkpoints.is_due()
    checkpoints._cost = 1.0
    assert not checkpoints.is_due()
    checkpoints._saved_at -= 20
    assert checkpoints.is_due()


def test_zero_seconds_saves_after_each_step(tmp_path):
    checkpoints = Checkpoints(tmp_path, 0.0, print)
    checkpoints.save(state(1))
    assert checkpoints.is_due()
