"""Models to and from disk: plain transformers folders, equal bytes, and nothing from a folder that could run."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertForMaskedLM
from workbench_plugins.architectures.llama import Llama

from workbench.artifacts import Model
from workbench.contracts.context import Context
from workbench.errors import StepError, UnknownName
from workbench.files.atomic import write_json
from workbench.training.models import load_model, save_model


def llama(tokenizer, *, tied=True):
    ctx = Context("s", "architecture/llama", 1, Path(), Path(), Path(), Path())
    torch.manual_seed(4)
    return Llama(layers=2, width=16, tie_embeddings=tied).build(tokenizer.vocab(32), ctx).eval()


def saved(model, tokenizer, path, **card):
    path.mkdir(parents=True)
    save_model(model, tokenizer, path)
    write_json(path / "training.json", {"head": "causal-lm", "labels": None, **card})
    return Model(path, "m0", step="base")


@pytest.fixture
def model(tmp_path, tokenizer) -> Model:
    return saved(llama(tokenizer), tokenizer, tmp_path / "model")


@pytest.mark.parametrize("tied", [True, False])
def test_a_saved_model_is_loaded_by_plain_transformers(tmp_path, tokenizer, tied):
    """The same logits, the same ids, with and without shared embeddings."""
    built = llama(tokenizer, tied=tied)
    path = saved(built, tokenizer, tmp_path / "m").path
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        expected = built(ids).logits
        assert torch.equal(AutoModelForCausalLM.from_pretrained(path).eval()(ids).logits, expected)
        assert torch.equal(load_model(Model(path))(ids).logits, expected)
    assert AutoTokenizer.from_pretrained(path)("cat 天气")["input_ids"] == tokenizer.fast.encode("cat 天气").ids
    assert not list(path.glob("*.bin"))


def test_equal_weights_give_equal_bytes(tmp_path, tokenizer):
    one, other = (saved(llama(tokenizer), tokenizer, tmp_path / name).path for name in ("a", "b"))
    assert {file.name: file.read_bytes() for file in one.iterdir()} == {
        file.name: file.read_bytes() for file in other.iterdir()
    }


def test_a_new_head_is_drawn_from_the_seed_and_named(model):
    def fresh():
        torch.manual_seed(9)
        return load_model(model, "sequence-classification", ["cats", "dogs", "fish"])

    one, other = fresh(), fresh()
    assert torch.equal(one.score.weight, other.score.weight)
    assert one.config.id2label == {0: "cats", 1: "dogs", 2: "fish"}
    assert one.config.pad_token_id == model.tokenizer.vocab(1).pad
    assert torch.equal(one.model.embed_tokens.weight, load_model(model).model.embed_tokens.weight)


def test_a_trained_head_is_kept_for_its_labels_and_fresh_for_others(tmp_path, model, tokenizer):
    trained = load_model(model, "sequence-classification", ["a", "b"])
    path = tmp_path / "classifier"
    classifier = saved(trained, tokenizer, path, head="sequence-classification", labels=["a", "b"])
    assert torch.equal(load_model(classifier).score.weight, trained.score.weight)
    assert torch.equal(load_model(classifier, labels=["a", "b"]).score.weight, trained.score.weight)
    assert not torch.equal(load_model(classifier, labels=["a", "c"]).score.weight, trained.score.weight)
    assert load_model(classifier, labels=["a", "b", "c"]).score.weight.shape[0] == 3


def test_an_encoder_gets_a_pooler_with_its_head(tmp_path, wordpiece):
    config = BertConfig(
        vocab_size=wordpiece.vocab(1).size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    encoder = saved(BertForMaskedLM(config), wordpiece, tmp_path / "bert", head="masked-lm")
    assert load_model(encoder, "sequence-classification", ["a", "b"]).classifier.weight.shape == (2, 16)


def test_an_unknown_head_is_named(model):
    with pytest.raises(UnknownName, match="unknown model head 'causal'; did you mean 'causal-lm'"):
        load_model(model, "causal")


def test_missing_weights_are_an_error_not_random_numbers(model, tokenizer):
    from safetensors.torch import load_file, save_file

    weights = load_file(model.path / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, model.path / "model.safetensors", metadata={"format": "pt"})
    for head in ("causal-lm", "sequence-classification"):
        with pytest.raises(StepError, match=r"1 weights are missing, the first is model\.layers\.1\.mlp\.up_proj"):
            load_model(model, head, ["a", "b"] if head != "causal-lm" else None)


class Trap:
    """Pickled code that leaves a mark when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pth", "model.pkl", "a.pickle", "a.ckpt"])
