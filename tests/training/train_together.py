"""One of several processes that train a model: `train_together.py TOKENS FOLDER RANK SIZE`.

Three times a decoder: the weights held by each, split among them, and split with a stop on the way and a second start.
Then an encoder and encoder-decoders, split.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from train_once import context, pretraining
from workbench_plugins.architectures.bart import Bart
from workbench_plugins.architectures.bert import Bert
from workbench_plugins.architectures.t5 import T5
from workbench_plugins.objectives.denoising import Denoising
from workbench_plugins.objectives.replaced_token import ReplacedToken
from workbench_plugins.objectives.span_corruption import SpanCorruption

from workbench.artifacts import Tokens
from workbench.contracts.context import Context
from workbench.errors import Interrupted
from workbench.training import reporting
from workbench.training.pretrain import Pretrain
from workbench.training.settings import Budget, Optimizer

SETTINGS: dict[str, Any] = {"batch_size": 7, "accumulate": 3, "eval_every": 5, "precision": "float32"}
STOPPED_AT = 9
OTHERS: dict[str, dict[str, Any]] = {
    "bert": {
        "architecture": Bert(layers=1, width=32),
        "objective": ReplacedToken(),
        "optimizer": Optimizer(average=0.9),
    },
    "t5": {"architecture": T5(layers=1, width=32), "objective": SpanCorruption(marks=20)},
    "bart": {"architecture": Bart(layers=1, width=32), "objective": Denoising()},
}


def other(name: str) -> Pretrain:
    """Return the step that trains another family of model, split where there are several processes."""
    budget = Budget(steps=6)
    return Pretrain(**OTHERS[name], **{**SETTINGS, "eval_every": 2}, budget=budget, checkpoint_seconds=1e9, shard="on")


def splitting() -> Pretrain:
    """Return the step whose weights are split where there are several processes."""
    return pretraining(1e9, dropout=0.0, shard="on", keep="best", **SETTINGS)


def told(ctx: Context, rank: int, size: int) -> Context:
    """Return the context of this process."""
    ctx.rank, ctx.processes = rank, size
    return ctx


def stopping(ctx: Context) -> Context:
    """Let the user ask for a stop once a step is done, which process 0 hears and all obey after the next."""
    seen: list[int] = []
    ctx.emit = lambda event, fields: seen.append(fields["done"]) if event == "step-progress" else None
    ctx.is_cancelled = lambda: ctx.rank == 0 and bool(seen) and seen[-1] >= STOPPED_AT - 1
    return ctx


def main(tokens: Tokens, folder: Path, rank: int, size: int) -> None:
    """Train."""
    reporting.SECONDS_BETWEEN = 0.0

    def place(name: str) -> Context:
        return told(context(folder / name, tokens), rank, size)

    pretraining(1e9, dropout=0.0, **SETTINGS).run(place("held"))
    split = splitting()
    split.run(place("split"))
    split.run(place("begun"))
    try:
        split.run(stopping(place("stopped")))
    except Interrupted:
        (folder / "stopped" / f"interrupted-{rank}").touch()
    again = place("stopped")
    again.scratch = folder / "again"  # processes meet in a fresh folder, as the engine gives one
    again.scratch.mkdir(exist_ok=True)
    split.run(again)
    for name in OTHERS:
        other(name).run(place(name))


if __name__ == "__main__":
    main(Tokens(Path(sys.argv[1]), "ids0", step="ids"), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
