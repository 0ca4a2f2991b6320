"""Devices by name, and bfloat16 only where it is asked for or pays."""

import pytest
import torch

from workbench.errors import EnvironmentProblem, UsageError
from workbench.training.device import autocast, choose_device, multiplies_bfloat16, repeatable

CPU = torch.device("cpu")


def test_auto_takes_the_gpu_where_there_is_one():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:0x", "", "mps"])
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match="unknown device"):
        choose_device(name)


def test_a_gpu_that_is_not_there_is_said():
    with pytest.raises(EnvironmentProblem, match="there is no GPU 'cuda:99'"):
        choose_device("cuda:99")


@pytest.mark.parametrize(
    "precision, expected",
    [
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("auto", torch.bfloat16 if multiplies_bfloat16(CPU) else torch.float32),
    ],
)
def test_products_run_in_the_precision_asked_for(precision, expected):
    with autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def fail_inside(threads: int) -> None:
    with repeatable(CPU, threads):
        assert torch.get_num_threads() == threads
        assert torch.are_deterministic_algorithms_enabled()
        raise KeyError


def test_settings_of_the_process_come_back_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(KeyError):
        fail_inside(threads + 1)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_bfloat16_products_add_in_order():
    """Else parts of a sum are added as threads finish, and one run in many differs in its last digits."""
    before = torch.backends.mkldnn.deterministic
    with repeatable(CPU, 2):
        assert torch.backends.mkldnn.deterministic
    assert torch.backends.mkldnn.deterministic == before
