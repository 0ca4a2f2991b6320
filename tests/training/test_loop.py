"""The loop: what a step does to weights, what stops it, what it says."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.contrastive import Contrastive

from workbench.contracts.model import Tuning
from workbench.errors import StepError
from workbench.training import reporting
from workbench.training.ahead import counts_of, weights_of
from workbench.training.data import PackedRows
from workbench.training.loop import train
from workbench.training.optimizer import Optimizers
from workbench.training.settings import Optimizer


def test_the_loss_falls_and_every_step_has_a_row(job, ctx):
    frame = train(job, ctx).frame()
    assert frame["number"].to_list() == list(range(1, 13))
    assert frame["tokens"].to_list() == [6 * 32 * step for step in range(1, 13)]
    assert frame["loss"][0] == pytest.approx(math.log(300), abs=0.1)  # a fresh model knows nothing
    assert frame["loss"][-1] < frame["loss"][0] - 0.5
    assert frame.filter(frame["valid_loss"].is_not_null())["number"].to_list() == [5, 10, 12]


def test_the_valid_loss_is_the_mean_over_labels(job, ctx):
    """Measured in batches of six as in one batch: the loss over the first ten rows of the valid part."""
    measured = train(replace(job, num_steps=1), ctx).last("valid_loss")
    batch = job.objective.collate(_examples(job, range(10)), ctx.rng)
    with torch.no_grad():
        assert measured == pytest.approx(job.objective.loss(job.model.eval(), batch)[0].item(), abs=1e-5)


def test_rows_that_are_compared_are_not_cut_up(job, ctx):
    """Two processes would each hold half of the pairs against each other."""
    ctx.processes = 2
    with pytest.raises(StepError, match=r"every row of a batch with all others, and 2 processes .*\n.*executor: local"):
        train(replace(job, objective=Contrastive()), ctx)


def _examples(job, numbers):
    from workbench.contracts.model import Examples

    return Examples(job.valid.rows(list(numbers)), job.vocab)


@pytest.mark.parametrize("accumulate", [2, 6, 40])
def test_micro_batches_give_the_gradient_of_the_whole_batch(job, ctx, accumulate):
    """Whatever the number of labels in each: rows cut into many documents have fewer."""
    whole = train(replace(job, num_steps=1), ctx).frame()
    again = replace(job, num_steps=1, accumulate=accumulate, model=_fresh(job, ctx))
    cut = train(again, ctx).frame()
    assert cut["loss"][0] == pytest.approx(whole["loss"][0], abs=1e-5)
    assert cut["gradient_norm"][0] == pytest.approx(whole["gradient_norm"][0], rel=1e-4)
    for one, other in zip(job.model.parameters(), again.model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def _fresh(job, ctx):
    torch.manual_seed(0)
    return Llama(layers=1, width=16).build(job.vocab, ctx)


def test_micro_batches_are_weighed_by_their_labels():
    """Three labels beside one; rows where there are no labels at all."""

    def shares(batches):
        counts = [counts_of(batch) for batch in batches]
        return weights_of(counts, counts)

    labels = [torch.tensor([[1, 2, 3]]), torch.tensor([[4, -100, -100]])]
    assert shares([{"labels": one} for one in labels]) == [0.75, 0.25]
    assert shares([{"input_ids": torch.zeros(3, 2)}, {"input_ids": torch.zeros(1, 2)}]) == [0.75, 0.25]
    assert shares([{"labels": torch.tensor([-100])}] * 2) == [0.5, 0.5]


def test_the_gradient_is_clipped(job, ctx):
    """With a tiny norm allowed AdamW still moves, but the norm written down is that before clipping."""
    clipped = train(replace(job, num_steps=1, optimizer=Optimizer(clip=1e-9)), ctx).last("gradient_norm")
    free = train(replace(job, num_steps=1, optimizer=Optimizer(clip=None), model=_fresh(job, ctx)), ctx)
    assert clipped == free.last("gradient_norm") > 0.1


def test_decay_is_for_matrices_only():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    groups = list(Optimizers(model, Optimizer(weight_decay=0.3)).groups)
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [(0.3, 1), (0.0, 3)]
    assert all(group["fused"] for group in groups)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_the_documents(job, ctx, monkeypatch, poison, tmp_path):
    job = replace(job, checkpoint_seconds=0)
    right = Causal.loss
    calls = iter(range(100))

    def poisoned(objective, model, batch):
        loss, metrics = right(objective, model, batch)
        return (loss * poison if next(calls) == 3 else loss), metrics

    monkeypatch.setattr(Causal, "loss", poisoned)
    with pytest.raises(StepError) as caught:
        train(job, ctx)
    message = str(caught.value)
    assert message.startswith(f"base: the loss is {poison} at step 4 of 12; the last good checkpoint is that of step 3")
    assert len(message.splitlines()) <= 5
    stopped = json.loads((tmp_path / "stopped.json").read_text())
    from workbench.training.order import batch_examples

    expected = job.train.document_ids(batch_examples(5, 4, 6, len(job.train)))
    assert stopped["documents"] == expected
    assert ", ".join(expected[:5]) in message


def test_a_gradient_that_is_no_number_stops_before_the_weights_change(job, ctx, monkeypatch):
    before = [parameter.clone() for parameter in job.model.parameters()]
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *given: torch.tensor(math.nan))
    with pytest.raises(StepError, match=r"the gradient norm is nan at step 1 of 12; .* none yet"):
        train(job, ctx)
    assert all(torch.equal(one, other) for one, other in zip(before, job.model.parameters(), strict=True))


def test_nothing_to_train_is_said(job, ctx, tokens):
    job.model.requires_grad_(requires_grad=False)
    with pytest.raises(StepError, match="every weight is frozen"):
        train(job, ctx)


def test_no_data_is_said(job, ctx):
    class Nothing(PackedRows):
        def __len__(self):
            return 0

    job.train.__class__ = Nothing
    with pytest.raises(StepError, match="nothing to train on"):
        train(job, ctx)


def test_a_penalty_is_part_of_the_gradient_and_not_of_the_loss(job, ctx):
    class Pulled(Tuning):
        def prepare(self, model, ctx):
            return model

        def penalty(self, model):
            return 1e4 * model.lm_head.weight.square().sum()

    loss = train(replace(job, num_steps=1), ctx).last("loss")
    pulled = train(replace(job, num_steps=1, tuning=Pulled(), model=_fresh(job, ctx)), ctx)
    assert pulled.last("loss") == loss
    assert pulled.last("gradient_norm") > 100


def test_live_numbers_are_reported(job, ctx, monkeypatch):
    events: list[tuple[str, dict[str, float]]] = []
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN", 0.0)
    ctx.emit = lambda event, fields: events.append((event, fields))
    train(replace(job, num_steps=2), ctx)
    assert [event for event, _ in events] == ["step-metrics", "step-progress"] * 2
    metrics = events[0][1]
    assert metrics["number"] == 1
    assert metrics["tokens_per_second"] > 0
    assert {"loss", "learning_rate", "gradient_norm", "accuracy"} <= set(metrics)
    assert events[-1][1] == {"done": 2, "total": 2, "unit": "steps"}


def test_tensorboard_files_are_written_only_where_logs_are_kept(job, ctx, tmp_path):
    train(replace(job, num_steps=1), ctx)
    assert not list(tmp_path.rglob("*tfevents*"))
    ctx.logs = tmp_path / "logs"
    train(replace(job, num_steps=3), ctx)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(ctx.logs))
    events.Reload()
    assert [event.step for event in events.Scalars("base/loss")] == [1, 2, 3]


def test_bfloat16_is_near_float32_and_weights_stay_float32(job, ctx):
    exact = train(job, ctx).frame()["loss"]
    rough = replace(job, precision="bfloat16", model=_fresh(job, ctx))
    assert train(rough, ctx).frame()["loss"].to_list() == pytest.approx(exact.to_list(), abs=0.05)
    assert {parameter.dtype for parameter in rough.model.parameters()} == {torch.float32}


def test_what_was_set_before_is_set_again(job, ctx):
    torch.set_num_threads(2)
    train(replace(job, num_steps=1), ctx)
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)


def test_a_row_is_cut_at_its_documents(tokens):
    """Every row: the ids on disk, documents numbered from 1, positions from 0 in each."""
    rows, documents = PackedRows(tokens, "train"), tokens.documents("train")
    ids = np.asarray(tokens.ids("train"))
    owner = np.repeat(np.arange(len(documents)), (documents["end"] - documents["start"]).to_numpy())
    for number in (0, 1, 17, len(rows) - 1):
        (row,) = rows.rows([number])
        owners = owner[number * 32 : number * 32 + 32]
        assert row["input_ids"].tolist() == ids[number * 32 : number * 32 + 32].tolist()
        assert row["segment_ids"].tolist() == (owners - owners[0] + 1).tolist()
        expected = [int((owners[:place] == owners[place]).sum()) for place in range(32)]
        assert row["position_ids"].tolist() == expected
        assert rows.document_ids([number]) == [documents["id"][int(one)] for one in dict.fromkeys(owners)]
