"""Settings that every training step shares: how weights are updated, and how long."""

from __future__ import annotations

from math import ceil
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from workbench.contracts.component import Field


class Settings(BaseModel):
    """Base of settings that stand inside a step's settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class Optimizer(Settings):
    """AdamW (Loshchilov and Hutter 2019) and the course of its learning rate."""

    lr: float = Field(1e-3, gt=0, description="the highest learning rate")
    warmup: int | None = Field(
        None, ge=0, description="steps of linear rise; default: one in twenty of all steps, at most 1000"
    )
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="how the rate falls after that")
    final_lr_share: float = Field(0.1, ge=0, le=1, description="share of `lr` that is left at the last step")
    weight_decay: float = Field(0.1, ge=0, description="on matrices and embeddings; vectors are never decayed")
    betas: tuple[float, float] = Field((0.9, 0.95), description="decay of the two moving averages")
    clip: float | None = Field(1.0, gt=0, description="largest norm of the gradient; null: not clipped")


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
