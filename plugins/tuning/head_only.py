"""Head-only tuning: the stack of blocks stays as it is, the prediction head learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.tuning.heads import head_modules

from workbench.api import Tuning

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from workbench.api import Context


class HeadOnly(Tuning):
    """Train the prediction head and freeze everything below it.

    A head whose weights are those of the input embeddings gets a copy of its own, or the frozen part would change.
    """

    version: ClassVar[int] = 1

    def prepare(self, model: PreTrainedModel, ctx: Context) -> PreTrainedModel:
        """Return the model with only its head (and the pooler under it) free."""
        _untie(model)
        model.requires_grad_(requires_grad=False)
        for head in head_modules(model).values():
            head.requires_grad_(requires_grad=True)
        return model

    def finish(self, model: torch.nn.Module) -> PreTrainedModel:
        """Return the model with every weight free again."""
        return model.requires_grad_(requires_grad=True)


def _untie(model: PreTrainedModel) -> None:
    from torch import nn

    output = model.get_output_embeddings()
    if output is None or output.weight is not model.get_input_embeddings().weight:
        return
    for name, tensor in list(output.named_parameters(recurse=False)):  # the bias of BERT's head is shared as well
        setattr(output, name, nn.Parameter(tensor.detach().clone()))
    model.config.tie_word_embeddings = False
