"""Replaced tokens: what puts them in, where, by which, and what telling them apart costs."""

import math

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.objectives.generator import Generator, drawn, fresh, said
from workbench_plugins.objectives.replaced_token import ReplacedToken

from workbench.api import Examples, Vocab
from workbench.training.beside import add_beside
from workbench.training.models import with_head

VOCAB = Vocab(size=100, max_length=512, pad=0, cls=1, sep=2, mask=3)
UNIGRAM = ReplacedToken(generator="unigram")
SMALL = ReplacedToken(generator_layers=1)


@pytest.fixture
def model(ctx):
    """A detector of width 32 with a generator of width 8 beside it, weights drawn with a fixed seed."""
    torch.manual_seed(3)
    made = with_head(Bert(layers=1, width=32).build(VOCAB, ctx), "token-classification", SMALL.classes)
    add_beside(made, SMALL, {"input_ids": np.arange(40)})
    return made


def test_labels_say_where_another_token_stands(row):
    """15 % are replaced by tokens of the batch, never special ones, and a token by itself counts as original."""
    ids = np.random.default_rng(1).integers(4, 20, (20, 500))
    ids[:, 0] = 1
    batch = UNIGRAM.collate(Examples([row(one) for one in ids], VOCAB), np.random.default_rng(2))
    read, labels = batch["input_ids"].numpy(), batch["labels"].numpy()
    assert (labels[:, 0] == -100).all()
    assert ((read != ids) == (labels == 1)).all()
    assert set(read.ravel().tolist()) <= set(range(1, 20)) - {2, 3}
    assert (labels == 1).mean() == pytest.approx(0.15 * 15 / 16, abs=0.012)  # one in 16 draws is the token itself


def test_loss_by_hand(row, constant):
    """Logits (ln 3, 0): ln 4/3 for an original token, ln 4 for a replaced one; none of the latter is found."""
    objective = ReplacedToken(probability=0.5, generator="unigram")
    batch = objective.collate(Examples([row(np.arange(5, 45))], VOCAB), np.random.default_rng(1))
    share = (batch["labels"] == 1).float().mean().item()
    loss, metrics = objective.loss(constant([math.log(3.0), 0.0]), batch)
    assert loss.item() == pytest.approx((1 - share) * math.log(4 / 3) + share * math.log(4), rel=1e-5)
    assert metrics["recall"] == 0


def test_the_generator_reads_masks_in_place_of_some_tokens(row):
    """15 % are hidden from it, never special ones, and at least one of each row; the text itself stays."""
    ids = np.random.default_rng(1).integers(4, 100, (20, 500))
    ids[:, 0] = 1
    batch = SMALL.collate(Examples([row(one) for one in ids], VOCAB), np.random.default_rng(2))
    hidden = batch["hidden_ids"] != batch["input_ids"]
    assert (batch["input_ids"].numpy() == ids).all()
    assert (batch["hidden_ids"][hidden] == 3).all()
    assert not hidden[:, 0].any()
    assert hidden.float().mean().item() == pytest.approx(0.15, abs=0.012)
    assert batch["labels"][:, 1:].eq(0).all()


def test_tokens_are_drawn_by_their_probability():
    """Of 20,000 evenly spaced draws each token gets its share, the last one too."""
    logits = torch.tensor([0.1, 0.0, 0.6, 0.3]).log().expand(20_000, 4)
    counts = drawn(logits, torch.arange(20_000) / 20_000).bincount(minlength=4)
    assert [count / 20_000 for count in counts.tolist()] == pytest.approx([0.1, 0.0, 0.6, 0.3], abs=1e-3)