def test_pickled_weights_are_refused_unread(model, tmp_path, name):
    (model.path / "model.safetensors").unlink()
    (model.path / name).write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    with pytest.raises(StepError, match=f"{name} may run code when it is read") as caught:
        load_model(model)
    assert "save_pretrained" in str(caught.value)
    assert not (tmp_path / "mark").exists()


def test_pickles_beside_safetensors_are_never_read(model, tmp_path):
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        (model.path / name).write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    load_model(model)
    assert not (tmp_path / "mark").exists()


def hostile_config(path, **changes):
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, **changes}))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"auto_map": {"AutoModelForCausalLM": "evil.Evil"}}, "Python code of its own"),
        ({"auto_map": {"AutoModelForCausalLM": "someone/repo--evil.Evil"}, "model_type": "evil"}, "Python code"),
        ({"_attn_implementation": "kernels-community/evil"}, "attention kernel from the hub"),
        ({"attn_implementation": "someone/evil"}, "attention kernel from the hub"),
        ({"model_type": "evil"}, "cannot load it"),
        ({"hidden_size": 17}, "cannot load it"),
        ({"hidden_size": "../../x"}, "cannot load it"),
        ({"num_hidden_layers": 3}, "weights are missing"),
    ],
)
def test_a_hostile_configuration_is_refused(model, tmp_path, monkeypatch, changes, message):
    (model.path / "evil.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\nclass Evil: pass\n")
    hostile_config(model.path, **changes)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StepError, match=message) as caught:
        load_model(model)
    assert len(str(caught.value).splitlines()) <= 5
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "null", '{"model_type": "llama"', "\ufeff{}"])
def test_a_broken_configuration_is_refused(model, content):
    (model.path / "config.json").write_text(content)
    with pytest.raises(StepError):
        load_model(model)


@pytest.mark.parametrize("shard", ["../../evil.safetensors", "evil.bin", "/etc/passwd", 7, None, "a/b.safetensors"])
def test_shards_outside_the_folder_are_refused(model, shard):
    (model.path / "model.safetensors").rename(model.path / "model-00001.safetensors")
    write_json(model.path / "model.safetensors.index.json", {"weight_map": {"lm_head.weight": shard}})
    with pytest.raises(StepError, match="it names a shard"):
        load_model(model)


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"\xff" * 8 + b[8:], lambda b: b"", lambda b: b[:9]])
def test_damaged_weights_are_refused(model, damage):
    path = model.path / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StepError, match="cannot load it"):
        load_model(model)


def test_an_adapter_is_refused(model):
    write_json(model.path / "adapter_config.json", {"base_model_name_or_path": "someone/model"})
    with pytest.raises(StepError, match="an adapter that loads another model"):
        load_model(model)


def test_a_tokenizer_with_code_is_refused(model):
    write_json(model.path / "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}})
    with pytest.raises(StepError, match=r"tokenizer_config\.json: it wants Python code"):
        load_model(model)


def test_an_empty_folder_says_what_belongs_there(tmp_path, model):
    with pytest.raises(StepError, match="this is no model folder"):
        load_model(Model(tmp_path / "nothing"))
    (model.path / "model.safetensors").unlink()
    with pytest.raises(StepError, match="no weights"):
        load_model(model)
    shutil.copyfile(model.path / "config.json", model.path / "model.gguf")
    with pytest.raises(StepError, match=r"no weights; found model\.gguf"):
        load_model(model)
