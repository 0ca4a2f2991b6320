"""Tuning methods: what learns, what stays, and what comes out."""

import copy
from pathlib import Path

import pytest
import torch
from transformers import BertForSequenceClassification, LlamaForSequenceClassification
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.gpt2 import Gpt2
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.tuning.full import Full
from workbench_plugins.tuning.head_only import HeadOnly
from workbench_plugins.tuning.lora import Lora

from workbench.api import Context, StepError, Vocab, model_inputs

HERE = Path()
CTX = Context("step", "tuning/x", 1, HERE, HERE, HERE, HERE)
VOCAB = Vocab(size=50, max_length=16, pad=0, eos=1, mask=2, cls=3, sep=4)
IDS = torch.arange(5, 15).reshape(2, 5)


def build(name):
    torch.manual_seed(1)
    if name == "llama":
        return Llama(layers=2, width=32, heads=2).build(VOCAB, CTX)
    if name == "bert":
        return Bert(layers=2, width=32, heads=2).build(VOCAB, CTX)
    if name in ("gpt2", "t5"):
        return {"gpt2": Gpt2, "t5": T5}[name](layers=2, width=32, heads=2).build(VOCAB, CTX)
    decoder = name == "llama-classifier"
    config = build("llama" if decoder else "bert").config
    config.num_labels = 3
    return (LlamaForSequenceClassification if decoder else BertForSequenceClassification)(config)


def logits(model):
    return model(**model_inputs(model, {"input_ids": IDS, "segment_ids": torch.ones_like(IDS)})).logits


def learn(model, steps=3):
    """Take a few large steps on an arbitrary loss."""
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        logits(model).square().mean().sub(logits(model).mean()).backward()
        optimizer.step()


MODELS = ["llama", "bert", "gpt2", "t5", "llama-classifier", "bert-classifier"]
HEADS = {
    "gpt2": ("lm_head.",),
    "t5": ("lm_head.",),
    "llama": ("lm_head.",),
    "bert": ("cls.",),
    "llama-classifier": ("score.",),
    "bert-classifier": ("classifier.", "bert.pooler."),
}


def test_full_frees_everything():
    """Every weight learns, also one that was frozen before."""
    model = Full().prepare(build("llama").requires_grad_(requires_grad=False), CTX)
    assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_head_only_leaves_the_rest_as_it_was(name):
    """After training, every weight outside the head is bit-identical, and the head is not."""
    model = build(name)
    before = {key: value.clone() for key, value in model.named_parameters()}
    prepared = HeadOnly().prepare(model, CTX)
    learn(prepared)
    after = dict(HeadOnly().finish(prepared).named_parameters())
    changed = {key for key, value in after.items() if key not in before or not torch.equal(value, before[key])}
    assert changed
    assert all(key.startswith(HEADS[name]) for key in changed)
    assert all(weight.requires_grad for weight in after.values())


