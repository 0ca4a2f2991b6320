"""LoRA: frozen weights plus a trained update of low rank, merged at the end.

Source: Hu et al. 2021; the layers are peft's. Merged, the model is a plain one of the same architecture and costs
nothing extra to run.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar, cast

from workbench_plugins.tuning.heads import head_modules

from workbench.api import Field, StepError, Tuning

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

    from workbench.api import Context


class Lora(Tuning):
    """Train a low-rank update of the linear layers, and a classification head in full, Hu et al. 2021."""

    version: ClassVar[int] = 1

    rank: int = Field(8, ge=1, description="rank of the update")
    alpha: float | None = Field(None, gt=0, description="the update is scaled by alpha / rank; default: 2 · rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the input of the update")
    targets: tuple[str, ...] | None = Field(
        None, min_length=1, description="last names of the layers to update (`q_proj`); default: all linear ones"
    )
    embeddings: bool = Field(False, description="update the token embeddings too: for a base that has read little text")

    def prepare(self, model: PreTrainedModel, ctx: Context) -> torch.nn.Module:
        """Return a `PeftModel`: updates of rank `rank` added, a classification head trained in full.

        Raises `StepError` when `targets` names a layer the model does not have, or `embeddings` is on and the output
        layer shares their weights: merged, the update would change the output as well, which was not trained so.
        """
        from peft import LoraConfig, PeftModel

        if self.embeddings and model.get_output_embeddings() is not None and model.config.tie_word_embeddings:
            raise StepError(
                "the output layer shares the weights of the embeddings, so these cannot be updated alone",
                where=f"{self.component_id} embeddings",
                expected="a model with untied embeddings, or one with a classification head",
                advice="leave `embeddings` off, or take tuning/full",
            )
        from transformers.pytorch_utils import Conv1D

        heads = head_modules(model) if model.get_output_embeddings() is None else {}
        layers = self.layers(model)
        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha or 2 * self.rank,  # type: ignore[arg-type]  # peft's annotation is int, any number works
            lora_dropout=self.dropout,
            target_modules=layers,
            fan_in_fan_out=isinstance(model.get_submodule(layers[0]), Conv1D),  # GPT-2 has all its weights turned round
            modules_to_save=list(heads) or None,
        )
        with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 by a name that goes away in its version 6
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
            return PeftModel(model, config)

    def layers(self, model: PreTrainedModel) -> list[str]:
        """Return the full names of the layers to update: the body's linear ones that `targets` asks for, embeddings."""
        from torch import nn
        from transformers.pytorch_utils import Conv1D

        heads = tuple(f"{name}." for name in head_modules(model))
        tokens = model.get_input_embeddings()
        linear = [
            name
            for name, module in model.named_modules()
            if isinstance(module, (nn.Linear, Conv1D)) and not f"{name}.".startswith(heads)
        ]
        known = {name.rpartition(".")[2] for name in linear}
        unknown = sorted(set(self.targets or ()) - known)
        if unknown:
            raise StepError(
                f"no linear layer is called {', '.join(unknown)}",
                where=f"{self.component_id} targets",
                expected=f"some of: {', '.join(sorted(known))}",
            )
        chosen = [name for name in linear if self.targets is None or name.rpartition(".")[2] in self.targets]
        return chosen + [name for name, module in model.named_modules() if self.embeddings and module is tokens]

    def finish(self, model: torch.nn.Module) -> PreTrainedModel:
        """Return the plain model with the updates added into its weights, every weight free again."""
        with warnings.catch_warnings():  # `prepare` has refused the models for which it would matter
            warnings.filterwarnings("ignore", "Model with `tie_word_embeddings=True`", UserWarning)
            return cast("PeftModel", model).merge_and_unload(safe_merge=True).requires_grad_(requires_grad=True)
