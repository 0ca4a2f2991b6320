"""`train/pretrain` and `train/tune`, whole: what is written, what fits, which documents each step saw."""

import hashlib

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.architectures.xlnet import XlNet
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.classification import Classification
from workbench_plugins.objectives.masked import Masked
from workbench_plugins.objectives.next_sentence import NextSentence
from workbench_plugins.objectives.permutation import Permutation
from workbench_plugins.tuning.full import Full
from workbench_plugins.tuning.head_only import HeadOnly
from workbench_plugins.tuning.lora import Lora

from workbench.artifacts import Corpus, Model, Tokens
from workbench.contracts.context import Context
from workbench.contracts.model import Tuning
from workbench.errors import StepError, UsageError
from workbench.training.ahead import Shares
from workbench.training.models import load_model
from workbench.training.order import batch_examples
from workbench.training.pretrain import Pretrain
from workbench.training.provenance import documents_of_step
from workbench.training.settings import Budget, TuningOptimizer
from workbench.training.tune import Tune

LLAMA = Llama(layers=2, width=32)
SHORT = Budget(steps=6)


def context(folder, component_id, **inputs) -> Context:
    folders = {name: folder / name for name in ("output", "scratch", "partial")}
    for path in folders.values():
        path.mkdir(parents=True)
    return Context("step", component_id, 1234, folder, inputs=inputs, device="cpu", **folders)


def pretrained(folder, tokens, step) -> Model:
    ctx = context(folder, "train/pretrain", tokens=tokens)
    step.run(ctx)
    return Model(ctx.output, "base0", step="base")


@pytest.fixture(scope="module")
def base(tmp_path_factory, tokens) -> Model:
    step = Pretrain(architecture=LLAMA, objective=Causal(), budget=SHORT)
    return pretrained(tmp_path_factory.mktemp("base"), tokens, step)


def tuned(folder, base, data, step) -> Model:
    ctx = context(folder, "train/tune", model=base, data=data)
    step.run(ctx)
    return Model(ctx.output, "tuned0", step="tuned")


def weights(model: Model) -> str:
    return hashlib.sha256((model.path / "model.safetensors").read_bytes()).hexdigest()


def test_the_card_says_what_was_trained(base, tokens):
    card = base.card
    network = AutoModelForCausalLM.from_pretrained(base.path)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    expected = {
        "family": "decoder",
        "head": "causal-lm",
        "objective": Causal.component_id,
        "tuning": None,
        "labels": None,
        "steps": 6,
        "tokens": 6 * 16 * 32,
        "num_examples": tokens.num_rows("train"),
        "context": 32,
        "parameters": parameters,
        "trained_parameters": parameters,
    }
    assert {name: card[name] for name in expected} == expected
    curve = base.metrics()
    assert (card["first_loss"], card["last_loss"]) == (curve["loss"][0], curve["loss"][-1])
    assert card["valid_loss"] == curve["valid_loss"][-1]
    assert card["optimizer"]["warmup"] == 0
    assert "seconds" not in curve.columns


def test_plain_transformers_loads_the_result(base):
    ids = AutoTokenizer.from_pretrained(base.path)("the cat", return_tensors="pt")
    with torch.no_grad():
        assert AutoModelForCausalLM.from_pretrained(base.path)(**ids).logits.shape[-1] == 300


def test_another_seed_gives_another_model(tmp_path, base, tokens):
    step = Pretrain(architecture=LLAMA, objective=Causal(), budget=SHORT)
    ctx = context(tmp_path / "other", "train/pretrain", tokens=tokens)
    ctx.seed = 4321
    step.run(ctx)
    assert weights(Model(ctx.output)) != weights(base)
    assert weights(pretrained(tmp_path / "same", tokens, step)) == weights(base)


def test_an_encoder_learns_hidden_words(tmp_path, corpus, wordpiece, pack):
    step = Pretrain(architecture=Bert(layers=1, width=32), objective=Masked(), budget=SHORT)
    model = pretrained(tmp_path, pack(corpus, wordpiece), step)
    assert (model.card["family"], model.card["head"]) == ("encoder", "masked-lm")
    assert model.card["last_loss"] < model.card["first_loss"]


def test_one_part_is_trained_on_without_validation(tmp_path, tokens):
    part = Tokens(tokens.path, tokens.fingerprint, "valid", tokens.step)
    model = pretrained(tmp_path, part, Pretrain(architecture=LLAMA, objective=Causal(), budget=Budget(steps=2)))
    assert model.card["num_examples"] == tokens.num_rows("valid")
    assert model.card["valid_loss"] is None


def test_the_documents_of_a_step_overlap_its_rows(base, tokens):
    """Found from the rows by hand: every document whose span crosses one of them."""
    rows = batch_examples(1234, 3, 16, tokens.num_rows("train"))
    spans = tokens.documents("train")
    expected: dict[str, None] = {}
    for row in rows:
        crossing = spans.filter((pl.col("start") < (row + 1) * 32) & (pl.col("end") > row * 32))
        expected.update(dict.fromkeys(crossing["id"]))
    assert documents_of_step(base, tokens, 3) == list(expected)


