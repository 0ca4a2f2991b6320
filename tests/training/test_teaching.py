"""A teacher in a training step: from the pipeline or a folder, what `check` refuses, and what stays out of the result."""

import shutil

import pytest
from safetensors import safe_open
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.classification import Classification
from workbench_plugins.objectives.distillation import Distillation
from workbench_plugins.tuning.full import Full

from workbench.artifacts import Corpus, Model
from workbench.contracts.context import Context
from workbench.errors import EnvironmentProblem, StepError
from workbench.files.digest import digest_file
from workbench.registry import shared_registry
from workbench.training.pretrain import Pretrain
from workbench.training.settings import Budget, Optimizer
from workbench.training.tune import Tune

FACTS = {"family": "decoder", "head": "causal-lm"}


@pytest.fixture(autouse=True, scope="module")
def named():
    """Components know their names once the registry has loaded them."""
    for use in ("architecture/llama", "objective/distillation", "objective/causal", "objective/classification"):
        shared_registry().load(use)


def pretraining(objective, width=16, steps=20):
    return Pretrain(
        architecture=Llama(layers=1, width=width, heads=2),
        objective=objective,
        budget=Budget(steps=steps),
        optimizer=Optimizer(lr=1e-2),
        precision="float32",
        checkpoint_seconds=0,
    )


def model_of(folder, step, **inputs) -> Model:
    folders = {name: folder / name for name in ("output", "scratch", "partial")}
    for path in folders.values():
        path.mkdir(parents=True)
    ctx = Context("step", "train/any", 1234, folder, inputs=inputs, device="cpu", **folders)
    step.run(ctx)
    return Model(ctx.output, "model0", step="model")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, tokens) -> Model:
    return model_of(tmp_path_factory.mktemp("teacher"), pretraining(Causal(), width=32, steps=60), tokens=tokens)


def names_in(folder):
    found = set()
    for path in folder.rglob("*.safetensors"):
        with safe_open(path, "np") as file:
            found |= {name.partition("/")[2] if "/" in name else name for name in file.keys()}  # noqa: SIM118
    return found


def test_a_student_learns_from_the_input_or_from_a_folder(tmp_path, teacher, tokens):
    """Both ways give the same bytes; nothing of the teacher is in the model or in a checkpoint."""
    by_input = model_of(
        tmp_path / "input", pretraining(Distillation(objective=Causal())), tokens=tokens, teacher=teacher
    )
    shutil.copytree(teacher.path, tmp_path / "folder" / "big")
    by_folder = model_of(
        tmp_path / "folder", pretraining(Distillation(objective=Causal(), teacher="big")), tokens=tokens
    )
    one, two = ((model.path / "model.safetensors").read_bytes() for model in (by_input, by_folder))
    assert one == two
    soft = by_input.metrics()["soft_loss"]
    assert soft[-1] < 0.7 * soft[0]
    assert by_input.card["objective"] == "objective/distillation"
    plain = model_of(tmp_path / "plain", pretraining(Causal()), tokens=tokens)
    assert names_in(by_input.path) == names_in(plain.path)
    assert names_in(tmp_path / "input" / "partial") == names_in(tmp_path / "plain" / "partial")
    assert by_input.card["parameters"] == plain.card["parameters"]


def test_classes_are_learned_from_a_classifier(tmp_path, teacher, corpus):
    """The teacher is the same kind of model, tuned to the same labels; one with others is refused."""
    whole = Tune(tuning=Full(), objective=Classification(), budget=Budget(steps=4), checkpoint_seconds=1e9)
    classifier = model_of(tmp_path / "classifier", whole, model=teacher, data=corpus)
    around = whole.model_copy(update={"objective": Distillation(objective=Classification())})
    tuned = model_of(tmp_path / "tuned", around, model=teacher, data=corpus, teacher=classifier)
    assert tuned.card["labels"] == ["animals", "weather"]
    by_id = whole.model_copy(update={"objective": Distillation(objective=Classification(label="id"))})
    part = Corpus(corpus.path, corpus.fingerprint, "train", "corpus")
    with pytest.raises(StepError, match=r'other labels apart: \["animals", "weather"\]'):
        model_of(tmp_path / "other", by_id, model=teacher, data=part, teacher=classifier)


def test_another_tokenizer_is_refused(tmp_path, teacher, corpus, wordpiece, pack):
    """What probabilities of other tokens would mean nobody knows; the first that differs is named."""
    step = pretraining(Distillation(objective=Causal()))
    with pytest.raises(StepError, match=r"another tokenizer: token 0 is '<pad>' there and '\[PAD\]' here"):
        model_of(tmp_path, step, tokens=pack(corpus, wordpiece), teacher=teacher)


def test_a_teacher_without_the_marks_is_refused(tmp_path, teacher, tokens, monkeypatch):
    """Marks are ids that only models pretrained with them know."""
    monkeypatch.setattr(Causal, "num_marks", 5)
    with pytest.raises(StepError, match="the teacher knows 300 tokens and marks, the model 305"):
        model_of(tmp_path, pretraining(Distillation(objective=Causal())), tokens=tokens, teacher=teacher)


@pytest.mark.parametrize(
    "objective,inputs,setting,message",
    [
        (Distillation(objective=Causal()), {}, ("inputs",), "needs a teacher: a model at the input 'teacher'"),
        (Causal(), {"teacher": FACTS}, ("inputs", "teacher"), "the input 'teacher' is not read"),
        (
            Distillation(objective=Causal(), teacher="big"),
            {"teacher": FACTS},
            ("inputs", "teacher"),
            "two teachers",
        ),
        (
            Distillation(objective=Causal()),
            {"teacher": {**FACTS, "head": "masked-lm"}},
            ("inputs", "teacher"),
            "a causal-lm head, but that of the input 'teacher' has a masked-lm head",
        ),
    ],
)
def test_check_says_what_does_not_fit(objective, inputs, setting, message):
    """Before anything runs, for both steps that train."""
    steps = (
        (pretraining(objective), {"tokens": {"data": "tokens"}}),
        (Tune(tuning=Full(), objective=objective), {"data": {"data": "tokens"}, "model": FACTS}),
    )
    for step, given in steps:
        (problem,) = step.mismatches({**given, **inputs})
        assert problem.setting == setting
        assert message in problem.message


def test_the_folder_is_part_of_the_key(tmp_path, teacher):
    """Every file that is read has a digest; a folder that is none is refused when the pipeline is planned."""
    shutil.copytree(teacher.path, tmp_path / "big")
    objective = Distillation(objective=Causal(), teacher="big")
    for step in (pretraining(objective), Tune(tuning=Full(), objective=objective)):
        before = step.digests(tmp_path, digest_file)
        assert {"big/model.safetensors", "big/config.json", "big/tokenizer.json"} <= set(before)
    (tmp_path / "big" / "config.json").write_text("{}", encoding="utf-8")
    assert step.digests(tmp_path, digest_file) != before
    with pytest.raises(EnvironmentProblem, match="'small' is no model folder"):
        pretraining(Distillation(objective=Causal(), teacher="small")).digests(tmp_path, digest_file)
