"""What a person sees of a model before it is trained, and of its parts afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.showing import Grid, View
from workbench.wording import duration, number, share, size

if TYPE_CHECKING:
    from workbench.training.forecast import Forecast


def view_forecast(forecast: Forecast) -> View:
    """Return the view of the card of one training step."""
    view = View(title=f"{forecast.step}  before training", document={"step": forecast.step, "note": forecast.note})
    card = forecast.card
    if card is not None:
        view.document.update(card.to_json(), seconds=forecast.seconds)
        view.facts = [
            ("parameters", f"{number(card.parameters)}, of which {number(card.trained_parameters)} learn"),
            ("operations", f"{number(card.flops_per_token)} for each token, forward and backward"),
            ("memory", size(sum(card.memory.values()))),
        ]
        if card.tokens_per_second is not None:
            view.facts.append(("speed", f"{number(card.tokens_per_second)} tokens per second on this device, measured"))
        if forecast.seconds is not None:
            view.facts.append(("time", f"about {duration(forecast.seconds)}"))
        view.grids = [
            _grid("Parameters by part", card.parts, in_bytes=False),
            _grid("Memory", card.memory, in_bytes=True),
        ]
    if forecast.note:
        view.facts.append(("note", forecast.note))
    return view


def _grid(title: str, amounts: Mapping[str, int], *, in_bytes: bool) -> Grid:
    total = sum(amounts.values())
    rows = [(name, size(one) if in_bytes else number(one), share(one, total)) for name, one in amounts.items()]
    return Grid(title, ("part", "bytes" if in_bytes else "parameters", "share"), rows, (1, 2))