@pytest.mark.parametrize("order", ["windows", "sequential"])
def test_the_documents_of_a_step_are_found_in_every_order(tmp_path, tokens, order, monkeypatch):
    """What the loop asked the rows for is what `trace --batch` finds afterwards from the model alone."""
    asked: list[list[str]] = []
    right = Shares.make

    def make(self, step):
        share = right(self, step)
        asked.append(self._job.train.document_ids(share.numbers))
        return share

    monkeypatch.setattr(Shares, "make", make)
    step = Pretrain(architecture=LLAMA, objective=Causal(), budget=Budget(steps=5), order=order)
    model = pretrained(tmp_path, tokens, step)
    assert [documents_of_step(model, tokens, number) for number in range(1, 6)] == asked
    assert model.read_json("batches.json")["order"] == order


def test_the_documents_of_a_step_are_found_where_batches_go_by_length(tmp_path, base, corpus):
    """Lengths are kept with the model; a batch holds records of like length, and little of it is padding."""
    step = Tune(tuning=HeadOnly(), objective=Classification(), budget=SHORT, order="grouped", batch_size=8)
    model = tuned(tmp_path, base, corpus, step)
    lengths = np.load(model.path / "lengths.npy", allow_pickle=False)
    assert len(lengths) == 120
    ids = [name for batch in Corpus(corpus.path, part="train").batches(["id"]) for name in batch["id"]]
    found = documents_of_step(model, corpus, 1)
    sizes = [lengths[ids.index(name)] for name in found]
    assert len(found) == 8
    assert max(sizes) - min(sizes) < (lengths.max() - lengths.min()) / 4


@pytest.mark.parametrize(
    "step, message",
    [
        (Pretrain(architecture=LLAMA, objective=Causal(), order="grouped"), "order grouped is not for packed tokens"),
        (Tune(tuning=Full(), objective=Classification(), order="windows"), "order windows is not for records"),
    ],
)
def test_an_order_for_the_other_kind_of_data_is_refused_before_anything_runs(step, message):
    data = "tokens" if isinstance(step, Pretrain) else "data"
    (mismatch,) = step.mismatches({data: {"data": "tokens"} if data == "tokens" else {}})
    assert mismatch.setting == ("order",)
    assert mismatch.message.startswith(message)


@pytest.mark.parametrize("step", [0, 7, -1])
def test_a_step_that_never_was_has_no_documents(base, tokens, step):
    with pytest.raises(UsageError, match=f"there is no step {step}"):
        documents_of_step(base, tokens, step)


def test_tuning_tells_topics_apart(tmp_path, base, corpus):
    """The words give the label away: a tuned model is far better than the majority."""
    step = Tune(
        tuning=Full(),
        objective=Classification(),
        optimizer=TuningOptimizer(lr=1e-3),
        budget=Budget(epochs=12),
    )
    model = tuned(tmp_path, base, corpus, step)
    assert model.card["labels"] == ["animals", "weather"]
    assert (model.card["family"], model.card["head"]) == ("decoder", "sequence-classification")
    assert model.card["valid_loss"] < 0.35 < model.card["first_loss"]
    network = AutoModelForSequenceClassification.from_pretrained(model.path)
    assert network.config.id2label == {0: "animals", 1: "weather"}
    rows = batch_examples(1234, 2, 16, 120)
    ids = [name for batch in Corpus(corpus.path, part="train").batches(["id"]) for name in batch["id"]]
    assert documents_of_step(model, corpus, 2) == [ids[row] for row in rows]


@pytest.mark.parametrize("tuning", [Lora(rank=2), HeadOnly()])
def test_what_was_added_is_merged_and_what_is_frozen_stays(tmp_path, base, corpus, tuning):
    model = tuned(tmp_path, base, corpus, Tune(tuning=tuning, objective=Classification(), budget=SHORT))
    assert model.card["trained_parameters"] < model.card["parameters"]
    one, other = load_model(base).state_dict(), load_model(model).state_dict()
    assert set(other) - set(one) == {"score.weight"}
    assert torch.equal(one["model.embed_tokens.weight"], other["model.embed_tokens.weight"])
    is_same = torch.equal(one["model.layers.0.mlp.up_proj.weight"], other["model.layers.0.mlp.up_proj.weight"])
    assert is_same == isinstance(tuning, HeadOnly)


def test_tuning_on_more_text_needs_the_same_tokenizer(tmp_path, base, tokens, corpus, wordpiece, pack):
    step = Tune(tuning=Full(), objective=Causal(), budget=SHORT)
    model = tuned(tmp_path / "a", base, tokens, step)
    assert model.card["first_loss"] < base.card["first_loss"]
    with pytest.raises(StepError, match="another tokenizer than the model's"):
        tuned(tmp_path / "b", base, pack(corpus, wordpiece), step)


def test_records_longer_than_the_model_are_refused(tmp_path, base, corpus):
    step = Tune(tuning=Full(), objective=Classification(), budget=SHORT, max_length=64)
    with pytest.raises(StepError, match="rows of 64 tokens, but the model knows 32 positions"):
        tuned(tmp_path, base, corpus, step)


