"""Sinusoidal positions in models whose class has a table of learned ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Positions = Literal["learned", "sinusoidal"]


def sinusoids(length: int, width: int) -> torch.Tensor:
    """Return float[length, width] of Vaswani et al. 2017, section 3.5: sin and cos of pos / 10000^(2i / width), in turn.

    >>> [round(value, 4) for value in sinusoids(2, 4)[1].tolist()]
    [0.8415, 0.5403, 0.01, 0.9999]
    """
    import torch

    place_t = torch.arange(length, dtype=torch.float64)[:, None]
    angle_td = place_t / 10_000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    table_td = torch.empty(length, width, dtype=torch.float64)
    table_td[:, 0::2] = angle_td.sin()
    table_td[:, 1::2] = angle_td.cos()[:, : width // 2]
    return table_td.float()


def fix_places(table: torch.nn.Embedding, first: int = 0, scale: float = 1.0) -> None:
    """Fill a table of positions with sinusoids and keep it from learning.

    Args:
        table: float[first + length, width].
        first: Rows before that of position 0.
        scale: Of the sinusoids, which are of size 1 where fresh embeddings are often of 0.02.
    """
    import torch

    rows, width = table.weight.shape
    with torch.no_grad():
        table.weight[first:] = scale * sinusoids(rows - first, width)
    table.requires_grad_(requires_grad=False)
