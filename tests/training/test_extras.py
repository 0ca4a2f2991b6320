"""Extras: refused with the command that brings them, said in the record, never a silent fallback; taken out again."""

import sys
from dataclasses import replace
from types import MethodType, SimpleNamespace

import pytest
import torch
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.architectures.prefix_lm import PrefixLm
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.objectives.causal import Causal
from workbench_plugins.objectives.classification import Classification

from workbench.contracts.context import Context
from workbench.errors import EnvironmentProblem
from workbench.training import extras
from workbench.training.data import PackedRows
from workbench.training.group import Group
from workbench.training.job import Job
from workbench.training.loop import train
from workbench.training.settings import Optimizer

CPU, GPU = Group(0, 1, torch.device("cpu")), Group(0, 1, torch.device("cuda"))


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")


@pytest.fixture
def job(tokens, ctx) -> Job:
    vocab = tokens.tokenizer.vocab(tokens.context)
    rows = PackedRows(tokens, "train")
    model = Llama(layers=1, width=16).build(vocab, ctx)
    numbers = {"num_steps": 1, "batch_size": 2, "accumulate": 1, "eval_every": 1, "eval_rows": 2}
    return Job(
        model, Causal(), None, rows, None, vocab, Optimizer(), precision="auto", checkpoint_seconds=1e9, **numbers
    )


@pytest.fixture
def installed(monkeypatch):
    """Let every package be there."""
    monkeypatch.setattr(extras, "version", lambda _name: "1.0")


@pytest.mark.parametrize(
    "asked,package",
    [
        ({"kernels": "on"}, "liger-kernel"),
        ({"flash": "on"}, "flash-attn"),
        ({"precision": "float8"}, "torchao"),
    ],
)
def test_what_is_asked_for_and_lacks_is_an_error_with_the_command(job, ctx, monkeypatch, asked, package):
    """Before a step is made; where the package is there but no GPU, that is said."""

    def gone(name):
        raise extras.PackageNotFoundError(name)

    monkeypatch.setattr(extras, "version", gone)
    with pytest.raises(EnvironmentProblem, match=f"{package} is not installed\n.*pip install {package}, or set"):
        train(replace(job, **asked), ctx)
    monkeypatch.setattr(extras, "version", lambda _name: "1.0")
    with pytest.raises(EnvironmentProblem, match=f"{package} needs a GPU, and this runs on the cpu"):
        train(replace(job, **asked), ctx)


def test_auto_is_off_on_a_cpu_and_the_record_says_why(job, ctx, installed):
    said = []
    ctx.emit = lambda event, fields: said.append(fields.get("message"))
    train(replace(job, kernels="auto", flash="auto"), ctx)
    assert "kernels: off: liger-kernel needs a GPU, and this runs on the cpu" in said
    assert "flash_attention: off: flash-attn needs a GPU, and this runs on the cpu" in said


def test_nothing_is_said_of_what_nobody_asked_for(job, ctx):
    said = []
    ctx.emit = lambda event, fields: said.append(str(fields.get("message")))
    train(job, ctx)
    assert not [line for line in said if line.startswith(("kernels", "flash_attention", "float8"))]


def test_flash_attention_is_for_models_whose_documents_it_keeps_apart(job, ctx, installed):
    """Seen from a GPU: a decoder yes; two stacks, a prefix, a pooled state, 32 bits no."""
    ask = replace(job, flash="on", precision="bfloat16")
    assert extras.flash(ask, GPU) == (True, "on, as set")
    assert extras.flash(replace(ask, flash="auto"), GPU) == (True, "on: it is there and fits")
    for other, message in (
        (replace(ask, model=T5(layers=1, width=16).build(job.vocab, ctx)), "cannot keep packed documents apart"),
        (replace(ask, model=PrefixLm(layers=1, width=16).build(job.vocab, ctx)), "no words for the masks"),
        (replace(ask, objective=Classification()), "no place for a sequence-classification head"),
        (replace(ask, precision="float32"), "works in 16 bits only"),
    ):
        with pytest.raises(EnvironmentProblem, match=message):
            extras.flash(other, GPU)
        is_on, why = extras.flash(replace(other, flash="auto"), GPU)
        assert not is_on
        assert message in why


def test_float8_wants_a_gpu_that_has_it_and_no_frozen_weights(job, installed, monkeypatch):
    ask = replace(job, precision="float8")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (8, 0))
    with pytest.raises(EnvironmentProblem, match=r"compute capability 8\.0\) multiplies no float8"):
        extras.float8(ask, GPU)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (9, 0))
    assert extras.float8(ask, GPU)[0]
    job.model.get_input_embeddings().requires_grad_(requires_grad=False)
    with pytest.raises(EnvironmentProblem, match="some are frozen here"):
        extras.float8(ask, GPU)


def test_products_in_float8_are_those_of_even_matrices():
    """Both sides a multiple of 16; a subclass of the linear layer is left alone."""
    assert extras._is_even(torch.nn.Linear(32, 48))
    assert not extras._is_even(torch.nn.Linear(32, 40))
    assert not extras._is_even(torch.nn.modules.linear.NonDynamicallyQuantizableLinear(32, 32))


def test_liger_changes_this_model_alone(job, monkeypatch):
    """It is asked for layers only, as losses are ours; what it replaces for all models to come is put back."""
    from transformers.models.llama import modeling_llama

    asked, own = {}, modeling_llama.LlamaRMSNorm

    def apply(model, **settings):
        asked.update(settings)
        modeling_llama.LlamaRMSNorm = object

    fake = SimpleNamespace(_apply_liger_kernel_to_instance=apply)
    monkeypatch.setitem(sys.modules, "liger_kernel", SimpleNamespace(transformers=fake))
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", fake)
    monkeypatch.setattr(extras, "_liger_fault", lambda _job, _group: None)
    extras.put_in(job.model, replace(job, kernels="on"), GPU)
    assert asked == {"cross_entropy": False, "fused_linear_cross_entropy": False, "rope": False}
    assert modeling_llama.LlamaRMSNorm is own


def test_a_model_is_made_of_its_own_layers_afterwards(job, ctx):
    """Layers of torchao and forwards of Liger are taken out, the weights stay the same objects; attention is put back."""
    foreign = type("Float8Linear", (torch.nn.Linear,), {"__module__": "torchao.float8.float8_linear"})
    model = Bert(layers=1, width=16, heads=2).build(job.vocab, ctx)
    block = model.bert.encoder.layer[0]
    put, norm = foreign(16, 64), block.output.LayerNorm
    block.intermediate.dense = put
    fused = lambda self, x: x  # noqa: E731
    fused.__module__ = "liger_kernel.transformers.layer_norm"
    norm.forward = MethodType(fused, norm)
    before = extras.attention_of(model)
    model.set_attn_implementation("eager")
    extras.take_out(model, before)
    assert type(block.intermediate.dense) is torch.nn.Linear
    assert block.intermediate.dense.weight is put.weight
    assert "forward" not in vars(norm)
    assert extras.attention_of(model) == before
    assert extras.attention_of(SimpleNamespace()) is None