@pytest.mark.parametrize("name", ["llama", "bert", "t5"])
def test_head_only_survives_saving(name, tmp_path):
    """The head, no longer shared with the embeddings, is saved and loaded."""
    model = HeadOnly().prepare(build(name), CTX)
    learn(model)
    model.eval().save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path).eval()
    torch.testing.assert_close(logits(loaded), logits(model), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_lora_merged_is_lora(name):
    """Merging changes no logit beyond rounding, and gives a plain model of the same class and size."""
    model = build(name)
    cls, size = type(model), sum(weight.numel() for weight in model.parameters())
    prepared = Lora(rank=4).prepare(model, CTX)
    learn(prepared)
    unmerged = logits(prepared.eval()).detach()
    merged = Lora(rank=4).finish(prepared).eval()
    assert type(merged) is cls
    assert sum(weight.numel() for weight in merged.parameters()) == size
    assert not any("lora" in key or "modules_to_save" in key for key in merged.state_dict())
    torch.testing.assert_close(logits(merged), unmerged, atol=1e-5, rtol=1e-5)


def test_lora_starts_as_the_model():
    """Before any step the update is zero."""
    model = build("llama").eval()
    plain = logits(copy.deepcopy(model))
    assert torch.equal(logits(Lora().prepare(model, CTX).eval()), plain)


@pytest.mark.parametrize("name", MODELS)
def test_lora_trains_updates_and_a_classification_head(name):
    """Rank · (in + out) weights for each linear layer of the body, and the classifier in full."""
    prepared = Lora(rank=4).prepare(build(name), CTX)
    trained = {key: weight for key, weight in prepared.named_parameters() if weight.requires_grad}
    updates = sum(weight.numel() for key, weight in trained.items() if "lora_" in key)
    gated, plain = 3 * (32 + 96), 2 * (32 + 128)  # Llama and T5 have a gate, BERT and GPT-2 have not
    sides = {
        "llama": 4 * (32 + 32) + gated,
        "bert": 4 * (32 + 32) + plain,
        "gpt2": (32 + 96) + (32 + 32) + plain,  # queries, keys and values in one
        "t5": 3 * 4 * (32 + 32) + 2 * gated,  # a block on either side, and the look across
    }
    assert updates == 2 * 4 * sides[name.partition("-")[0]]
    whole = [key for key in trained if "lora_" not in key]
    assert bool(whole) == name.endswith("classifier")
    assert all("modules_to_save" in key for key in whole)


def test_lora_updates_the_embeddings_when_asked():
    """Rank · (vocabulary + width) more weights, and merged the model computes what it was trained to."""
    model = build("llama-classifier")
    vocab_size, width = model.get_input_embeddings().weight.shape
    plain, more = (
        sum(weight.numel() for key, weight in prepared.named_parameters() if weight.requires_grad and "lora_" in key)
        for prepared in (Lora(rank=4, embeddings=on).prepare(build("llama-classifier"), CTX) for on in (False, True))
    )
    assert more - plain == 4 * (vocab_size + width)
    tuning = Lora(rank=4, embeddings=True)
    prepared = tuning.prepare(model, CTX).eval()
    with torch.no_grad():
        for key, weight in prepared.named_parameters():
            if "lora_" in key:
                weight.normal_(std=0.05)
        ids = torch.arange(8)[None]
        before = prepared(input_ids=ids).logits
        merged = tuning.finish(prepared)(input_ids=ids).logits
    torch.testing.assert_close(before, merged, atol=1e-5, rtol=1e-4)


def test_lora_refuses_embeddings_that_the_output_shares():
    """Merged, the update would change the output layer as well."""
    model = build("llama")
    model.config.tie_word_embeddings = True
    with pytest.raises(StepError, match="shares the weights"):
        Lora(embeddings=True).prepare(model, CTX)


def test_lora_alpha_is_twice_the_rank():
    """The default scale of the update is alpha / rank = 2."""
    prepared = Lora(rank=3).prepare(build("llama"), CTX)
    assert prepared.peft_config["default"].lora_alpha == 6


def test_lora_targets_choose_layers():
    """Only layers of the given names are updated, and an unknown one is refused with those there are."""
    prepared = Lora(targets=("q_proj",)).prepare(build("llama"), CTX)
    trained = [key for key, weight in prepared.named_parameters() if weight.requires_grad]
    assert trained
    assert all("q_proj" in key for key in trained)
    with pytest.raises(StepError, match=r"called query\n  expected: some of: down_proj, gate_proj, k_proj"):
        Lora(targets=("query",)).prepare(build("llama"), CTX)


def test_the_seed_decides_the_update():
    """Torch's generator, seeded by the caller, decides the start of the update."""
    starts = []
    for seed in (1, 1, 2):
        model = build("llama")
        torch.manual_seed(seed)
        starts.append(
            torch.cat([w.flatten() for k, w in Lora().prepare(model, CTX).named_parameters() if "lora_A" in k])
        )
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