def test_a_model_that_knows_distances_only_is_tuned_like_any(tmp_path, tokens, corpus):
    """XLNet gives the length of its rows as -1, which is no limit."""
    few = Budget(steps=2)
    step = Pretrain(architecture=XlNet(layers=1, width=16, heads=2), objective=Permutation(), budget=few)
    base = pretrained(tmp_path / "base", tokens, step)
    model = tuned(tmp_path / "tuned", base, corpus, Tune(tuning=Full(), objective=Classification(), budget=few))
    assert (model.card["steps"], model.card["head"]) == (2, "sequence-classification")


def test_classes_of_an_objective_on_tokens_name_the_labels(tmp_path, corpus, wordpiece, pack):
    """Tuned on packed text, too, a model says what its labels mean."""
    ids, few = pack(corpus, wordpiece), Budget(steps=1)
    base = pretrained(
        tmp_path / "base", ids, Pretrain(architecture=Bert(layers=1, width=32), objective=Masked(), budget=few)
    )
    model = tuned(tmp_path / "tuned", base, ids, Tune(tuning=Full(), objective=NextSentence(), budget=few))
    assert model.card["labels"] == ["follows", "is from elsewhere"]
    assert load_model(model).config.id2label == {0: "follows", 1: "is from elsewhere"}


def test_parts_without_a_training_part_must_be_chosen(tmp_path, base, pack, corpus, tokenizer):
    odd = Tokens(pack(Corpus(corpus.path, "c0", "valid"), tokenizer).path, "ids1", step="ids")
    with pytest.raises(StepError, match="ids has no part 'train'") as caught:
        pretrained(tmp_path, odd, Pretrain(architecture=LLAMA, objective=Causal(), budget=SHORT))
    assert "ids.valid" in str(caught.value)


def test_defaults_suit_the_step():
    """Pretraining reads the data once at 1e-3; tuning three times at half of that, with weights hardly decayed."""
    one = Pretrain(architecture=LLAMA, objective=Causal())
    other = Tune(tuning=Full(), objective=Classification(), optimizer={"warmup": 3})
    assert (one.budget.epochs, one.optimizer.lr, one.optimizer.weight_decay) == (1, 1e-3, 0.1)
    assert (other.budget.epochs, other.optimizer.lr, other.optimizer.weight_decay) == (3, 5e-4, 0.01)
    with pytest.raises(ValidationError):
        Pretrain(architecture=LLAMA, objective=Causal(), steps=3)


class EncoderOnly(Tuning):
    """Fits encoders."""

    families = ("encoder",)

    def prepare(self, model, ctx):
        return model


def found(step, **inputs):
    return [(problem.setting, problem.message) for problem in step.mismatches(inputs)]


DECODER = {"family": "decoder", "head": "causal-lm"}


def test_pretraining_refuses_what_does_not_fit():
    assert found(Pretrain(architecture=LLAMA, objective=Causal()), tokens={}) == []
    assert found(Pretrain(architecture=LLAMA, objective=Causal())) == [
        (("inputs",), f"{LLAMA.component_id} needs the input 'tokens' (tokens)")
    ]
    assert "needs an objective" in found(Pretrain(architecture=LLAMA), tokens={})[0][1]
    assert found(Pretrain(architecture=Bert(), objective=Masked()), tokens={}) == []
    ((setting, message),) = found(Pretrain(architecture=LLAMA, objective=Masked()), tokens={})
    assert setting == ("objective",)
    assert "for encoder models" in message
    ((_, message),) = found(Pretrain(architecture=LLAMA, objective=Classification()), tokens={})
    assert "works on records (a corpus), but the input is packed tokens" in message


def test_a_mismatch_knows_what_would_fit():
    (problem,) = Pretrain(architecture=LLAMA, objective=Masked()).mismatches({"tokens": {}})
    assert [problem.suits(cls) for cls in (Causal, Masked, Llama)] == [True, False, False]


def test_tuning_refuses_what_does_not_fit():
    classify = Tune(tuning=Full(), objective=Classification())
    assert found(classify, model=DECODER, data={}) == []
    assert "input is packed tokens" in found(classify, model=DECODER, data={"data": "tokens"})[0][1]
    masked = Tune(tuning=Full(), objective=Masked())
    assert "for encoder models" in found(masked, model=DECODER, data={"data": "tokens"})[0][1]
    odd = Tune(tuning=EncoderOnly(), objective=Classification())
    assert found(odd, model=DECODER, data={})[0][0] == ("tuning",)
    causal = Tune(tuning=Full(), objective=Causal())
    classifier = {"family": "decoder", "head": "sequence-classification"}
    ((_, message),) = found(causal, model=classifier, data={"data": "tokens"})
    assert "needs a causal-lm head" in message


def test_facts_of_the_result_are_known_beforehand():
    assert Pretrain(architecture=LLAMA, objective=Causal()).facts({}) == DECODER
    tune = Tune(tuning=Full(), objective=Classification())
    assert tune.facts({"model": DECODER, "data": {}})["head"] == "sequence-classification"
    assert tune.facts({"model": DECODER, "data": {}})["family"] == "decoder"
