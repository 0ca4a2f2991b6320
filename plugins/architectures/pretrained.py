"""Any model that was trained before: a folder on this machine, or a name on the Hugging Face hub.

Only safetensors are read and no code of the model's own is run, as for every model. What is on the hub is fetched into
huggingface_hub's cache; `revision` has to be a commit there, so that the same pipeline means the same model tomorrow.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from workbench.api import Architecture, EnvironmentProblem, Field, Model, StepError, load_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

    from workbench.api import Context, Vocab

OF_THE_FOLDER = ("layers", "width", "heads", "dropout")
FETCHED = ("*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer.json", "tokenizer_config.json")
COMMIT = re.compile("[0-9a-f]{40}")


class Pretrained(Architecture):
    """Start from a model in a folder, or on the Hugging Face hub."""

    version: ClassVar[int] = 1

    model: str = Field(min_length=1, description="a folder, or a name on the hub (`owner/name`) with a revision")
    revision: str | None = Field(None, description="the commit on the hub; null: `model` is a folder")
    family: Literal["encoder", "decoder", "prefix-decoder", "permutation", "encoder-decoder"] = Field(  # type: ignore[misc]
        "decoder", description="what kind of model it is"
    )
    head: Literal["causal-lm", "masked-lm", "seq2seq-lm", "permutation-lm"] = Field(  # type: ignore[misc]
        "causal-lm", description="the head it was trained under"
    )

    @model_validator(mode="after")
    def _sizes_are_given(self) -> Self:
        defaults = type(self).model_fields
        idle = [name for name in OF_THE_FOLDER if getattr(self, name) != defaults[name].default]
        if idle:
            raise ValueError(f"{', '.join(idle)} cannot be chosen: sizes are those of the model; leave them out")
        if self.revision is not None and not COMMIT.fullmatch(self.revision):
            raise ValueError(f"revision {self.revision!r} is no commit (40 hexadecimal digits)")
        return self

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digest of every file of a folder that is read; a commit on the hub stands in the settings."""
        if self.revision is not None:
            return {}
        folder = base / self.model
        if not (folder / "config.json").is_file():
            raise EnvironmentProblem(
                f"{self.model!r} is no model folder",
                where=self.component_id,
                expected="a folder with config.json and *.safetensors",
                advice="for a model of the hub, give `revision`, a commit",
            )
        files = sorted(file for pattern in FETCHED for file in folder.glob(pattern))
        return {f"{self.model}/{file.name}": digest(file) for file in files}

    def build(self, vocab: Vocab, ctx: Context) -> PreTrainedModel:
        """Return the model, its embeddings enlarged by the marks that an objective needs.

        Raises `StepError` when it cannot be loaded, knows other tokens than the packed ones, or too few positions;
        `EnvironmentProblem` when it cannot be fetched.
        """
        folder = ctx.base / self.model if self.revision is None else self._fetched()
        model = load_model(Model(folder, "", step=ctx.step), self.head)
        self._check_tokens(folder, vocab, model.config)
        longest = getattr(model.config, "max_position_embeddings", None) or 0
        if 0 < longest < vocab.max_length:
            raise StepError(
                f"rows of {vocab.max_length} tokens, but the model knows {longest} positions",
                where=ctx.step,
                expected=f"a context of at most {longest} in the step that packs tokens",
            )
        if vocab.size > model.config.vocab_size:
            model.resize_token_embeddings(vocab.size, mean_resizing=False)
        return model

    def _check_tokens(self, folder: Path, vocab: Vocab, config: Any) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        known = Tokenizer.from_file(str(path)).get_vocab() if path.is_file() else None
        packed = {piece: number for number, piece in enumerate(vocab.pieces)}
        if known is not None and packed and packed != known:
            number = next((n for n, piece in enumerate(vocab.pieces) if known.get(piece) != n), len(vocab.pieces))
            raise StepError(
                f"the tokens were made by another tokenizer than the model's; they differ first at token {number}",
                where=str(folder),
                advice="pack the corpus with the model's own tokenizer",
            )
        if vocab.size - vocab.num_marks > config.vocab_size:
            raise StepError(
                f"the model knows {config.vocab_size} tokens, the tokenizer has {vocab.size - vocab.num_marks}",
                where=str(folder),
                advice="pack the corpus with the model's own tokenizer",
            )

    def _fetched(self) -> Path:
        from huggingface_hub import snapshot_download

        try:
            return Path(snapshot_download(self.model, revision=self.revision, allow_patterns=list(FETCHED)))
        except Exception as error:  # the network can fail in any way
            raise EnvironmentProblem(
                f"cannot fetch {self.model!r} at {self.revision}: {str(error).strip().splitlines()[0][:200]}",
                where=self.component_id,
                advice="look at the name and the connection, or fetch it elsewhere and give the folder",
            ) from error


Pretrained.__class_vars__ = Pretrained.__class_vars__ - {"family", "head"}  # they are settings here, frozen like any
