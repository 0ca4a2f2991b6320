"""One of several processes that train a model: `train_together.py TOKENS FOLDER RANK SIZE`.

Three times: the weights held by each, split among them, and split with a stop on the way and a second start.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from train_once import context, pretraining

from workbench.artifacts import Tokens
from workbench.contracts.context import Context
from workbench.errors import Interrupted
from workbench.training import reporting

SETTINGS: dict[str, Any] = {"batch_size": 7, "accumulate": 3, "eval_every": 5, "precision": "float32"}
STOPPED_AT = 9


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
    split = pretraining(1e9, dropout=0.0, shard="on", keep="best", **SETTINGS)
    split.run(place("split"))
    try:
        split.run(stopping(place("stopped")))
    except Interrupted:
        (folder / "stopped" / f"interrupted-{rank}").touch()
    again = place("stopped")
    again.scratch = folder / "again"  # processes meet in a fresh folder, as the engine gives one
    again.scratch.mkdir(exist_ok=True)
    split.run(again)


if __name__ == "__main__":
    main(Tokens(Path(sys.argv[1]), "ids0", step="ids"), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
