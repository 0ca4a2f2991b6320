"""How a run ends and what it leaves: early, at its best, averaged, past a spike, or at a poisonous document."""

import json
from dataclasses import replace

import pytest
import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from workbench.errors import EnvironmentProblem, StepError
from workbench.training import guards, preparing
from workbench.training.batching import Batching
from workbench.training.data import PackedRows
from workbench.training.group import Group
from workbench.training.job import Job
from workbench.training.loop import train
from workbench.training.preparing import blocks, compiles
from workbench.training.settings import Optimizer


@pytest.fixture
def job(job) -> Job:
    """The small job, measured every second step."""
    return replace(job, eval_every=2)


def fresh(vocab, ctx, **settings):
    torch.manual_seed(0)
    return Llama(layers=1, width=16, **settings).build(vocab, ctx)


def valid_loss(job, model):
    from workbench.contracts.model import Examples

    batch = job.objective.collate(Examples(job.valid.rows(range(10)), job.vocab), None)
    with torch.no_grad():
        return job.objective.loss(model.eval(), batch)[0].item()


def scripted(monkeypatch, job, losses):
    """Let the valid loss be these numbers, one after the other."""
    from workbench.training import loop

    numbers = iter(losses)
    monkeypatch.setattr(loop._Loop, "validate", lambda self: {"valid_loss": next(numbers)})


def test_training_ends_when_patience_does(job, ctx, monkeypatch):
    """Measured every second step: lowest at step 4, two more without a lower one, so it ends with step 8."""
    scripted(monkeypatch, job, [3.0, 2.0, 2.5, 2.1, 1.0, 1.0])
    said = []
    ctx.emit = lambda event, fields: said.append(fields.get("message"))
    curve = train(replace(job, patience=2, num_steps=100), ctx)
    assert len(curve) == 8
    assert "stopped after step 8: the valid loss was lowest at step 4" in said


def test_the_best_weights_are_kept(job, ctx, monkeypatch):
    """Those after step 4, which a run of 4 steps at a constant rate leaves behind."""
    constant = Optimizer(lr=1e-2, warmup=0, schedule="constant")
    short = replace(job, num_steps=4, optimizer=constant, model=fresh(job.vocab, ctx))
    train(short, ctx)
    scripted(monkeypatch, job, [3.0, 2.0, 2.5, 2.1, 2.2, 2.2])
    best = replace(job, optimizer=constant, keep="best")
    train(best, ctx)
    assert all(
        torch.equal(one, other) for one, other in zip(short.model.parameters(), best.model.parameters(), strict=True)
    )


def test_there_is_no_best_when_nothing_could_be_measured(job, ctx, monkeypatch):
    scripted(monkeypatch, job, [float("nan")] * 6)
    with pytest.raises(StepError, match="the valid loss never was a number"):
        train(replace(job, keep="best"), ctx)


def test_the_average_is_what_is_measured_and_left(job, ctx):
    averaged = replace(job, optimizer=Optimizer(lr=1e-2, warmup=0, average=0.9))
    curve = train(averaged, ctx)
    assert valid_loss(job, averaged.model) == pytest.approx(curve.last("valid_loss"), abs=1e-5)
    plain = replace(job, model=fresh(job.vocab, ctx))
    assert train(plain, ctx).last("loss") == curve.last("loss")  # the average changes nothing on the way
    assert not torch.equal(plain.model.lm_head.weight, averaged.model.lm_head.weight)


@pytest.mark.parametrize("wish", [{"patience": 1}, {"keep": "best"}])
def test_wishes_about_the_valid_loss_need_a_valid_part(job, ctx, wish):
    with pytest.raises(StepError, match="goes by the valid loss, and there is no valid part"):
        train(replace(job, valid=None, **wish), ctx)


def spiky(monkeypatch, at):
    """Make the loss of one step five times as high, gradient included."""
    right = Causal.loss
    calls = iter(range(1, 1000))

    def loss(objective, model, batch):
        value, metrics = right(objective, model, batch)
        return (value * 5 if next(calls) == at else value), metrics

    monkeypatch.setattr(Causal, "loss", loss)
    monkeypatch.setattr(guards, "FEWEST_BEFORE", 4)


