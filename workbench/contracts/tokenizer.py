"""Tokenizers, and the vocabulary facts that models and objectives need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from workbench.contracts.component import Component
from workbench.contracts.ports import Port
from workbench.errors import StepError

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
        num_marks: The last ids of `size`, which the tokenizer does not know: objectives mark places with them, such
            as the spans that were cut out.
        pieces: The tokens as the tokenizer writes them (`Ġthe`, `##ing`, `▁the`), by id; marks have none.
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
    num_marks: int = 0
    pieces: Sequence[str] = field(default=(), compare=False, repr=False)

    def mark(self, number: int) -> int:
        """Return the id of a mark, counted from 0. Raises `StepError` when the model has fewer."""
        if number >= self.num_marks:
            raise StepError(
                f"mark {number} is asked for, but the model has {self.num_marks}",
                expected="a model that was pretrained with this objective, or one that needs as many marks",
            )
        return self.size - self.num_marks + number
