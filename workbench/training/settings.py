"""Settings that every training step shares: how weights are updated, and how long."""

from __future__ import annotations

from math import ceil
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from workbench.contracts.component import Field


class Settings(BaseModel):
    """Base of settings that stand inside a step's settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


Schedule = Literal["cosine", "linear", "constant", "warmup-stable-decay"]
DECAY_SHARE = 0.2  # Hägele et al. 2024, section 3: from one fifth on, a longer fall gains nothing
MOMENTUM = 0.95  # Jordan et al. 2024


class Optimizer(Settings):
    """How weights are updated, and the course of the learning rate.

    `adamw` is Loshchilov and Hutter 2019. `muon` is Jordan et al. 2024 for the matrices of the body, with AdamW for
    embeddings, heads and vectors; its steps are scaled to the size of AdamW's (Liu et al. 2025), so that one learning
    rate serves both.
    """

    method: Literal["adamw", "muon"] = Field("adamw", description="how matrices are updated")
    lr: float = Field(1e-3, gt=0, description="the highest learning rate")
    warmup: int | None = Field(
        None, ge=0, description="steps of linear rise; default: one in twenty of all steps, at most 1000"
    )
    schedule: Schedule = Field("cosine", description="how the rate falls after that")
    decay_share: float | None = Field(
        None, gt=0, le=1, description="`warmup-stable-decay`: share of all steps in which it falls; default: 0.2"
    )
    final_lr_share: float = Field(0.1, ge=0, le=1, description="share of `lr` that is left at the last step")
    weight_decay: float = Field(0.1, ge=0, description="on matrices and embeddings; vectors are never decayed")
    betas: tuple[float, float] = Field((0.9, 0.95), description="decay of the two moving averages")
    momentum: float | None = Field(None, ge=0, lt=1, description="of `muon`; default: 0.95")
    clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient; null: not clipped")
    average: float | None = Field(
        None, gt=0, lt=1, description="decay of a moving average of the weights, measured and stored in their place"
    )

    @model_validator(mode="after")
    def _nothing_idle(self) -> Self:
        if self.momentum is not None and self.method != "muon":
            raise ValueError(f"momentum is a setting of muon, and the method is {self.method}")
        if self.decay_share is not None and self.schedule != "warmup-stable-decay":
            raise ValueError(f"decay_share is a setting of warmup-stable-decay, and the schedule is {self.schedule}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas lie between 0 and 1, 1 left out; got {self.betas[0]:g} and {self.betas[1]:g}")
        return self


class TuningOptimizer(Optimizer):
    """The same, with milder defaults for a model that knows something already."""

    lr: float = Field(5e-4, gt=0, description="the highest learning rate; 5e-4 suits LoRA and heads, 5e-5 full tuning")
    weight_decay: float = Field(0.01, ge=0, description="on matrices and embeddings; vectors are never decayed")
    betas: tuple[float, float] = Field((0.9, 0.999), description="decay of the two moving averages")


class Budget(Settings):
    """How long to train: exactly one of the three."""

    tokens: int | None = Field(None, ge=1, description="tokens to read, repeated ones included")
    steps: int | None = Field(None, ge=1, description="updates of the weights")
    epochs: float | None = Field(None, gt=0, description="times through the data")

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        given = [name for name in ("tokens", "steps", "epochs") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of tokens, steps, epochs; got {', '.join(given) or 'none'}")
        return self

    def num_steps(self, batch_size: int, num_examples: int, num_tokens: int) -> int:
        """Return the number of steps for data of this size.

        >>> Budget(tokens=1_000).num_steps(batch_size=4, num_examples=10, num_tokens=500)
        5
        >>> Budget(epochs=2).num_steps(batch_size=4, num_examples=10, num_tokens=500)
        5
        """
        if self.steps is not None:
            return self.steps
        if self.epochs is not None:
            return max(1, ceil(self.epochs * num_examples / batch_size))
        assert self.tokens is not None
        return max(1, ceil(self.tokens * num_examples / (num_tokens * batch_size)))
