"""Sizes that have to fit each other, checked alike for every architecture."""

from __future__ import annotations

FFN_FACTOR = 4  # Vaswani et al. 2017, section 3.3: 2048 for a width of 512
FFN_MULTIPLE = 32  # gated widths are rounded up to this, so that matrix products stay on even tiles


def check_heads(width: int, heads: int, *, rotary: bool = False) -> None:
    """Raise `ValueError` when heads do not divide the width, or cannot be turned in pairs by rotary positions."""
    if width % heads:
        raise ValueError(f"width {width} cannot be divided among {heads} heads")
    if rotary and width // heads % 2:
        raise ValueError(
            f"width {width} over {heads} heads gives heads of {width // heads}; rotary positions need an even size"
        )


def check_shared(heads: int, kv_heads: int) -> None:
    """Raise `ValueError` when attention heads cannot share key and value heads evenly."""
    if heads % kv_heads:
        raise ValueError(f"{heads} heads cannot share {kv_heads} kv_heads evenly")


def gated_width(width: int) -> int:
    """Return 8/3 of the width, rounded up to a multiple of 32.

    With it the three matrices of a gated layer have as many weights as the usual two of 4 · width (Shazeer 2020).

    >>> gated_width(384), gated_width(32)
    (1024, 96)
    """
    return -(-8 * width // (3 * FFN_MULTIPLE)) * FFN_MULTIPLE
