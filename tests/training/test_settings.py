"""Budgets and learning rates, with numbers worked out by hand."""

import pytest
from pydantic import ValidationError

from workbench.training.schedule import learning_rate, num_warmup
from workbench.training.settings import Budget, Optimizer


@pytest.mark.parametrize("given", [{}, {"tokens": 5, "steps": 5}, {"tokens": 1, "steps": 1, "epochs": 1}])
def test_a_budget_is_exactly_one_of_three(given):
    with pytest.raises(ValidationError, match="give exactly one of tokens, steps, epochs"):
        Budget(**given)


@pytest.mark.parametrize(
    "budget, steps",
    [
        (Budget(steps=7), 7),
        (Budget(epochs=1), 25),  # 100 examples in batches of 4
        (Budget(epochs=0.5), 13),  # 12.5, rounded up
        (Budget(tokens=1280), 10),  # 32 tokens an example, 128 a batch
        (Budget(tokens=1281), 11),
        (Budget(tokens=1), 1),
    ],
)
def test_a_budget_comes_to_steps(budget, steps):
    assert budget.num_steps(batch_size=4, num_examples=100, num_tokens=3200) == steps


def test_the_rate_rises_then_falls_along_a_cosine():
    """10 steps of rise to 1.0; half way down it is midway between 1.0 and 0.2; 0.2 is left at the end."""
    settings = Optimizer(lr=1.0, warmup=10, final_lr_share=0.2)
    rates = [learning_rate(settings, step, 110) for step in (1, 5, 10, 60, 110)]
    assert rates == pytest.approx([0.1, 0.5, 1.0, 0.6, 0.2])


def test_the_rate_may_fall_in_a_line_or_not_at_all():
    line = Optimizer(lr=1.0, warmup=0, schedule="linear", final_lr_share=0.0)
    assert [learning_rate(line, step, 4) for step in (1, 2, 4)] == pytest.approx([0.75, 0.5, 0.0])
    flat = Optimizer(lr=1.0, warmup=2, schedule="constant")
    assert [learning_rate(flat, step, 4) for step in (1, 2, 4)] == [0.5, 1.0, 1.0]


def test_the_rate_may_be_stable_and_then_fall_with_the_root():
    """100 steps, the last 20 of them falling: 1 - √(done), so half is left after a quarter of the fall."""
    settings = Optimizer(lr=1.0, warmup=10, schedule="warmup-stable-decay", final_lr_share=0.0)
    rates = [learning_rate(settings, step, 100) for step in (5, 10, 50, 80, 85, 100)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 1.0, 0.5, 0.0])
    short = Optimizer(lr=1.0, warmup=90, schedule="warmup-stable-decay", final_lr_share=0.0)
    assert learning_rate(short, 90, 100) == 1.0  # a long rise leaves less time to fall
    assert learning_rate(short, 100, 100) == 0.0


@pytest.mark.parametrize(
    "given, message",
    [
        ({"momentum": 0.9}, "momentum is a setting of muon, and the method is adamw"),
        ({"decay_share": 0.1}, "decay_share is a setting of warmup-stable-decay, and the schedule is cosine"),
        ({"betas": (0.9, 1.0)}, "betas lie between 0 and 1"),
        ({"average": 1.0}, "less than 1"),
    ],
)
def test_settings_that_would_do_nothing_or_harm_are_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Optimizer(**given)


def test_training_may_be_shorter_than_its_warmup():
    assert learning_rate(Optimizer(lr=1.0, warmup=10), 3, 5) == pytest.approx(0.3)


def test_one_step_in_twenty_is_warmup():
    assert [num_warmup(Optimizer(), steps) for steps in (10, 200, 10**6)] == [0, 10, 1000]
