"""Train on packed tokens in a process of its own, so that it can be killed: `train_once.py TOKENS FOLDER`."""

import sys
from pathlib import Path
from typing import Any

from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from workbench.artifacts import Tokens
from workbench.contracts.context import Context
from workbench.training.pretrain import Pretrain
from workbench.training.settings import Budget, Optimizer

STEPS = 25


EVERYTHING: dict[str, Any] = {
    "batch_size": 10,
    "accumulate": 3,
    "optimizer": Optimizer(method="muon", average=0.9, schedule="warmup-stable-decay"),
    "keep": "best",
    "eval_every": 4,
    "order": "windows",
}


def pretraining(seconds: float = 0.0, dropout: float = 0.1, **more: Any) -> Pretrain:
    """Return the step: a model with dropout, a checkpoint after each update."""
    settings = {"batch_size": 4, **more}
    return Pretrain(
        architecture=Llama(layers=2, width=32, dropout=dropout),
        objective=Causal(),
        budget=Budget(steps=STEPS),
        checkpoint_seconds=seconds,
        **settings,
    )


def context(folder: Path, tokens: Tokens) -> Context:
    """Return a context below `folder`; a second one finds the checkpoints of the first."""
    folders = {name: folder / name for name in ("output", "scratch", "partial")}
    for path in folders.values():
        path.mkdir(parents=True, exist_ok=True)
    return Context("base", "train/pretrain", 1234, folder, inputs={"tokens": tokens}, device="cpu", **folders)


if __name__ == "__main__":
    pretraining().run(context(Path(sys.argv[2]), Tokens(Path(sys.argv[1]), "ids0", step="ids")))
