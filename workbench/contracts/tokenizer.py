"""Tokenizers, and the vocabulary facts that models and objectives need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workbench.contracts.component import Component
from workbench.contracts.ports import Port

if TYPE_CHECKING:
    import tokenizers

    from workbench.contracts.context import Context


class Tokenizer(Component):
    """Learn a tokenizer from a corpus; saved as `tokenizer.json`, which transformers loads."""

    kind: ClassVar[str] = "tokenizer"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", about="the text to learn from")}
    output: ClassVar[str] = "tokenizer"
    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}

    @abstractmethod
    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return a trained `tokenizers.Tokenizer` that knows every token of `special_tokens`."""


@dataclass(frozen=True)
class Vocab:
    """What a model has to know of its tokenizer.

    Attributes:
        size: Number of token ids.
        max_length: The longest row, in tokens, that the model will see in training.
        pad, eos, bos, unk, mask, cls, sep: Token ids, None where the tokenizer has no such token.
    """

    size: int
    max_length: int
    pad: int
    eos: int | None = None
    bos: int | None = None
    unk: int | None = None
    mask: int | None = None
    cls: int | None = None
    sep: int | None = None
