"""Training on a GPU beside Hugging Face's Trainer: tokens per second, model FLOPs utilisation, peak memory.

Llama-shaped models of 124 million and one billion weights, bfloat16, packed rows, in one process on one GPU, the two
loops in turns on the same machine. Ours masks documents from each other; Trainer gets the same rows and does not. MFU is
6 · weights + 6 · layers · context · width operations for each token (Chowdhery et al. 2022, appendix B, causal half) over
what the GPU multiplies in bfloat16 without sparsity.

    python -m benchmarks.gpu_training [--sizes 124m 1b] [--steps 20] [--rounds 3] [--attention sdpa] [--compile on]
    python -m benchmarks.gpu_training --sizes tiny --device cpu --steps 2 --rounds 1      # to see that it runs
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from benchmarks.training import Rows
from workbench.contracts.context import Context
from workbench.training.card import flops_per_token
from workbench.training.loop import Job, train
from workbench.training.settings import Optimizer

WARM_STEPS = 3  # not timed: kernels are loaded and compiled
# Dense bfloat16 operations per second, from the makers' data sheets.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12, "B200": 2250e12}


@dataclass(frozen=True)
class Size:
    """A model and its batch."""

    layers: int
    width: int
    heads: int
    ffn: int
    vocabulary: int
    context: int
    rows: int
    micro_batches: int = 1


SIZES = {
    "tiny": Size(2, 64, 2, 160, 512, 64, 4),
    "124m": Size(12, 768, 12, 2048, 50_304, 1024, 32),
    "1b": Size(16, 2048, 32, 8192, 50_304, 4096, 8, 2),
}


@dataclass(frozen=True)
class Result:
    """What one run showed."""

    tokens_per_second: float
    peak_bytes: int


class Clocked:
    """An objective that notes when each micro-batch begins."""

    def __init__(self) -> None:
        self._objective = Causal()
        self.began: list[float] = []
        self.collate = self._objective.collate

    def loss(self, model: Any, batch: Any) -> Any:
        """Note the time and pass on."""
        self.began.append(perf_counter())
        return self._objective.loss(model, batch)


def make(size: Size, rows: Rows, attention: str) -> Any:
    """Return the model, with the same weights each time."""
    torch.manual_seed(1)
    folder = Path()
    ctx = Context("bench", "train/pretrain", 1, folder, folder, folder, folder)
    architecture = Llama(layers=size.layers, width=size.width, heads=size.heads, ffn_width=size.ffn)
    model = architecture.build(rows.vocab, ctx)
    model.set_attn_implementation(attention)
    return model


def by_loop(model: Any, size: Size, rows: Rows, given: argparse.Namespace) -> float:
    """Train with the workbench's loop; return the seconds of the timed steps."""
    clocked = Clocked()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ctx = Context("bench", "train/pretrain", 1, folder, folder, folder, folder, device=given.device, threads=8)
        job = Job(
            model=model,
            objective=clocked,  # type: ignore[arg-type]  # it has the two methods that the loop calls
            tuning=None,
            train=rows,
            valid=None,
            vocab=rows.vocab,
            optimizer=Optimizer(),
            num_steps=WARM_STEPS + given.steps,
            batch_size=size.rows,
            accumulate=size.micro_batches,
            eval_every=10**9,
            eval_rows=1,
            precision="bfloat16",
            checkpoint_seconds=1e9,
            compile=given.compile,
        )
        train(job, ctx)
        wait(given.device)
    return perf_counter() - clocked.began[WARM_STEPS * size.micro_batches]


def by_trainer(model: Any, size: Size, rows: Rows, given: argparse.Namespace) -> float:
    """Train with Hugging Face's Trainer; return the seconds of the timed steps."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    began: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            wait(given.device)
            began.append(perf_counter())

    with tempfile.TemporaryDirectory() as name:
        arguments = TrainingArguments(
            output_dir=name,
            per_device_train_batch_size=size.rows // size.micro_batches,
            gradient_accumulation_steps=size.micro_batches,
            max_steps=WARM_STEPS + given.steps,
            learning_rate=1e-3,
            adam_beta2=0.95,
            weight_decay=0.1,
            max_grad_norm=1.0,
            lr_scheduler_type="cosine",
            optim="adamw_torch_fused",
            bf16=True,
            use_cpu=given.device == "cpu",
            torch_compile=given.compile == "on",
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        data = [{"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(ids)} for ids in rows.ids]
        trainer = Trainer(model=model, args=arguments, train_dataset=data, callbacks=[Clock()])  # type: ignore[arg-type]
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        wait(given.device)
    return perf_counter() - began[WARM_STEPS]


def wait(device: str) -> None:
    """Wait until the device has done its work."""
    if device != "cpu":
        torch.cuda.synchronize()


def run(loop: Callable[..., float], size: Size, rows: Rows, given: argparse.Namespace) -> Result:
    """Train a fresh model once."""
    if given.device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    seconds = loop(make(size, rows, given.attention), size, rows, given)
    peak = torch.cuda.max_memory_allocated() if given.device != "cpu" else 0
    return Result(given.steps * size.rows * size.context / seconds, peak)


def peak_flops(device: str) -> float | None:
    """Return what the GPU multiplies in a second, None for one that is not in the table."""
    if device == "cpu":
        return None
    name = torch.cuda.get_device_name()
    return next((flops for part, flops in PEAKS.items() if part in name), None)


def lines(label: str, given: argparse.Namespace) -> list[str]:
    """Return the rows of the table for one size: ours, Trainer's."""
    size = SIZES[label]
    rows = Rows(8 * size.rows, size.context, size.vocabulary)
    flops = flops_per_token(make(size, rows, given.attention), size.context)
    results: dict[str, list[Result]] = {"loop": [], "Trainer": []}
    for _ in range(given.rounds):
        results["loop"].append(run(by_loop, size, rows, given))
        results["Trainer"].append(run(by_trainer, size, rows, given))
    rates = {name: median(one.tokens_per_second for one in found) for name, found in results.items()}
    peak = peak_flops(given.device)
    table = []
    for name, found in results.items():
        use = f"{rates[name] * flops / peak:.3f}" if peak else "-"
        memory = f"{max(one.peak_bytes for one in found) / 2**30:.1f} GiB" if given.device != "cpu" else "-"
        ratio = f"{rates[name] / rates['Trainer']:.2f}"
        table.append(f"| {label}, {size.context} | {name} | {rates[name]:,.0f} | {use} | {memory} | {ratio} |")
    return table


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=sorted(SIZES), default=["124m", "1b"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--attention", default="sdpa")
    parser.add_argument("--compile", choices=["on", "off"], default="off")
    given = parser.parse_args(arguments)
    if given.device != "cpu" and not torch.cuda.is_available():
        print("no GPU: nothing measured (--sizes tiny --device cpu shows that it runs)")
        return
    name = torch.cuda.get_device_name() if given.device != "cpu" else "cpu"
    print(f"{name}, torch {torch.__version__}, bfloat16, attention {given.attention}, compile {given.compile}")
    print("| model, context | loop | tokens/s | MFU | peak memory | x Trainer |")
    print("|---|---|---|---|---|---|")
    for label in given.sizes:
        print("\n".join(lines(label, given)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
