"""The cards of the training steps of a pipeline, from its file alone: nothing has to have run.

Sizes come from the steps that the training step needs: the context from the one that packs tokens, the size of the
vocabulary from its tokenizer's settings (what it will have at most; stored results are not looked at).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.contracts.context import Context
from workbench.contracts.model import Architecture, Objective
from workbench.contracts.tokenizer import Vocab
from workbench.errors import StepError
from workbench.pipeline.graph import Graph, InputRef, Step
from workbench.training.beside import add_beside
from workbench.training.card import Card, Trial, card_of, measure
from workbench.training.device import choose_device
from workbench.training.models import with_head
from workbench.training.pretrain import Pretrain
from workbench.training.training_step import TrainingStep
from workbench.training.tune import Tune

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Forecast:
    """The card of one training step.

    Attributes:
        step: Its name.
        card: None where it cannot be told yet.
        seconds: About how long it takes, where the speed was measured and the number of tokens is known.
        note: What is not known, and why; empty when nothing is lacking.
    """

    step: str
    card: Card | None
    seconds: float | None = None
    note: str = ""


def forecasts(graph: Graph) -> Iterator[Forecast]:
    """Yield the card of every step that trains a neural model by steps; `train/tune` needs its base in the pipeline."""
    for step in graph.steps.values():
        if isinstance(step.component, TrainingStep) and isinstance(step.component.objective, Objective):
            yield _forecast(graph, step, step.component)


def _forecast(graph: Graph, step: Step, training: TrainingStep) -> Forecast:
    base = _base(graph, step)
    if base is None:
        return Forecast(step.name, None, note="the model it starts from is not trained in this pipeline")
    pretraining, vocab = base
    device = choose_device(step.run.device or "auto")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = Context(step.name, "train/pretrain", graph.seed, graph.base, folder, folder, folder)
        assert isinstance(pretraining.architecture, Architecture)
        model: PreTrainedModel = pretraining.architecture.build(vocab, ctx)
        if training.learned.head != pretraining.architecture.head:
            model = with_head(model, training.learned.head, training.learned.classes or None)
        if isinstance(training, Tune):
            return _of_tuning(step, training, model, vocab, ctx)
        add_beside(model, training.learned, {"input_ids": range(vocab.max_length)})
    card = card_of(model, vocab.max_length, training.optimizer)
    rows = -(-training.batch_size // training.accumulate)
    trial = Trial(training.learned, vocab, rows, training.optimizer, training.precision, device)
    try:
        measured = measure(model, card, trial)
    except StepError as problem:  # an objective that needs more than random rows
        return Forecast(step.name, card, note=f"not measured: {problem.what}")
    tokens = _tokens(training, vocab.max_length)
    if tokens is None:
        return Forecast(step.name, measured, note="how long it takes depends on the size of the corpus")
    assert measured.tokens_per_second is not None
    return Forecast(step.name, measured, tokens / measured.tokens_per_second)


def _of_tuning(step: Step, training: Tune, model: PreTrainedModel, vocab: Vocab, ctx: Context) -> Forecast:
    note = "activations and time depend on the length of the records, and a classification head on the number of labels"
    try:
        prepared = training.tuning.prepare(model, ctx)
    except StepError as problem:
        return Forecast(step.name, None, note=f"{problem.what}")
    return Forecast(
        step.name, card_of(prepared, training.max_length or vocab.max_length, training.optimizer), note=note
    )


def _tokens(training: TrainingStep, context: int) -> int | None:
    if training.budget.tokens is not None:
        return training.budget.tokens
    return None if training.budget.steps is None else training.budget.steps * training.batch_size * context


def _base(graph: Graph, step: Step) -> tuple[Pretrain, Vocab] | None:
    """Return the step that makes the model from nothing, and the vocabulary its tokenizer will have at most."""
    while isinstance(step.component, Tune):
        step = _needed(graph, step, "model")
    if not isinstance(step.component, Pretrain) or not isinstance(step.component.architecture, Architecture):
        return None
    tokens = _needed(graph, step, "tokens")
    tokenizer = _needed(graph, tokens, "tokenizer")
    size = getattr(tokenizer.component, "vocab_size", None)
    context = getattr(tokens.component, "context", None)
    if size is None or context is None:
        return None
    marks = getattr(step.component.learned, "num_marks", 0)
    return step.component, Vocab(size + marks, context, 0, 1, 2, 3, 4, 5, 6, num_marks=marks)


def _needed(graph: Graph, step: Step, port: str) -> Step:
    ref = step.inputs[port]
    assert isinstance(ref, InputRef)
    return graph.steps[ref.step]
