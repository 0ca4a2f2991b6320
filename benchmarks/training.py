"""The training loop beside a loop written by hand and Hugging Face's Trainer, on the same model and the same rows.

The hand loop has what a careful person writes in twenty lines: AdamW, clipping, cosine schedule, fused kernels; no
document mask, no data order, no guard, no checkpoint, no accuracy. Trainer gets the same and its own defaults besides.
Tokens per CPU-second on one core (the machine may be shared), the three taken in turns, medians over rounds; in
bfloat16 where this CPU multiplies it (AMX), else in float32.

    python -m benchmarks.training [--sizes 4x256x256x16 …] [--steps 4] [--rounds 5] [--vocabulary 8000]
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from pathlib import Path
from statistics import median
from time import process_time as clock
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Vocab
from workbench.training.device import autocast, multiplies_bfloat16
from workbench.training.loop import Job, train
from workbench.training.settings import Optimizer

DOCUMENT = 180  # tokens of a mean document


class Rows:
    """Random rows in memory, cut into documents."""

    def __init__(self, number: int, context: int, vocabulary: int) -> None:
        rng = np.random.default_rng(1)
        self.context = context
        self.vocab = Vocab(vocabulary, context, 0, 1)
        self.ids = rng.integers(3, vocabulary, (number, context))
        starts = (rng.random((number, context)) < 1 / DOCUMENT).astype(np.int64)
        starts[:, 0] = 0
        place = np.arange(context)
        self.segments = 1 + np.cumsum(starts, axis=1)
        self.positions = place - np.maximum.accumulate(place * starts, axis=1)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, numbers: Any) -> list[dict[str, Any]]:
        """Return rows as an objective takes them."""
        return [
            {"input_ids": self.ids[n], "segment_ids": self.segments[n], "position_ids": self.positions[n]}
            for n in numbers
        ]

    def document_ids(self, numbers: Any) -> list[str]:
        """Return row numbers."""
        return [str(number) for number in numbers]

    def num_tokens(self, numbers: Any = None) -> int:
        """Return tokens."""
        return self.context * (len(self) if numbers is None else len(numbers))


def make_model(layers: int, width: int, rows: Rows, ctx: Context, dropout: float = 0.0) -> Any:
    """Return a Llama of this size with the same weights each time."""
    torch.manual_seed(1)
    return Llama(layers=layers, width=width, dropout=dropout).build(rows.vocab, ctx)


def by_hand(model: Any, rows: Rows, batch_size: int, steps: int) -> None:
    """Train as a person would who writes the loop for this model alone."""
    model.train()
    device = torch.device("cpu")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
    generator = np.random.default_rng(1)
    for _ in range(steps):
        ids = torch.from_numpy(rows.ids[generator.integers(0, len(rows), batch_size)])
        with autocast(device):
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)


def by_loop(model: Any, rows: Rows, batch_size: int, steps: int, ctx: Context) -> None:
    """Train with the workbench's loop, document mask and guard included."""
    job = Job(
        model=model,
        objective=Causal(),
        tuning=None,
        train=rows,
        valid=None,
        vocab=rows.vocab,
        optimizer=Optimizer(),
        num_steps=steps,
        batch_size=batch_size,
        accumulate=1,
        eval_every=steps,
        eval_rows=1,
        precision="auto",
        checkpoint_seconds=1e9,
    )
    train(job, ctx)


def by_trainer(model: Any, rows: Rows, batch_size: int, steps: int, scratch: Path) -> None:
    """Train with Hugging Face's Trainer: the hand loop's optimizer and schedule, no checkpoints, no logs."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    given = TrainingArguments(
        output_dir=str(scratch),
        per_device_train_batch_size=batch_size,
        max_steps=steps,
        learning_rate=1e-3,
        adam_beta2=0.95,
        weight_decay=0.1,
        max_grad_norm=1.0,
        lr_scheduler_type="cosine",
        optim="adamw_torch_fused",
        bf16=multiplies_bfloat16(torch.device("cpu")),
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=1,
    )
    data = [{"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(ids)} for ids in rows.ids]
    trainer = Trainer(model=model, args=given, train_dataset=data)  # type: ignore[arg-type]
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def measure(size: str, given: argparse.Namespace) -> list[str]:
    """Return one line of the table."""
    layers, width, context, batch_size = map(int, size.split("x"))
    rows = Rows(512, context, given.vocabulary)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ctx = Context("bench", "train/pretrain", 1, folder, folder, folder, folder, device="cpu")
        model = make_model(layers, width, rows, ctx)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        by_hand(model, rows, batch_size, 2)  # the first steps load kernels
        loops: dict[str, Any] = {
            "hand": by_hand,
            "trainer": lambda *given: by_trainer(*given, folder),
            "loop": lambda *given: by_loop(*given, ctx),
        }
        rates: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(given.rounds):
            for name, function in loops.items():
                model = make_model(layers, width, rows, ctx)
                began = clock()
                function(model, rows, batch_size, given.steps)
                rates[name].append(given.steps * batch_size * context / (clock() - began))
    medians = [f"{median(rates[name]):,.0f}" for name in loops]
    ratios = [
        f"{median(b / a for a, b in zip(rates[peer], rates['loop'], strict=True)):.2f}" for peer in ("hand", "trainer")
    ]
    return [size, f"{parameters / 1e6:.1f} M", *medians, *ratios]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["4x256x256x16"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vocabulary", type=int, default=8_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"precision: {'bfloat16' if multiplies_bfloat16(torch.device('cpu')) else 'float32'}; tokens per CPU-second")
    print("| layers x width x context x batch | parameters | hand | Trainer | this loop | x hand | x Trainer |")
    print("|---|---|---|---|---|---|---|")
    for size in given.sizes:
        print("| " + " | ".join(measure(size, given)) + " |", flush=True)


if __name__ == "__main__":
    main()
