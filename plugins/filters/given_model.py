"""The model that a filter works with: an input of its step, or a Hugging Face folder that a setting names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench_plugins.filters.named_files import lay_down, path_of

from workbench.api import Model, StepError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.api import Context

USED = ("*.safetensors", "*.safetensors.index.json")
USED_NAMES = ("config.json", "tokenizer.json", "tokenizer_config.json", "training.json")


class GivenModel(NamedTuple):
    """Where a model lies, what it is called in messages, and whether its files never change."""

    path: Path
    name: str
    is_stored: bool

    def lay_down(self, target: Path) -> None:
        """Put the files that are used into the new folder `target`."""
        lay_down(used_files(self.path), target, may_link=self.is_stored)


def given_model(ctx: Context, folder: str | None) -> GivenModel:
    """Return the input `model` of the step, or the model in `folder`; raises `StepError` unless there is exactly one."""
    model: Model | None = ctx.inputs.get("model")
    if model is not None and folder is None:
        return GivenModel(model.path, model.step, is_stored=True)
    if model is None and folder is not None:
        return GivenModel(path_of(ctx.base, folder), folder, is_stored=False)
    raise StepError(
        "there are two models" if model else "there is no model",
        where=ctx.step,
        expected="the input model, or the setting folder",
    )


def folder_digests(folder: str | None, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
    """Return the digests of the files of the folder that are used; none without a folder."""
    if folder is None:
        return {}
    return {f"{folder}/{file.name}": digest(file) for file in used_files(path_of(base, folder))}


def used_files(path: Path) -> list[Path]:
    """Return the files of a model folder that are used, by name."""
    named = [path / name for name in USED_NAMES if (path / name).is_file()]
    return sorted({*named, *(file for pattern in USED for file in path.glob(pattern))})
