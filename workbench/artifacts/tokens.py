"""Tokens: memory-mapped token ids and the document index that leads from a token back to its document.

    tokens.json                {"context", "dtype", "parts": {name: {"tokens", "documents", "rows"}}, "vocab_size"}
    <part>/ids.bin             little-endian token ids of all documents, one after the other, each with its end token
    <part>/documents.parquet   id, start, end: the span of each document, in order
    tokenizer.json, tokenizer_config.json

A corpus in one piece gives the single part `all`. Row r of a part is the tokens [r·context, (r+1)·context).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.artifacts.base import Artifact
from workbench.artifacts.tokenizer import Tokenizer

if TYPE_CHECKING:
    import polars as pl

WHOLE = "all"


@dataclass(frozen=True)
class Tokens(Artifact):
    """Token ids on disk."""

    type: ClassVar[str] = "tokens"

    @cached_property
    def card(self) -> dict[str, Any]:
        """The content of `tokens.json`."""
        return self.read_json("tokens.json")

    @property
    def context(self) -> int:
        """Tokens in a row."""
        return int(self.card["context"])

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts; empty when the corpus was in one piece."""
        names = tuple(self.card["parts"])
        return () if names == (WHOLE,) else names

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that made these ids."""
        return Tokenizer(self.path, self.fingerprint, step=self.step)

    def ids(self, part: str) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the ids of a part, memory-mapped and read only."""
        path = self.path / part / "ids.bin"
        if not path.stat().st_size:
            return np.zeros(0, dtype=self.card["dtype"])
        return np.memmap(path, dtype=self.card["dtype"], mode="r")

    def documents(self, part: str) -> pl.DataFrame:
        """Return `id, start, end` of every document of a part, in order; `end` is exclusive."""
        import polars as pl

        return pl.read_parquet(self.path / part / "documents.parquet")

    def num_rows(self, part: str) -> int:
        """Return how many full rows a part has."""
        return int(self.card["parts"][part]["rows"])