def test_the_loss_is_that_of_generator_and_detector(row, model):
    """Both parts worked out from the batch again: the guesses from the generator's logits, the labels from these."""
    batch = SMALL.collate(Examples([row(np.arange(5, 25), np.arange(50, 70))], VOCAB), np.random.default_rng(1))
    loss, metrics = SMALL.loss(model.eval(), batch)
    weights, table = dict(model.beside.items()), model.get_input_embeddings().weight
    hidden = batch["hidden_ids"] != batch["input_ids"]
    rows = (batch["hidden_ids"], batch["segment_ids"], batch["position_ids"])
    logits = said(weights, 1, table, *rows, hidden)
    nats = torch.nn.functional.cross_entropy(logits, batch["input_ids"][hidden], reduction="sum") / (0.15 * 40)
    read = batch["input_ids"].clone()
    read[hidden] = drawn(logits, batch["draws"][hidden])
    labels = (read != batch["input_ids"]).long()
    assert labels.sum() > 0
    told, _ = UNIGRAM.loss(model, {**batch, "input_ids": read, "labels": labels})
    assert loss.item() == pytest.approx((nats + 50 * told).item(), rel=1e-5)
    assert (metrics["generator_loss"], metrics["detector_loss"]) == pytest.approx((nats.item(), told.item()), rel=1e-5)


def test_a_batch_in_pieces_has_the_loss_it_has_in_one(row, model):
    """Weighted by labels, as the loop does it, whatever number of tokens is hidden in each piece."""
    ids = np.random.default_rng(5).integers(4, 100, (6, 40))
    batch = SMALL.collate(Examples([row(one) for one in ids], VOCAB), np.random.default_rng(2))
    parts = [{name: value[part] for name, value in batch.items()} for part in (slice(0, 1), slice(1, 6))]
    assert len({(part["hidden_ids"] == 3).float().mean().item() for part in parts}) == 2
    model.eval()
    whole, in_pieces = SMALL.loss(model, batch)[0], [SMALL.loss(model, part)[0].item() for part in parts]
    assert whole.item() == pytest.approx(in_pieces[0] / 6 + in_pieces[1] * 5 / 6, rel=1e-5)


def test_no_gradient_goes_through_the_guesses(row, model):
    """Without its own loss the generator learns nothing; with it all its weights and the embeddings do."""
    batch = SMALL.collate(Examples([row(np.arange(5, 45))], VOCAB), np.random.default_rng(1))
    guessed, read, _ = SMALL._guessed(model, batch)
    assert not read.is_floating_point()
    guessed.backward()
    assert all(weight.grad is not None for weight in model.beside.values())
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0


def test_documents_are_apart_for_the_generator():
    """What it says of a hidden token does not depend on the other document of the row."""
    torch.manual_seed(1)
    table, weights = torch.randn(20, 16), fresh(16, 8, 2, 12)
    ids = torch.tensor([[3, 5, 6, 7, 3, 8]])
    segments, places = torch.tensor([[1, 1, 1, 2, 2, 2]]), torch.tensor([[0, 1, 2, 0, 1, 2]])
    hidden = ids == 3
    both = said(weights, 2, table, ids, segments, places, hidden)
    alone = said(weights, 2, table, ids[:, 3:], segments[:, 3:], places[:, 3:], hidden[:, 3:])
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)


def test_making_an_empty_generator_draws_nothing():
    """A run that goes on from a checkpoint makes one where the first run had it already."""
    from workbench_plugins.objectives import generator

    generator._empty.cache_clear()
    torch.manual_seed(1)
    generator._empty(16, 8, 1, 12)
    after = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(3))


def test_the_generator_is_small():
    """A quarter of the width: of a detector of width 64 it has 16, and blocks of a sixteenth of the size."""
    shapes = {
        name: tuple(weight.shape) for name, weight in ReplacedToken().beside({"input_ids": range(40)}, 64).items()
    }
    assert shapes["narrow-weight"] == (16, 64)
    assert shapes["places-weight"] == (40, 16)
    assert sum("query-weight" in name for name in shapes) == 6
    assert len(shapes) == len(list(Generator(64, 16, 6, 40).parameters()))


def test_settings_of_the_network_are_refused_without_it():
    """They would do nothing."""
    with pytest.raises(ValueError, match="generator_layers is of the generator network"):
        ReplacedToken(generator="unigram", generator_layers=2)
