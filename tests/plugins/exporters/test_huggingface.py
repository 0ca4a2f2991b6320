"""The Hugging Face export: plain transformers loads it and gives the same numbers."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from workbench_plugins.exporters.huggingface import AUTO_CLASS, HuggingFace
from workbench_plugins.exporters.model_card import card_json

from workbench.api import Context, Model, StepError, load_model
from workbench.contracts.model import Head
from workbench.testing.artifacts import small_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("model"))


def export(model: Model, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    ctx = Context("export", "exporter/huggingface", 1, folder, folder, folder, folder, {"model": model})
    HuggingFace().export(model, folder, ctx)
    return folder


def test_reloaded_model_gives_the_same_logits(model, tmp_path):
    """AutoModelForCausalLM and AutoTokenizer load the folder; logits are those of the model in the store."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = export(model, tmp_path / "export")
    loaded = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    own = load_model(model)
    for text in ("The quick brown fox", "今天天气很好"):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        assert ids.tolist() == [model.tokenizer.load()(text)["input_ids"]]
        with torch.no_grad():
            assert torch.equal(loaded(input_ids=ids).logits, own(input_ids=ids).logits)


def test_only_what_others_read_goes_out(model, tmp_path):
    """Neither the workbench's own files nor anything that could run code."""
    names = {file.name for file in export(model, tmp_path / "export").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert not names & {"training.json", "metrics.parquet", "batches.json"}


def test_the_readme_says_what_the_model_is(model, tmp_path):
    """Head, parameters and steps from the training card, in words."""
    readme = (export(model, tmp_path / "export") / "README.md").read_text("utf-8")
    assert readme.startswith("---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n")
    assert f"| parameters | {model.card['parameters']:,} |" in readme
    assert "AutoModelForCausalLM.from_pretrained(folder)" in readme


def test_a_label_cannot_break_out_of_the_readme(tmp_path):
    """Backticks and line ends from data stay inside the card's code block."""
    (tmp_path / "training.json").write_text('{"labels": ["```\\n# heading\\u001b"]}', "utf-8")
    shown = card_json(Model(tmp_path))
    assert "`" not in shown
    assert "\n# heading" not in shown
    assert "\x1b" not in shown


def test_a_model_without_weights_is_refused(tmp_path):
    """Nothing to load is said at once."""
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(StepError, match="no safetensors weights"):
        export(Model(tmp_path, step="base"), tmp_path / "export")


def test_every_head_of_a_network_can_go_out():
    """Whatever a network predicts, there is a class of transformers that loads it; a plugin's own class is refused."""
    own = {"embedding", "features"}  # of static models
    assert set(get_args(Head)) - own - {"reconstruction"} == set(AUTO_CLASS)


@pytest.mark.parametrize("config, family", [('{"model_type": "workbench-autoencoder"}', "encoder"), ("{}", "static")])
def test_what_transformers_does_not_know_is_refused(tmp_path, config, family):
    """A class of a plugin and a static model are named."""
    (tmp_path / "config.json").write_text(config, "utf-8")
    (tmp_path / "training.json").write_text(f'{{"family": "{family}"}}', "utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(StepError, match=r"transformers has no class for a (static|workbench-autoencoder) model"):
        export(Model(tmp_path, step="base"), tmp_path / "export")
