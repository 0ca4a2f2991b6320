"""Ports: what a step takes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ArtifactType = Literal["corpus", "tokenizer", "tokens", "corpus|tokens", "model", "report", "export"]


@dataclass(frozen=True)
class Port:
    """One named input of a component.

    Attributes:
        type: The artifact it takes.
        optional: Whether a step may leave it out.
        many: Whether it takes a list of artifacts.
        whole: Whether it takes a corpus or tokens that have parts without one being chosen (`split` as well as
            `split.train`).
        about: What it is for, in a few words.
    """

    type: ArtifactType
    optional: bool = False
    many: bool = False
    whole: bool = False
    about: str = ""
