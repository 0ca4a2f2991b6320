"""Where an error was is said once."""

import pytest

from workbench.errors import StepError


@pytest.mark.parametrize(
    "given, said",
    [
        ("", "step raw"),
        ("raw", "step raw"),
        ("raw: a.csv line 2", "step raw: a.csv line 2"),
        ("step raw: a.csv", "step raw: a.csv"),
        ("a.csv", "step raw: a.csv"),
        ("rawest: a.csv", "step raw: rawest: a.csv"),
    ],
)
def test_the_step_stands_once_in_front(given, said):
    """Whether the component names its step or not, the message does it once, also after a copy."""
    error = StepError("it broke", where=given)
    error.place_in("step raw")
    assert (error.message, str(error)) == (f"{said}: it broke", f"{said}: it broke")
