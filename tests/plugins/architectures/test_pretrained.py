"""Models that were trained before: loaded as they are, refused when they do not fit, never fetched in a test."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from workbench_plugins.architectures.gpt2 import Gpt2
from workbench_plugins.architectures.pretrained import Pretrained
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.masked import Masked

from workbench.api import Context, EnvironmentProblem, StepError, Vocab
from workbench.registry import shared_registry
from workbench.testing.artifacts import small_model
from workbench.training.pretrain import Pretrain

VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1)


def context(folder):
    return Context("step", "architecture/pretrained", 1, folder, folder, folder, folder)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(1)
    Gpt2(layers=1, width=16, heads=2).build(VOCAB, context(tmp_path)).save_pretrained(tmp_path / "model")
    return tmp_path


def test_a_folder_is_loaded_as_it_is(folder):
    """The weights are those that were saved, whatever the generator."""
    model = Pretrained(model="model").build(VOCAB, context(folder))
    torch.manual_seed(1)
    original = Gpt2(layers=1, width=16, heads=2).build(VOCAB, context(folder))
    assert all(torch.equal(weight, original.state_dict()[name]) for name, weight in model.state_dict().items())


def test_marks_are_added_behind_its_tokens(folder):
    """Embeddings grow by the marks; those of its tokens stay."""
    marked = Vocab(size=53, max_length=16, pad=0, eos=1, num_marks=3)
    model = Pretrained(model="model").build(marked, context(folder))
    assert model.config.vocab_size == 53
    plain = Pretrained(model="model").build(VOCAB, context(folder))
    assert torch.equal(model.get_input_embeddings().weight[:50], plain.get_input_embeddings().weight)


def test_what_does_not_fit_is_said(folder):
    """Too many positions, too many tokens."""
    with pytest.raises(StepError, match="rows of 32 tokens, but the model knows 16 positions"):
        Pretrained(model="model").build(Vocab(size=50, max_length=32, pad=0), context(folder))
    with pytest.raises(StepError, match="knows 50 tokens, the tokenizer has 60"):
        Pretrained(model="model").build(Vocab(size=60, max_length=16, pad=0), context(folder))


def test_tokens_of_another_tokenizer_are_refused(tmp_path):
    """The first token that differs is named."""
    trained = small_model(tmp_path)
    own = trained.tokenizer.vocab(16)
    ctx = context(trained.path.parent)
    assert Pretrained(model=trained.path.name).build(own, ctx).config.vocab_size == own.size
    other = Vocab(size=own.size, max_length=16, pad=0, pieces=(*own.pieces[:7], "?!", *own.pieces[8:]))
    with pytest.raises(StepError, match="differ first at token 7"):
        Pretrained(model=trained.path.name).build(other, ctx)


def test_what_it_depends_on_is_known(folder):
    """Every file that is read has a digest; a folder that is none is refused when the pipeline is planned."""
    found = Pretrain(architecture=Pretrained(model="model"), objective=Causal()).digests(folder, lambda path: path.name)
    assert set(found.values()) == {"config.json", "model.safetensors"}
    with pytest.raises(EnvironmentProblem, match="is no model folder"):
        Pretrained(model="nothing").digests(folder, lambda path: path.name)


def test_settings_say_what_it_is():
    """Family and head are settings, and objectives are held against them."""
    shared_registry().load("architecture/pretrained")
    shared_registry().load("objective/masked")
    encoder = Pretrained(model="model", family="encoder", head="masked-lm")
    assert not Pretrain(architecture=encoder, objective=Masked()).mismatches({"tokens": {}})
    (problem,) = Pretrain(architecture=Pretrained(model="model"), objective=Masked()).mismatches({"tokens": {}})
    assert "architecture/pretrained is of family decoder" in problem.message


@pytest.mark.parametrize(
    "settings,message",
    [
        ({"layers": 2}, "layers cannot be chosen: sizes are those of the model"),
        ({"revision": "main"}, "revision 'main' is no commit"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Pretrained(model=str(Path("model")), **settings)


def test_a_model_that_cannot_be_fetched_is_said(tmp_path, monkeypatch):
    """Without a network the message says what to do."""
    monkeypatch.setattr("huggingface_hub.snapshot_download", _no_network)
    with pytest.raises(EnvironmentProblem, match=r"cannot fetch 'owner/name' at 0{40}: no route"):
        Pretrained(model="owner/name", revision="0" * 40).build(VOCAB, context(tmp_path))


def _no_network(*_args, **_options):
    raise OSError("no route")
