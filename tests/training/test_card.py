"""What a model costs, worked out by hand."""

import json

import pytest
import torch
from click.testing import CliRunner
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.architectures.mpt import Mpt
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.replaced_token import ReplacedToken
from workbench_plugins.tuning.head_only import HeadOnly

from workbench.cli.root import root
from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Vocab
from workbench.training.card import Trial, card_of, flops_per_token, measure, parts
from workbench.training.settings import Optimizer

VOCAB = Vocab(100, 64, pad=0, eos=1)
MATRICES = 4 * 32 * 32 + 3 * 32 * 96  # of a block: four of attention, three of the feed-forward layer
PIPELINE = """
workbench: 1
name: t
steps:
  raw: {use: source/jsonl, with: {paths: [nowhere.jsonl]}}
  bpe: {use: tokenizer/byte-bpe, inputs: raw, with: {vocab_size: 300}}
  ids: {use: tokens/pack, inputs: {corpus: raw, tokenizer: bpe}, with: {context: 16}}
  base:
    use: train/pretrain
    inputs: ids
    with:
      architecture: {use: architecture/llama, with: {layers: 1, width: 16}}
      objective: {use: objective/causal}
      budget: {tokens: 6400}
      batch_size: 4
  tuned:
    use: train/tune
    inputs: {model: base, data: raw}
    with: {tuning: {use: tuning/head-only}, objective: {use: objective/classification}}
"""


@pytest.fixture
def model(tmp_path):
    ctx = Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")
    return Llama(layers=2, width=32, ffn_width=96, tie_embeddings=True).build(VOCAB, ctx)


def test_the_parts_add_up(model):
    """100 words of 32; attention and feed-forward layers of two blocks; five norms of 32."""
    assert parts(model) == {
        "embeddings": 3200,
        "2 blocks: self_attn": 2 * 4 * 32 * 32,
        "2 blocks: mlp": 2 * 3 * 32 * 96,
        "2 blocks: input_layernorm": 64,
        "2 blocks: post_attention_layernorm": 64,
        "head and the rest": 32,
    }
    assert sum(parts(model).values()) == sum(parameter.numel() for parameter in model.parameters())


def test_operations_by_hand(model):
    """Two for each weight, the output layer's 3,200 among them, and half of 4 · layers · context · width; three times."""
    there = 2 * (2 * MATRICES + 3200) + 4 * 2 * 64 * 32 // 2
    assert flops_per_token(model, 64) == 3 * there


def test_embeddings_alone_are_no_product(tmp_path):
    ctx = Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")
    untied = Llama(layers=2, width=32, ffn_width=96, tie_embeddings=False).build(VOCAB, ctx)
    assert flops_per_token(untied, 64) == 3 * (2 * (2 * MATRICES + 3200) + 4 * 2 * 64 * 32 // 2)


def test_a_decoder_without_the_word_for_it_looks_back_only(tmp_path):
    """MPT's attention does not say that it is causal; it needs half of the products as well."""
    ctx = Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")
    matrices = 2 * (4 * 32 * 32 + 2 * 4 * 32 * 32)
    mpt = Mpt(layers=2, width=32).build(VOCAB, ctx)
    assert flops_per_token(mpt, 64) == 3 * (2 * (matrices + 3200) + 4 * 2 * 64 * 32 // 2)


def test_memory_by_hand(model):
    """Four bytes for each number: weights, gradients, two moments with AdamW, one where Muon has the matrix."""
    total = sum(parameter.numel() for parameter in model.parameters())
    assert card_of(model, 64, Optimizer()).memory == {
        "weights": 4 * total,
        "gradients": 4 * total,
        "optimizer": 8 * total,
    }
    muon = card_of(model, 64, Optimizer(method="muon", average=0.9)).memory
    assert muon["optimizer"] == 8 * total - 4 * 2 * MATRICES
    assert muon["average"] == 4 * total


def test_frozen_weights_need_no_moments(model, tmp_path):
    ctx = Context("base", "train/tune", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")
    card = card_of(HeadOnly().prepare(model, ctx), 64, Optimizer())
    assert card.trained_parameters < card.parameters
    assert card.memory["gradients"] == 4 * card.trained_parameters


def test_activations_are_measured(model):
    """Twice the rows keep about twice as much; more than one state of each of the layers."""
    held = []
    for rows in (2, 4):
        trial = Trial(Causal(), VOCAB, rows, Optimizer(), "float32", torch.device("cpu"))
        card = measure(model, card_of(model, 64, Optimizer()), trial)
        held.append(card.memory["activations"])
        assert card.tokens_per_second > 0
    assert held[1] == pytest.approx(2 * held[0], rel=0.1)
    assert held[0] > 4 * 2 * 64 * 32 * 2 * 4


def test_check_gives_the_cards_of_a_pipeline_that_never_ran(tmp_path, monkeypatch):
    """Sizes from the file alone: 300 words at most, rows of 16; without --card nothing is built."""
    monkeypatch.setattr("workbench.training.card.MEASURED_SECONDS", 0.05)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    given = ["--store", str(tmp_path / "s"), "--json", "check", str(tmp_path / "p.yaml")]
    assert json.loads(CliRunner().invoke(root, given).output) == {"errors": []}
    base, tuned = json.loads(CliRunner().invoke(root, [*given, "--card"]).output)["cards"]
    assert base["parts"]["embeddings"] == 300 * 16
    assert base["seconds"] == pytest.approx(6400 / base["tokens_per_second"])
    assert set(base["memory"]) == {"weights", "gradients", "optimizer", "activations"}
    assert tuned["step"] == "tuned"
    assert tuned["trained_parameters"] < tuned["parameters"]
    assert tuned["trained_parameters"] < 2 * 16 + 2 + 1  # the head alone, of two labels
    assert "length of the records" in tuned["note"]
    drawn = CliRunner().invoke(root, [*given[:2], "check", str(tmp_path / "p.yaml"), "--card"]).output
    assert "Parameters by part" in drawn
    assert "tokens per second on this device, measured" in drawn


def test_what_learns_beside_the_model_is_in_its_card(tmp_path):
    """The generator of replaced-token is counted before anything runs, and its work is measured."""
    plain = PIPELINE.partition("  tuned:")[0].replace("architecture/llama", "architecture/bert")
    (tmp_path / "p.yaml").write_text(plain.replace("objective/causal", "objective/replaced-token"))
    given = ["--store", str(tmp_path / "s"), "--json", "check", str(tmp_path / "p.yaml"), "--card"]
    (card,) = json.loads(CliRunner().invoke(root, given).output)["cards"]
    beside = ReplacedToken().beside({"input_ids": range(16)}, 16)
    ours = Bert(layers=1, width=16).build(Vocab(301, 16, pad=0), Context("s", "a/b", 1, *[tmp_path] * 4))
    body = sum(weight.numel() for name, weight in ours.named_parameters() if name.startswith("bert."))
    assert card["parameters"] == body + 2 * (16 + 1) + sum(weight.numel() for weight in beside.values())
    assert card["tokens_per_second"] > 0
