"""The teacher of an objective: found, looked over, loaded. Its weights never change and are stored with nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.artifacts.model import Model
from workbench.artifacts.tokenizer import Tokenizer
from workbench.contracts.component import DigestFile
from workbench.contracts.context import Context
from workbench.contracts.model import AnyObjective, Mismatch, Objective
from workbench.contracts.ports import Port
from workbench.contracts.step import Facts
from workbench.contracts.tokenizer import Vocab
from workbench.errors import EnvironmentProblem, StepError
from workbench.training.masks import known_positions
from workbench.training.models import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TEACHER = Port("model", optional=True, about="another model, for an objective that learns what it says")
READ = ("*.safetensors", "*.safetensors.index.json", "config.json", "tokenizer.json", "training.json")


def teacher_fits(objective: AnyObjective | None, inputs: Mapping[str, Facts]) -> Mismatch | None:
    """Return the mismatch when a teacher is missing, not read, given twice, or of another head or family."""
    is_wanted = isinstance(objective, Objective) and objective.needs_teacher
    if not is_wanted:
        message = "no objective here learns from a teacher; the input 'teacher' is not read"
        suits = lambda cls: bool(getattr(cls, "needs_teacher", False))  # noqa: E731
        return Mismatch(("inputs", "teacher"), message, "objective", suits) if "teacher" in inputs else None
    assert isinstance(objective, Objective)
    use = objective.component_id
    if "teacher" not in inputs:
        message = f"{use} needs a teacher: a model at the input 'teacher', or a folder in its setting `teacher`"
        return None if objective.teacher_folder is not None else Mismatch(("inputs",), message)
    if objective.teacher_folder is not None:
        message = f"{use} has two teachers, the input and the folder in its setting `teacher`; leave one out"
        return Mismatch(("inputs", "teacher"), message)
    head = inputs["teacher"].get("head", objective.head)
    if head != objective.head:
        message = (
            f"{use} needs a teacher with a {objective.head} head, but that of the input 'teacher' has a {head} head"
        )
        return Mismatch(("inputs", "teacher"), message)
    return None


def teacher_digests(objective: AnyObjective | None, base: Path, digest: DigestFile) -> dict[str, str]:
    """Return the digest of every file of a teacher's folder. Raises `EnvironmentProblem` when it is no model folder."""
    folder = objective.teacher_folder if isinstance(objective, Objective) else None
    if objective is None or folder is None:
        return {}
    if not (base / folder / "config.json").is_file():
        raise EnvironmentProblem(
            f"{folder!r} is no model folder",
            where=objective.component_id,
            expected="a folder with config.json, tokenizer.json and *.safetensors",
        )
    files = sorted(file for pattern in READ for file in (base / folder).glob(pattern))
    return {f"{folder}/{file.name}": digest(file) for file in files}


def taught(
    objective: Objective, tokenizer: Tokenizer, vocab: Vocab, labels: Sequence[str] | None, ctx: Context
) -> Objective:
    """Return the objective bound to its teacher, if it needs one.

    Raises `StepError` when the teacher has another tokenizer, other labels or other marks, or knows too few positions.
    """
    if not objective.needs_teacher:
        return objective
    folder = objective.teacher_folder
    teacher = ctx.inputs.get("teacher") if folder is None else Model(ctx.base / folder, "")
    if teacher is None:
        raise StepError("there is no teacher", where=ctx.step, expected="a model at the input 'teacher'")
    where = teacher.step or str(teacher.path)
    _check_tokens(teacher, tokenizer, where)
    model = load_model(teacher, objective.head)
    _check_labels(model, labels, where)
    _check_sizes(model, vocab, where)
    return objective.taught(model)


def _check_tokens(teacher: Model, tokenizer: Tokenizer, where: str) -> None:
    """Ask for the same pieces under the same numbers: probabilities of other tokens mean nothing here."""
    if not (teacher.path / "tokenizer.json").is_file():
        raise StepError("the teacher has no tokenizer.json", where=where, expected="one like that of the model")
    theirs, mine = (_pieces(path / "tokenizer.json") for path in (teacher.path, tokenizer.path))
    if theirs == mine:
        return
    first = next(number for number in sorted({*theirs, *mine}) if theirs.get(number) != mine.get(number))
    raise StepError(
        f"the teacher has another tokenizer: token {first} is {theirs.get(first)!r} there and {mine.get(first)!r} here",
        where=where,
        expected="a teacher that was trained with the model's own tokenizer",
    )


def _pieces(path: Path) -> dict[int, str]:
    from tokenizers import Tokenizer as Fast

    return {number: piece for piece, number in Fast.from_file(str(path)).get_vocab().items()}


def _check_labels(model: PreTrainedModel, labels: Sequence[str] | None, where: str) -> None:
    theirs = [model.config.id2label[number] for number in sorted(model.config.id2label or {})]
    if labels is not None and theirs != list(labels):
        raise StepError(
            f"the teacher tells other labels apart: {json.dumps(theirs, ensure_ascii=False)[:200]}",
            where=where,
            expected=f"{json.dumps(list(labels), ensure_ascii=False)[:200]}, in this order",
        )


def _check_sizes(model: PreTrainedModel, vocab: Vocab, where: str) -> None:
    if model.config.vocab_size < vocab.size:
        raise StepError(
            f"the teacher knows {model.config.vocab_size} tokens and marks, the model {vocab.size}",
            where=where,
            expected="a teacher that was pretrained with the same objective",
        )
    longest = known_positions(model)
    if longest is not None and longest < vocab.max_length:
        raise StepError(
            f"rows of {vocab.max_length} tokens, but the teacher knows {longest} positions",
            where=where,
            expected=f"a context (or `max_length`) of at most {longest}",
        )
