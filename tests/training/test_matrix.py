"""Every architecture with every objective: what is claimed learns, what is not is refused with what would fit.

The data has a rule that thirty steps suffice to find: a document counts upwards from its first token, so what comes
next, what is missing and what was put in can be told from any token beside it.
"""

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.contracts.context import Context
from workbench.contracts.model import Architecture, Examples, Objective
from workbench.contracts.tokenizer import Vocab
from workbench.registry import shared_registry
from workbench.testing.artifacts import small_component
from workbench.training.beside import add_beside
from workbench.training.fitting import head_fits, objective_fits
from workbench.training.models import with_head

VOCAB = Vocab(size=40, max_length=32, pad=0, eos=1, bos=None, unk=2, mask=3, cls=4, sep=5)
CTX = Context("step", "architecture/any", 1, *(Path() for _ in range(4)))
SIZES = {"layers": 1, "width": 32, "heads": 2}
SETTINGS = {
    "objective/multi": {"objectives": [{"use": "objective/masked"}, {"use": "objective/next-sentence"}]},
    "objective/span-corruption": {"marks": 10},
    "objective/encoder-decoder-joint": {"marks": 10},
    "objective/mixture-of-denoisers": {"marks": 10},
    "objective/contrastive": {"temperature": 0.5},
    "objective/distillation": {"objective": {"use": "objective/causal"}, "weight": 0.1},
}
BY_FOLDER = ("architecture/pretrained",)  # what it is stands in its folder; it has a test of its own
TOGETHER = ("objective/multi", "objective/distillation")  # put together from others; what fits is up to these
STEPS, RATE, FALL = 30, 1e-2, 0.85
SLOW = {("architecture/xlnet", "objective/sentence-order"): 3}  # XLNet is told that parts differ, not which is first


def _neural(kind, base):
    registry = shared_registry()
    found = {ref.id: registry.load(ref.id) for ref in registry.refs(kind) if ref.id not in BY_FOLDER}
    return {use: cls for use, cls in found.items() if issubclass(cls, base)}


ARCHITECTURES = _neural("architecture", Architecture)
OBJECTIVES = {use: small_component(use, **SETTINGS.get(use, {})) for use in _neural("objective", Objective)}


def mismatch(use, objective):
    """Return what `check` says against the pair, or None."""
    cls = ARCHITECTURES[use]
    return objective_fits(objective, cls.family, use) or head_fits(objective, cls.head, use, cls.more_heads)


PAIRS = [(use, name) for use in ARCHITECTURES for name in OBJECTIVES]
CLAIMED = [pair for pair in PAIRS if mismatch(pair[0], OBJECTIVES[pair[1]]) is None]
REFUSED = [pair for pair in PAIRS if pair not in CLAIMED]


@cache
def counting(num_rows=16):
    """Return rows of three documents, each counting upwards within 6 … 39."""
    rng = np.random.default_rng(1)
    lengths = (10, 8, 14)
    rows = []
    for _ in range(num_rows):
        documents = [6 + (rng.integers(34) + np.arange(length)) % 34 for length in lengths]
        rows.append(
            {
                "input_ids": np.concatenate(documents),
                "segment_ids": np.repeat([1, 2, 3], lengths),
                "position_ids": np.concatenate([np.arange(length) for length in lengths]),
            }
        )
    return rows


def examples(objective):
    vocab = replace(VOCAB, size=VOCAB.size + objective.num_marks, num_marks=objective.num_marks)
    if objective.data == "tokens":
        return Examples(counting(), vocab), list(objective.classes) or None
    texts = [[*row["input_ids"][:10].tolist(), 1] for row in counting()]
    others = [[39 - (token - 6) for token in text[:6]] + [1] for text in texts]
    rows = [
        {"input_ids": text, "other_ids": other, "label": int(text[0] > 22), "image": np.eye(40)[text[0]]}
        for text, other in zip(texts, others, strict=True)
    ]
    return Examples(rows, vocab), ["low", "high"]


@pytest.mark.parametrize("use,name", CLAIMED)
def test_what_is_claimed_learns(use, name):
    """The mean loss of the last five of thirty steps is below that of the first five, clearly."""
    objective = OBJECTIVES[name]
    given, labels = examples(objective)
    torch.manual_seed(1)
    model = small_component(use, **SIZES).build(given.vocab, CTX)
    if objective.head != ARCHITECTURES[use].head:
        model = with_head(model, objective.head, labels)
    add_beside(model, objective, given.rows[0])
    if objective.needs_teacher:
        objective = objective.taught(copy.deepcopy(model))
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=RATE)
    losses = []
    for step in range(STEPS * SLOW.get((use, name), 1)):
        loss, metrics = objective.loss(model, objective.collate(given, np.random.default_rng(step % 3)))
        assert all(isinstance(value, float) for value in metrics.values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < FALL * np.mean(losses[:5]), losses


@pytest.mark.parametrize("use,name", REFUSED)
def test_what_is_not_claimed_is_refused(use, name):
    """The message names both sides, and there are objectives that would fit."""
    problem = mismatch(use, OBJECTIVES[name])
    assert any(str(member.component_id) in problem.message for member in (OBJECTIVES[name], *OBJECTIVES[name].members))
    assert use in problem.message
    fitting = [other for other, objective in OBJECTIVES.items() if problem.suits(type(objective))]
    assert name not in fitting or name in TOGETHER
    assert any((use, other) in CLAIMED for other in fitting)


def test_every_architecture_and_objective_is_in_the_matrix():
    """Each has a partner, and both lists are long."""
    assert {use for use, _ in CLAIMED} == set(ARCHITECTURES)
    assert {name for _, name in CLAIMED} == set(OBJECTIVES)
    assert len(CLAIMED) > 60
    assert len(REFUSED) > 100
