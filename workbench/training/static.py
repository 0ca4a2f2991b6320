"""Static models to and from disk, and the part of `train/pretrain` that fits them.

    config.json         {"model_type": "workbench-static", "architecture": {"use", "with"}, "version", "facts"}
    model.safetensors   the tables
    training.json, metrics.parquet, tokenizer.json, tokenizer_config.json     as for every model

A folder names a component and its settings, never a class or a file of code: what is not installed is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from workbench.artifacts.corpus import Corpus, write_shard
from workbench.artifacts.model import Model
from workbench.artifacts.tokens import Tokens
from workbench.contracts.component import settings_of
from workbench.contracts.model import AnyObjective
from workbench.contracts.static import Fitted, Lesson, StaticArchitecture, StaticModel, TokenStream
from workbench.errors import StepError, WorkbenchError
from workbench.files.atomic import write_json
from workbench.pipeline.settings import component_from_json
from workbench.registry import shared_registry
from workbench.training.curve import Curve
from workbench.training.data import of_part, part_names

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from workbench.contracts.context import Context

MODEL_TYPE = "workbench-static"
WEIGHTS = "model.safetensors"
MEASURED = ("number", "tokens", "loss", "valid_loss")  # what a curve has at least


def fit_static(architecture: StaticArchitecture, objective: AnyObjective | None, ctx: Context) -> None:
    """Fit a static architecture on the `tokens` or `corpus` of a step and write the model folder."""
    source: Tokens | Corpus = ctx.inputs["tokens" if architecture.data == "tokens" else "corpus"]
    lesson, num_tokens = _lesson(source, objective)
    fitted = architecture.fit(lesson, ctx)
    save_static(architecture, fitted.model, ctx.output)
    if isinstance(source, Tokens):
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(source.path / name, ctx.output / name)
    curve = Curve(MEASURED)
    for row in fitted.curve:
        curve.add(row)
    write_shard(ctx.output / "metrics.parquet", curve.frame())
    card = {
        "architecture": architecture.component_id,
        "context": source.context if isinstance(source, Tokens) else None,
        "tokens": num_tokens,
    }
    write_json(ctx.output / "training.json", {**card, **_card(architecture, objective, fitted, curve)})


def _card(
    architecture: StaticArchitecture, objective: AnyObjective | None, fitted: Fitted, curve: Curve
) -> dict[str, Any]:
    parameters = fitted.model.num_parameters
    return {
        "family": architecture.family,
        "head": architecture.head,
        "objective": objective.component_id if objective is not None else None,
        "tuning": None,
        "labels": getattr(fitted.model, "labels", None),
        "steps": len(curve),
        "first_loss": curve.first("loss") if fitted.curve and "loss" in fitted.curve[0] else None,
        "last_loss": curve.last("loss"),
        "valid_loss": curve.last("valid_loss"),
        "parameters": parameters,
        "trained_parameters": parameters,
    }


def _lesson(source: Tokens | Corpus, objective: AnyObjective | None) -> tuple[Lesson, int | None]:
    """Return what to learn from, and how many tokens that is (None for documents)."""
    part, valid = part_names(source)
    if isinstance(source, Tokens):
        assert part is not None
        tokens = token_stream(source, part)
        if not len(tokens):
            raise StepError("there are no tokens to learn from", where=source.step)
        held = token_stream(source, valid) if valid else None
        return Lesson(tokens, held, vocab=source.tokenizer.vocab(source.context), objective=objective), len(tokens)
    if not of_part(source, part).num_rows:
        raise StepError("there are no documents to learn from", where=source.step)

    def train() -> Iterator[pl.DataFrame]:
        return of_part(source, part).batches()

    def held_out() -> Iterator[pl.DataFrame]:
        return of_part(source, valid).batches()

    return Lesson(records=train, valid_records=held_out if valid else None, objective=objective), None


def token_stream(tokens: Tokens, part: str) -> TokenStream:
    """Return the tokens of a part, memory-mapped, with the bounds of its documents."""
    documents = tokens.documents(part)
    bounds = np.append(documents["start"].to_numpy(), len(tokens.ids(part))).astype(np.int64)
    return TokenStream(tokens.ids(part), bounds)


def save_static(architecture: StaticArchitecture, model: StaticModel, path: Path) -> None:
    """Write `config.json` and `model.safetensors`; equal models give equal bytes."""
    from safetensors.numpy import save_file

    config = {
        "model_type": MODEL_TYPE,
        "architecture": {"use": architecture.component_id, "with": settings_of(architecture)},
        "version": architecture.version,
        "facts": model.facts(),
    }
    write_json(path / "config.json", config)
    save_file({name: np.ascontiguousarray(table) for name, table in model.tables().items()}, path / WEIGHTS)


def is_static(path: Path) -> bool:
    """Return whether a model folder holds a static model."""
    config = path / "config.json"
    return config.is_file() and _config(config).get("model_type") == MODEL_TYPE


def load_static(model: Model) -> StaticModel:
    """Return the static model of an artifact. Runs no code but that of the installed component it names.

    Raises `StepError` when the folder is not that of a static model, names what is not installed, or is damaged.
    """
    config = _config(model.path / "config.json")
    if config.get("model_type") != MODEL_TYPE:
        raise StepError("not a static model", where=str(model.path), expected=f"model_type {MODEL_TYPE!r}")
    architecture = _architecture(config, model.path)
    try:
        from safetensors.numpy import load_file

        return architecture.restore(load_file(model.path / WEIGHTS), config["facts"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise _damaged(model.path, error) from error
    except Exception as error:
        if type(error).__module__.startswith("safetensors"):
            raise _damaged(model.path, error) from error
        raise


def _damaged(path: Path, error: Exception) -> StepError:
    first_line = (str(error).splitlines() or [""])[0]
    return StepError(f"the tables of this model cannot be used: {first_line[:160]}", where=str(path))


def _architecture(config: dict[str, Any], path: Path) -> StaticArchitecture:
    named = config.get("architecture")
    use = named.get("use") if isinstance(named, dict) else None
    if not isinstance(use, str) or not use.startswith("architecture/"):
        raise StepError(f"it names no architecture: {str(use)[:60]!r}", where=str(path / "config.json"))
    try:
        component = component_from_json(shared_registry(), cast("dict[str, Any]", named))
    except WorkbenchError as error:
        raise StepError(f"{use[:60]} cannot be had: {error.what}", where=str(path / "config.json")) from error
    if not isinstance(component, StaticArchitecture):
        raise StepError(f"{use[:60]} is no static architecture", where=str(path / "config.json"))
    if config.get("version") != component.version:
        raise StepError(
            f"it was made by version {config.get('version')} of {use[:60]}; version {component.version} is installed",
            where=str(path),
            advice="train it again",
        )
    return component


def _config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StepError(f"cannot be read: {str(error)[:100]}", where=str(path)) from error
    return content if isinstance(content, dict) else {}
