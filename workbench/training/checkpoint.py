"""Checkpoints: safetensors with a JSON card that carries its digest and is written last. The last two are kept.

A checkpoint counts only when its card is there and the digest fits, so neither a kill during a save nor a damaged
file can be resumed from; the one before it is taken, and said so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from workbench.errors import EnvironmentProblem
from workbench.files.atomic import replacing, write_json
from workbench.files.digest import digest_file

if TYPE_CHECKING:
    import torch

KEPT = 2
LARGEST_SHARE = 0.05  # of the time that saving may take


@dataclass(frozen=True)
class State:
    """All that training needs to go on after a step.

    Attributes:
        step: The last finished step.
        tensors: Weights, optimizer state and the curve so far, by name.
        facts: JSON values beside them.
    """

    step: int
    tensors: Mapping[str, torch.Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def under(self, prefix: str) -> dict[str, torch.Tensor]:
        """Return the tensors whose names begin with `prefix`, without it."""
        return {name.removeprefix(prefix): value for name, value in self.tensors.items() if name.startswith(prefix)}


class Checkpoints:
    """The checkpoints of one training run in `folder`.

    Args:
        folder: Where they lie; it belongs to this run alone.
        seconds: How long to train between two of them; longer when saving would take more than 5 % of the time.
        log: Takes one line for the person who watches.
    """

    def __init__(self, folder: Path, seconds: float, log: Callable[[str], None]) -> None:
        self.folder = folder
        self._seconds = seconds
        self._log = log
        self._saved_at = monotonic()
        self._cost = 0.0

    def is_due(self) -> bool:
        """Return whether it is time to save."""
        pause = max(self._seconds, self._cost / LARGEST_SHARE) if self._seconds else 0.0
        return monotonic() - self._saved_at >= pause

    def save(self, state: State) -> None:
        """Write `state`; delete all but the last two."""
        from safetensors.torch import save_file

        began = monotonic()
        weights = self._weights(state.step)
        with replacing(weights) as temporary:
            save_file(dict(state.tensors), temporary, metadata={"facts": json.dumps(dict(state.facts))})
        write_json(self._card(state.step), self._digests(state.step))
        for step in self.steps()[:-KEPT]:
            self._remove(step)
        self._saved_at = monotonic()
        self._cost = self._saved_at - began

    def newest(self) -> State | None:
        """Return the newest whole checkpoint, or None. Damaged ones are removed and named in the log."""
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink()
        for step in reversed(self.steps()):
            state = self._read(step)
            if state is not None:
                return state
            self._log(f"the checkpoint of step {step} is damaged: going back to the one before it")
            self._remove(step)
        return None

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, in order."""
        return sorted(int(card.stem.partition("-")[2]) for card in self.folder.glob("step-*.json"))

    def _read(self, step: int) -> State | None:
        from safetensors import safe_open

        weights = self._weights(step)
        try:
            card = json.loads(self._card(step).read_text("utf-8"))
            if card != self._digests(step):
                return None
            with safe_open(weights, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
                return State(step, tensors, json.loads(file.metadata()["facts"]))
        except (EnvironmentProblem, OSError, ValueError):  # an unreadable card is damage as well
            return None

    def _digests(self, step: int) -> dict[str, Any]:
        """Return the card of a step: its number and the digest of what was written."""
        return {"step": step, "digest": digest_file(self._weights(step))}

    def _weights(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.safetensors"

    def _card(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.json"

    def _remove(self, step: int) -> None:
        self._card(step).unlink(missing_ok=True)
        self._weights(step).unlink(missing_ok=True)
