"""What a training card says, in words: shared by the README of an export and by the report page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workbench.api import safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.api import Model

FACTS = {
    "parameters": "parameters",
    "trained_parameters": "parameters that learned",
    "family": "family",
    "head": "prediction head",
    "architecture": "architecture",
    "objective": "objective",
    "tuning": "tuning",
    "labels": "labels",
    "steps": "training steps",
    "tokens": "tokens seen",
    "first_loss": "loss at the first step (nats)",
    "last_loss": "loss at the last step (nats)",
    "valid_loss": "loss on validation data (nats)",
    "seed": "seed",
}


def facts(model: Model) -> dict[str, str]:
    """Return what a reader wants to know first, in a fixed order; what the card does not say is left out."""
    card = model.card
    return {name: in_words(card[key]) for key, name in FACTS.items() if card.get(key) is not None}


def in_words(value: Any) -> str:
    """Return a value of the card as text.

    >>> in_words({"use": "tuning/lora", "with": {"rank": 8}}), in_words(13_800_000), in_words(["a", "b"])
    ('tuning/lora (rank 8)', '13,800,000', 'a, b')
    """
    if isinstance(value, dict) and "use" in value:
        settings = ", ".join(f"{name} {in_words(item)}" for name, item in _set(value.get("with") or {}))
        return f"{value['use']} ({settings})" if settings else str(value["use"])
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(item)}" for name, item in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item) for item in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return safe_text(str(value))


def _set(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in settings.items() if value is not None]


def card_json(model: Model) -> str:
    """Return the whole card as JSON that cannot end a fenced code block."""
    return safe_text(json.dumps(model.card, ensure_ascii=False, sort_keys=True, indent=1)).replace("`", "\\u0060")
