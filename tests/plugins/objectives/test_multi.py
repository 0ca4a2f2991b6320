"""Several objectives: a weighted sum, what may be put together, and BERT's two tasks on one model."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.roberta import Roberta
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.classification import Classification
from workbench_plugins.objectives.denoising import Denoising
from workbench_plugins.objectives.masked import Masked
from workbench_plugins.objectives.multi import Multi
from workbench_plugins.objectives.next_sentence import NextSentence
from workbench_plugins.objectives.sentence_order import SentenceOrder
from workbench_plugins.objectives.span_corruption import SpanCorruption

from workbench.api import Examples, Vocab
from workbench.registry import shared_registry
from workbench.training.models import with_head
from workbench.training.pretrain import Pretrain

VOCAB = Vocab(size=60, max_length=32, pad=0, mask=1, cls=2, sep=3, unk=4)
BERT = Multi(objectives=(Masked(), NextSentence()), weights=(1.0, 0.5))


@pytest.fixture(autouse=True)
def named():
    """Components know their names once the registry has loaded them."""
    for use in ("architecture/roberta", "objective/masked", "objective/next-sentence", "objective/multi"):
        shared_registry().load(use)


def test_the_loss_is_the_weighted_sum(row, ctx):
    """Each part has the loss it has alone, on the same batch, from the same model with two heads."""
    torch.manual_seed(1)
    model = with_head(Bert(layers=1, width=16, heads=2).build(VOCAB, ctx), BERT.head, None).eval()
    rows = Examples([row(np.arange(5, 20), np.arange(20, 35)) for _ in range(4)], VOCAB)
    batch = BERT.collate(rows, np.random.default_rng(1))
    loss, metrics = BERT.loss(model, batch)
    parts = [metrics["masked loss"], metrics["next-sentence loss"]]
    assert loss.item() == pytest.approx(parts[0] + 0.5 * parts[1], rel=1e-6)
    own = {name.removeprefix("1/"): value for name, value in batch.items() if name.startswith("1/")}
    output = model(input_ids=own["input_ids"], attention_mask=own["segment_ids"], token_type_ids=own["token_type_ids"])
    expected = torch.nn.functional.cross_entropy(output.seq_relationship_logits, own["labels"])
    assert parts[1] == pytest.approx(expected.item(), abs=1e-5)


def test_marks_are_shared():
    """As many as the part that needs most."""
    assert Multi(objectives=(SpanCorruption(marks=7), Denoising())).num_marks == 7


def test_heads_that_cannot_share_a_model_are_refused():
    """A causal and a masked head have no model in common; records and tokens have no batch in common."""
    with pytest.raises(ValidationError, match="heads causal-lm and masked-lm cannot share a model"):
        Multi(objectives=(Causal(), Masked()))
    with pytest.raises(ValidationError, match="only objectives on packed tokens"):
        Multi(objectives=(Classification(), NextSentence()))
    with pytest.raises(ValidationError, match="1 weights for 2 objectives"):
        Multi(objectives=(Masked(), NextSentence()), weights=(1.0,))


def test_what_fits_is_said_for_every_part():
    """BERT has both heads; RoBERTa was made without the one for pairs; a pair of tasks alone takes a classifier."""
    assert not Pretrain(architecture=Bert(), objective=BERT).mismatches({"tokens": {}})
    (problem,) = Pretrain(architecture=Roberta(), objective=BERT).mismatches({"tokens": {}})
    assert "needs a pretraining head, but architecture/roberta has a masked-lm head" in problem.message
    assert not Pretrain(architecture=Roberta(), objective=SentenceOrder()).mismatches({"tokens": {}})


def test_one_pass_is_the_original(row, ctx):
    """Tokens are hidden in the pairs; both losses are those of each head's logits from the one pass that is made."""
    bert = Multi(objectives=(Masked(), NextSentence()), weights=(1.0, 0.5), one_pass=True)
    torch.manual_seed(1)
    model = with_head(Bert(layers=1, width=16, heads=2).build(VOCAB, ctx), bert.head, None).eval()
    rows = Examples([row(np.arange(5, 20), np.arange(20, 35)) for _ in range(4)], VOCAB)
    batch = bert.collate(rows, np.random.default_rng(1))
    passes = []
    model.register_forward_hook(lambda *_: passes.append(1))
    loss, metrics = bert.loss(model, batch)
    assert len(passes) == 1
    pairs = NextSentence().collate(rows, np.random.default_rng(1))
    hidden, whole = batch["input_ids"], pairs["input_ids"]
    assert (hidden[:, 0] == VOCAB.cls).all()
    assert torch.equal(hidden == VOCAB.sep, whole == VOCAB.sep)
    assert torch.equal(batch["1/labels"], pairs["labels"])
    assert torch.equal(torch.where(batch["0/labels"] >= 0, batch["0/labels"], hidden), whole)
    output = model(input_ids=hidden, attention_mask=(batch["segment_ids"] > 0), token_type_ids=batch["token_type_ids"])
    tokens = torch.nn.functional.cross_entropy(output.prediction_logits.flatten(0, 1), batch["0/labels"].flatten())
    follows = torch.nn.functional.cross_entropy(output.seq_relationship_logits, batch["1/labels"])
    assert loss.item() == pytest.approx((tokens + 0.5 * follows).item(), abs=1e-5)
    assert metrics["masked loss"] == pytest.approx(tokens.item(), abs=1e-5)


def test_one_pass_needs_one_part_that_lays_down_the_rows():
    """Two would lay down different ones; two that hide tokens have none to hide them in."""
    for parts in ((NextSentence(), SentenceOrder()), (Masked(), Masked())):
        with pytest.raises(ValidationError, match="exactly one part lays down the rows"):
            Multi(objectives=parts, one_pass=True)
