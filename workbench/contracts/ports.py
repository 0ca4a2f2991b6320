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


def with_article(types: str) -> str:
    """Return an artifact type as a sentence names it.

    >>> with_article("model"), with_article("corpus|tokens")
    ('a model', 'a corpus or tokens')
    """
    articles = {"tokens": "", "export": "an "}
    return " or ".join(f"{articles.get(name, 'a ')}{name}" for name in types.split("|"))