def test_a_spike_is_said_with_its_documents(job, ctx, monkeypatch):
    spiky(monkeypatch, at=8)
    said = []
    ctx.emit = lambda event, fields: said.append(fields.get("message", ""))
    train(replace(job, valid=None), ctx)
    (line,) = [line for line in said if "the loss of step 8 is" in line]
    numbers = Batching.of("shuffled", 5, 6, job.train).numbers(8)
    assert all(name in line for name in job.train.document_ids(numbers)[:20])


def test_a_spike_may_be_skipped(job, ctx, monkeypatch):
    """Its step leaves weights and moments as they were: the loss of the next one is that of a run without it."""
    spiky(monkeypatch, at=8)
    frame = train(replace(job, valid=None, on_spike="skip"), ctx).frame()
    assert frame.filter(frame["skipped"] == 1)["number"].to_list() == [8]
    noted = train(replace(job, valid=None, model=fresh(job.vocab, ctx)), ctx).frame()
    assert frame["loss"][8] != noted["loss"][8]


def test_a_spike_may_stop_training(job, ctx, monkeypatch):
    spiky(monkeypatch, at=8)
    with pytest.raises(StepError, match=r"the loss is [0-9.]+ at step 8 of 12[^$]*no spike from documents t"):
        train(replace(job, valid=None, on_spike="stop"), ctx)


def test_a_poisonous_document_is_named(job, ctx, tmp_path, pack, tokenizer):
    """A sign that only one of 60 documents has, and an embedding that is no number: its step stops, and names it."""
    from tests.training.conftest import rows_of, write_corpus

    rows = rows_of("d", 60, 3)
    rows[37]["text"] += " ☠☠☠"
    packed = pack(write_corpus(tmp_path / "corpus", {"train": rows}), tokenizer)
    vocab = tokenizer.vocab(packed.context)
    model = fresh(vocab, ctx, tie_embeddings=False)
    sign = set(tokenizer.load()("☠")["input_ids"]) - set(tokenizer.load()(rows[36]["text"])["input_ids"])
    model.model.embed_tokens.weight.data[max(sign)] = float("nan")
    examples = PackedRows(packed, "train")
    poisoned = replace(
        job, model=model, train=examples, valid=None, vocab=vocab, num_steps=len(examples), batch_size=1, eval_every=100
    )
    with pytest.raises(StepError, match=r"the loss is nan at step [0-9]+ of") as caught:
        train(poisoned, ctx)
    stopped = json.loads((tmp_path / "stopped.json").read_text())
    assert "d037" in stopped["documents"]
    assert "d037" in str(caught.value)
    assert len(stopped["documents"]) <= 4  # one row of 32 tokens


def test_activations_worked_out_again_give_the_same_bits(job, ctx):
    """Dropout included: the draws of the way there are those of the way back."""
    dropping = replace(job, model=fresh(job.vocab, ctx, dropout=0.3), num_steps=3)
    again = replace(dropping, model=fresh(job.vocab, ctx, dropout=0.3), recompute=True)
    assert train(dropping, ctx).frame().equals(train(again, ctx).frame())


def test_the_blocks_of_a_model_are_found(job):
    assert blocks(job.model) == list(job.model.model.layers)


def test_compiling_is_for_runs_that_are_long_enough(job, monkeypatch):
    """6 FLOPs for each weight and token; below five minutes at 50 GFLOP/s it stays off, and the reason is said."""
    monkeypatch.setattr(preparing, "_compiler_fault", lambda device: "")
    group = Group(0, 1, torch.device("cpu"))
    weights = sum(parameter.numel() for parameter in job.model.parameters())
    per_step = 6 * weights * 6 * 32 / 5e10
    for steps, expected in ((int(290 / per_step), False), (int(310 / per_step), True)):
        does, why = compiles(replace(job, compile="auto", num_steps=steps), group)
        assert does is expected
        assert why.startswith("on, as it pays" if expected else "off, as a run of about 4 min")
    assert compiles(replace(job, compile="auto", num_steps=1), group)[1].startswith(
        "off, as a run of less than a second"
    )
    monkeypatch.setattr(preparing, "_compiler_fault", lambda device: "no Python.h")
    assert compiles(replace(job, compile="auto", num_steps=10**9), group) == (
        False,
        "off, as it does not work here: no Python.h",
    )
    monkeypatch.setattr(preparing.shutil, "which", lambda name: None)
    assert compiles(replace(job, compile="auto", num_steps=10**9), group) == (False, "off, as there is no C++ compiler")
    with pytest.raises(EnvironmentProblem, match="compiling needs a C"):
        compiles(replace(job, compile="on"), group)
