"""Full fine-tuning: every weight learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.api import Tuning

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from workbench.api import Context


class Full(Tuning):
    """Train every weight."""

    version: ClassVar[int] = 1

    def prepare(self, model: PreTrainedModel, ctx: Context) -> PreTrainedModel:
        """Return the model with every weight free."""
        return model.requires_grad_(requires_grad=True)
