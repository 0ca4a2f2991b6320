"""Train on packed tokens in a process of its own, so that it can be killed: `train_once.py TOKENS FOLDER`."""

import sys
from pathlib import Path

from workbench_plugins.architectures.llama import Llama
from workbench_plugins.objectives.causal import Causal

from workbench.artifacts import Tokens
from workbench.contracts.context import Context
from workbench.training.pretrain import Pretrain
from workbench.training.settings import Budget

STEPS = 25


def pretraining(seconds: float = 0.0) -> Pretrain:
    """Return the step: a model with dropout, a checkpoint after each update."""
    return Pretrain(
        architecture=Llama(layers=2, width=32, dropout=0.1),
        objective=Causal(),
        budget=Budget(steps=STEPS),
        batch_size=4,
        checkpoint_seconds=seconds,
    )


def context(folder: Path, tokens: Tokens) -> Context:
    """Return a context below `folder`; a second one finds the checkpoints of the first."""
    folders = {name: folder / name for name in ("output", "scratch", "partial")}
    for path in folders.values():
        path.mkdir(parents=True, exist_ok=True)
    return Context("base", "train/pretrain", 1234, folder, inputs={"tokens": tokens}, device="cpu", **folders)


if __name__ == "__main__":
    pretraining().run(context(Path(sys.argv[2]), Tokens(Path(sys.argv[1]), "ids0", step="ids")))
